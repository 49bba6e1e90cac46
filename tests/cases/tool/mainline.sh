#!/bin/sh
# If there is only the kernel's own update driver, the command uses it and warns of what it cannot
# promise. This kernel has no such driver: files stand in for its interface, and a process for the
# driver.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
setup_none
export TDX_UPDATE_SYSFS="$TMP/sys"
mkdir -p "$TMP/sys/devices/faux/tdx_host" "$TMP/sys/class/firmware/tdx_module" \
	"$TMP/sys/module/tdx_update/parameters" "$TMP/sys/devices/system/cpu"
cd "$TMP/sys" || die "no files"
cp "$SIGNER" module/tdx_update/parameters/signer
echo 0-1 | tee devices/system/cpu/online >devices/system/cpu/present
echo 1.5.02 >devices/faux/tdx_host/seamldr_version
echo 9 >devices/faux/tdx_host/num_remaining_updates
node=class/firmware/tdx_module

# driver VERSION ERROR: accept one image in the background, then show this version and error.
driver() {
	echo 1.5.24 >devices/faux/tdx_host/version
	: >$node/data
	: >$node/error
	# Write a digit: the command's write of one character does not shorten a regular file.
	printf 9 >$node/loading
	echo programming >$node/status
	{
		until [ "$(cat $node/loading)" = 0 ]; do usleep 20000; done
		usleep 200000
		echo "$1" >devices/faux/tdx_host/version
		echo "$2" >$node/error
		echo idle >$node/status
	} &
}

driver 1.5.26 ''
expect_tool 0 status
expect_match words '^TDX module +1\.5\.24$' "$OUT"
expect_match words '^race protection +none' "$OUT"
expect_tool 0 status --json
expect JSON "mainline 1.5.24 9" "$(json '"\(.interface) \(.version) \(.updates_left)"')"
expect_tool 0 status --prometheus
expect_match metrics '^tdx_up 0$' "$OUT"
expect_match metrics '^tdx_module_race_protection 0$' "$OUT"
expect_tool 69 check /lib/firmware/test/v2.blob
expect_tool 69 apply /lib/firmware/test/v2.blob --recovery auto
expect_tool 0 list /lib/firmware/test --json
expect verdicts null "$(json '.images[].installable' | sort -u)"
expect_tool 0 apply /lib/firmware/test/v2.blob --dry-run
expect "uploads so far" 9 "$(cat $node/loading)"

expect_tool 0 apply /lib/firmware/test/v2.blob --json
expect_match "what it cannot promise" 'does not protect TDs that are being built' "$ERR"
expect "versions" "1.5.24 1.5.26" "$(json '"\(.from) \(.to)"')"
expect_ok cmp /lib/firmware/test/v2.blob $node/data

# The command refuses what the driver would not notice before the shutdown.
while read -r image why; do
	driver 1.5.24 ''
	expect_tool 1 apply "/lib/firmware/test/$image"
	expect_match "why not $image" "$why" "$ERR"
	expect "uploads of $image" 9 "$(cat $node/loading)"
	kill $!
done <<END
v1.blob version 2 only
bad-cpu.blob lacks this CPU
bad-signer.blob signed by: unknown
bad-debug.blob signed by: .*debug
bad-header.blob malformed
END
echo 0 >devices/system/cpu/online
expect_tool 1 apply /lib/firmware/test/v2.blob
expect_match "why not with a CPU offline" 'offline' "$ERR"
echo 0-1 >devices/system/cpu/online

driver 1.5.24 programming:firmware-invalid
expect_tool 4 apply /lib/firmware/test/v2.blob
expect_match "what it says" 'programming:firmware-invalid; check whether TDX still works' "$ERR"
driver 1.5.24 preparing:firmware-invalid
expect_tool 1 apply /lib/firmware/test/v2.blob

mkdir "$TMP/images"
cp /lib/firmware/test/v2.blob "$TMP/images/tdx_module_1.5.26.blob"
cp /lib/firmware/test/pages-150.blob "$TMP/images/x.blob"
cp /lib/firmware/test/v1.blob "$TMP/images/a.blob"
driver 1.5.26 ''
# tainted FLAGS: make these the kernel's taint flags. The emulator, an out-of-tree module, may or
# may not have set its own.
tainted() {
	echo "$1" >"$TMP/tainted"
	grep -q ' /proc/sys/kernel/tainted ' /proc/mounts ||
		mount --bind "$TMP/tainted" /proc/sys/kernel/tainted
}
tainted $((1 << 12 | 1 << 13))
expect_tool 69 apply --latest "$TMP/images"
expect_match "why nothing is compared" "may show a stale version.*modprobe tdx_update, or name an image" "$ERR"
expect "uploads" 9 "$(cat $node/loading)"
expect_tool 0 status
expect_match "status" '^ +may be stale: it does not see updates by tdx_update$' "$OUT"
tainted $((1 << 13))
expect_tool 0 status --json
expect "without such a module" false "$(json .version_may_be_stale)"
expect_tool 0 apply --latest "$TMP/images" --json
umount /proc/sys/kernel/tainted
expect "chosen" "$TMP/images/tdx_module_1.5.26.blob" "$(json .file)"
expect "passed over" "$TMP/images/a.blob" "$(json '.passed_over[].file')"
cd /
unset TDX_UPDATE_SYSFS
