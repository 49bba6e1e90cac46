#!/bin/sh
# The kernel's own driver shows a stale version after an update by tdx_update: status says so, and
# no decision relies on that version.
# SANITIZERS: no
# NEEDS: KERNEL=7.3|7.3-td
. /tests/lib.sh
. /tests/mainline.sh
. /tests/tool.sh
setup_beside
load
dir=$TMP/images
mkdir -p /run "$dir"
for image in same=1.5.24 a=1.5.25 v2=1.5.26; do
	cp "/lib/firmware/test/${image%=*}.blob" "$dir/tdx_module_${image#*=}.blob"
done

expect_tool 0 status
expect_no_match "with one version" 'stale' "$OUT"
expect_tool 0 status --json
expect "with one version" "1.5.24 1.5.24 false" \
	"$(json '"\(.version) \(.kernel_driver_version) \(.kernel_driver_version_stale)"')"

expect_tool 0 apply "$dir/tdx_module_1.5.26.blob" --recovery none
expect "the kernel's version" 1.5.24 "$(cat "$HOST/version")"
expect_tool 0 status
expect_match "the TDX module" '^TDX module +1\.5\.26, ready$' "$OUT"
expect_match "which is stale" "^kernel's driver +1\.5\.24, stale: " "$OUT"
expect_tool 0 status --json
expect "with two versions" "1.5.26 1.5.24 true" \
	"$(json '"\(.version) \(.kernel_driver_version) \(.kernel_driver_version_stale)"')"

# The kernel's driver does not notice either that TDX is down.
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 0"
expect_tool 5 apply "$dir/tdx_module_1.5.26.blob" --recovery none
emu_set inject clear
expect_tool 0 status --json
expect "while TDX is down" "shut-down null 1.5.24 true" \
	"$(json '"\(.state) \(.version) \(.kernel_driver_version) \(.kernel_driver_version_stale)"')"
expect_tool 0 apply --latest "$dir" --recovery none
expect version 1.5.26 "$(tdx version)"

# By the stale version, 1.5.26 would be newer and 1.5.24 the recovery image.
expect_tool 0 apply --latest "$dir"
expect_match "what --latest says" 'nothing newer than ' "$OUT"
expect_tool 0 apply "$dir/tdx_module_1.5.25.blob" --recovery auto --allow-downgrade --dry-run --json
expect "recovery image" "$dir/tdx_module_1.5.26.blob" "$(json .recovery)"

# Without tdx_update the version may be stale, so --latest is refused.
rmmod tdx_update
expect_tool 69 apply --latest "$dir"
expect_match "what --latest says without tdx_update" "may show a stale version" "$ERR"
expect_tool 0 status --json
expect "status without tdx_update" "mainline 1.5.24 true" \
	"$(json '"\(.interface) \(.version) \(.version_may_be_stale)"')"
load

# After an update by the kernel's driver both versions are right.
upload test/a.blob
expect "error of mainline's update" '' "$ERROR"
expect_tool 0 status --json
expect "after mainline's update" "1.5.25 1.5.25 false" \
	"$(json '"\(.version) \(.kernel_driver_version) \(.kernel_driver_version_stale)"')"
expect_nothing_left "status beside the kernel's own driver"
