#!/bin/sh
# The recovery image is checked when it is set and again at each update, and takes part in the
# handoff negotiation. It runs after the new image fails past the shutdown, if the firmware allows.
# SMP: 1 2 4
# SMOKE: yes
. /tests/lib.sh
setup hv=0-2

recovery() {
	store "$TDX/recovery_image" "$1"
}

expect recovery_image "" "$(tdx recovery_image)"
# file, errno, result
while read -r image ours result; do
	recovery "$image"
	expect "errno of setting $image" "$ours" "$ERRNO"
	expect "last_check/result of setting $image" "$result" "$(tdx last_check/result)"
	expect "recovery_image after $image" "" "$(tdx recovery_image)"
done <<END
test/none.blob ENOENT no-image
test/bad-svn.blob ESTALE older
test/bad-hash.blob EBADMSG corrupt
/x EINVAL bad-name
END
recovery test/same.blob
expect "errno of setting a good one" 0 "$ERRNO"
expect recovery_image test/same.blob "$(tdx recovery_image)"
expect last_check/phase check "$(tdx last_check/phase)"
expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)"

# leaf, status, RDX, phase
while read -r leaf status rdx phase count; do
	td_build 1
	emu_set inject "$leaf $([ "$leaf" = SEAMLDR.INSTALL ] && echo $(($(nproc) - 1)) || echo 0) 1 $status $rdx $count"
	mark_dmesg
	expect_update test/a.blob ECANCELED recovered
	expect last/phase "$phase" "$(tdx last/phase)"
	expect last/leaf "$leaf" "$(tdx last/leaf)"
	expect last/status "$status" "$(tdx last/status)"
	expect last/to 1.5.24 "$(tdx last/to)"
	expect version 1.5.24 "$(tdx version)"
	expect state ready "$(tdx state)"
	expect_match log "recovered \(ECANCELED\): .*the recovery image runs, TDs live \[phase $phase, $leaf" \
		"$(dmesg_since_mark)"
	expect_tds_alive 1
	td destroy all
done <<END
SEAMLDR.INSTALL 0x8000000000020000 0 install 1
TDH.SYS.INIT 0xc000050000000000 0 init 2
TDH.SYS.LP.INIT 0xc000050b00000000 0 init 3
TDH.SYS.UPDATE 0xc000050900000000 0 update 2
END

# Nothing repairs a failure after which P-SEAMLDR has cleared the memory.
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000020001 1 1"
expect_update test/a.blob ENOTRECOVERABLE lost
setup_again
expect "recovery_image of a new module" "" "$(tdx recovery_image)"

# A recovery image of lower SVN than the image repairs a failed INSTALL, but cannot be installed
# once the image is.
recovery test/same.blob
td_build 1
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000010002 0 1"
expect_update test/good-svn-255.blob ECANCELED recovered
expect_tds_alive 1
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 0"
expect_update test/good-svn-255.blob ESHUTDOWN shut-down
# The image twice, the recovery image never.
expect last/leaf TDH.SYS.UPDATE "$(tdx last/leaf)"
expect "installs of that attempt" "$((2 * $(nproc)))" "$(emu log | awk '$3 == "TDH.SYS.SHUTDOWN" { n = 0 } $3 == "SEAMLDR.INSTALL" { n++ } END { print n }')"
td destroy all

# If the recovery image fails too, the failure of the image is reported.
setup_again
recovery test/same.blob
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000010002 0 1"
emu_set inject "TDH.SYS.INIT any 1 0xc000050000000000 0 0"
expect_update test/v2.blob ESHUTDOWN shut-down
expect last/leaf SEAMLDR.INSTALL "$(tdx last/leaf)"
expect last/status 0x8000000000010002 "$(tdx last/status)"
expect last/phase install "$(tdx last/phase)"
expect last/reason "the recovery image failed, too" "$(tdx last/reason)"
emu_set inject clear

# The handoff version has to suit three TDX modules. A recovery image whose file has become bad
# since it was set stops the update.
setup_again
recovery test/hv-0-0.blob
expect_update test/hv-1-3.blob EPROTO bad-handoff
recovery test/hv-1-3.blob
expect_update test/hv-2-2.blob 0 success
expect "RCX of SHUTDOWN" 0x10002 "$(shutdown_rcx)"
cp /lib/firmware/test/v2.blob /lib/firmware/fallback.blob
reboot_firmware
recovery fallback.blob
cp /lib/firmware/test/bad-signer.blob /lib/firmware/fallback.blob
expect_update test/v2.blob EKEYREJECTED bad-signature
expect last/reason "recovery image: unknown signer" "$(tdx last/reason)"
rm /lib/firmware/fallback.blob
expect_update test/v2.blob ENOENT no-image
expect last/reason "recovery image" "$(tdx last/reason)"
recovery ""
expect "errno of setting none" 0 "$ERRNO"
expect_update test/v2.blob 0 success
