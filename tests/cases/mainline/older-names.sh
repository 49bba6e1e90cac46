#!/bin/sh
# A program that knows only the names from before Linux 7.2 updates by contrib/older-names, which
# shows it those names. Nobody else sees them.
# SMP: 2
# SANITIZERS: no
# NEEDS: CONFIG_FW_UPLOAD !CONFIG_TDX_HOST_SERVICES
. /tests/lib.sh
. /tests/mainline.sh

# run COMMAND...: run it with the older names; set STATUS and OUT.
run() {
	STATUS=0
	OUT=$(sh /tests/older-names "$@" 2>&1) || STATUS=$?
}

setup_none
need_node
run true
expect "exit status without tdx_update" 1 "$STATUS"
expect_match "what it says" 'modprobe tdx_update' "$OUT"
setup seamldr=1.5.12

repository=$TMP/repository
mkdir -p "$repository/joined_files/1.5"
cp /lib/firmware/test/a.blob "$repository/joined_files/1.5/tdx_module_1.5.25.blob"
cp /lib/firmware/test/v2.blob "$repository/joined_files/1.5/tdx_module_1.5.26.blob"
cat >"$repository/mapping_file.json" <<END
{ "tdx_module_releases": [
	{ "version": "1.5.25", "min_module_version_for_td_preserving": "1.5.01", "min_seamldr_versions": [ "2.0.00", "1.5.00" ] },
	{ "version": "1.5.26", "min_module_version_for_td_preserving": "1.5.25", "min_seamldr_versions": [ "1.5.12" ] } ] }
END

td_build 1
for versions in "1.5.24 to 1.5.25" "1.5.25 to 1.5.26"; do
	run sh /tests/older-client.sh "$repository"
	expect "what the client says" "from $versions" "$OUT"
done
expect last/image "$NODE" "$(tdx last/image)"
expect updates 2 "$(emu_get state updates)"
td_ok new 2
run sh /tests/older-client.sh "$repository"
expect "what it says of a race" "failed: transferring:device-busy" "$OUT"
expect last/result update-race "$(tdx last/result)"
td_ok destroy 2
expect_tds_alive 1

run sh -c 'cat /sys/devices/faux/tdx_host/num_remaining_updates; exit 7'
expect "exit status and output of a program" "7 $(cat "$HOST/num_remaining_updates")" "$STATUS $OUT"
expect "older names outside" "" "$(ls -d /sys/class/firmware/seamldr_upload "$HOST/seamldr" 2>/dev/null)"
