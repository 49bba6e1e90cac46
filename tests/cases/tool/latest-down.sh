#!/bin/sh
# While TDX is down, apply --latest never reports that nothing is newer: it brings TDX back, or
# fails with an exit status of its own.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
setup
dir=$TMP/images
mkdir -p /run "$dir"
for image in same=1.5.24 a=1.5.25; do
	cp "/lib/firmware/test/${image%=*}.blob" "$dir/tdx_module_${image#*=}.blob"
done
last=$(($(nproc) - 1))

# shut_down IMAGE: make an update to it fail in the last call.
shut_down() {
	emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 0"
	expect_tool 5 apply "$1" --recovery none
	emu_set inject clear
	expect state shut-down "$(tdx state)"
}

# The newest image failed, and the same image brings TDX back.
td_build 1
shut_down "$dir/tdx_module_1.5.25.blob"
expect_tool 0 list "$dir"
expect_match "list" '^1\.5\.25 .*: yes$' "$OUT"
expect_match "list's remark" 'TDX is down: apply an image to bring it back' "$ERR"
expect_tool 0 list "$dir" --json
expect "list as JSON" shut-down "$(json .state)"
expect_tool 0 apply --latest "$dir" --dry-run --json
expect "chosen" "$dir/tdx_module_1.5.25.blob" "$(json .file)"
expect_tool 0 apply --latest "$dir" --json
expect "repaired by" "$dir/tdx_module_1.5.25.blob success 1.5.25" "$(json '"\(.file) \(.result) \(.to)"')"
expect state ready "$(tdx state)"
expect_tds_alive 1
expect_tool 0 apply --latest "$dir"
expect_match "afterwards" 'nothing newer than 1\.5\.25 in series 1\.5$' "$OUT"

# The newest image is damaged: another one is chosen. No image is good: TDX stays down.
shut_down "$dir/tdx_module_1.5.25.blob"
mv "$dir/tdx_module_1.5.25.blob" "$TMP/good"
set_byte "$TMP/good" 9000 1 "$dir/tdx_module_1.5.25.blob"
mv "$dir/tdx_module_1.5.24.blob" "$TMP/old"
expect_tool 5 apply --latest "$dir" --json
expect "passed over" "$dir/tdx_module_1.5.25.blob" "$(json '.passed_over[].file')"
expect_match "what it says" 'none of the images can be installed: TDX stays down' "$ERR"
expect state shut-down "$(tdx state)"
mv "$TMP/old" "$dir/tdx_module_1.5.24.blob"

# A fault of the host is reported first, by its own result.
echo 0 >/sys/devices/system/cpu/cpu$last/online
expect_tool 1 apply --latest "$dir" --json
expect "with a CPU offline" cpu-offline "$(json .result)"
echo 1 >/sys/devices/system/cpu/cpu$last/online
expect_tool 0 apply --latest "$dir" --json
expect "repaired by" "$dir/tdx_module_1.5.24.blob 1.5.24" "$(json '"\(.file) \(.to)"')"
mv "$TMP/good" "$dir/tdx_module_1.5.25.blob"

# The mapping file's conditions on the running version do not apply; the others do.
shut_down "$dir/tdx_module_1.5.25.blob"
cat >"$dir/mapping_file.json" <<END
{ "tdx_module_releases": [ { "version": "1.5.25", "min_module_version_for_td_preserving": "1.5.25",
	"min_seamldr_versions": [ "$(tdx seamldr_version)" ] } ] }
END
expect_tool 0 apply --latest "$dir" --json
expect "chosen" "$dir/tdx_module_1.5.25.blob" "$(json .file)"
rm "$dir/mapping_file.json"
td destroy all

# TDX is lost.
reboot_firmware
emu_set inject "SEAMLDR.INSTALL $last 1 0x8000000000020001 1 0"
expect_tool 3 apply "$dir/tdx_module_1.5.25.blob" --recovery none
emu_set inject clear
expect_tool 3 apply --latest "$dir" --json
expect "after a loss" "lost 3" "$(json '"\(.result) \(.exit)"')"
expect_tool 3 list "$dir"
expect_match "list" ': no: lost' "$OUT"
expect_tool 3 check "$dir/tdx_module_1.5.25.blob"
reboot_firmware

# TDX is not initialized, as if the module was loaded before anyone initialized it.
rmmod tdx_update
emu_set module state=none
emu_set reset 1
load
expect state uninitialized "$(tdx state)"
expect_tool 69 apply --latest "$dir"
expect_match "what it says" 'TDX is not initialized: load kvm_intel with tdx=1' "$ERR"
expect_nothing_left "--latest while TDX is down"
