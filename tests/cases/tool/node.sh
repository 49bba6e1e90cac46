#!/bin/sh
# If the command finds mainline's interface only, it updates through that. Here tdx_update provides
# it, and the module's own files are hidden.
# NEEDS: CONFIG_FW_UPLOAD !CONFIG_TDX_HOST_SERVICES
. /tests/lib.sh
. /tests/tool.sh
. /tests/mainline.sh
need_node
setup
export TDX_UPDATE_SYSFS="$TMP/sys"
mkdir "$TMP/sys"
ln -s /sys/devices /sys/class /sys/module "$TMP/sys/"

td_build 1
expect_tool 0 status --json
expect JSON "mainline 1.5.24 20" "$(json '"\(.interface) \(.version) \(.updates_left)"')"
expect_tool 0 apply /lib/firmware/test/v2.blob --json
expect versions "1.5.24 1.5.26" "$(json '"\(.from) \(.to)"')"
expect last/image "$NODE" "$(tdx last/image)"
expect updates 1 "$(emu_get state updates)"
td_ok new 2
expect_tool 4 apply /lib/firmware/test/b.blob
expect_match "what it says" 'transferring:device-busy' "$ERR"
expect last/result update-race "$(tdx last/result)"
td_ok destroy 2
expect_tds_alive 1
unset TDX_UPDATE_SYSFS
