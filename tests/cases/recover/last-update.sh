#!/bin/sh
# P-SEAMLDR has one or two updates left: no image is tried that it would refuse for want of updates.
. /tests/lib.sh
setup

# updates left, images that it installs
for left in 1 2; do
	emu_set platform remaining=$left
	reboot_firmware
	td_build 1
	store "$TDX/recovery_image" test/same.blob
	emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 0"
	emu_set log clear
	expect_update test/v2.blob ESHUTDOWN shut-down
	expect "calls of SEAMLDR.INSTALL with $left updates left" $((left * $(nproc))) \
		"$(emu log | grep -c ' SEAMLDR.INSTALL ')"
	expect "images installed" $left "$(emu_get state installs)"
	expect num_remaining_updates 0 "$(tdx num_remaining_updates)"
	expect last/sessions $left "$(tdx last/sessions)"
	emu_set inject clear
	expect_update test/v2.blob ENOSPC no-updates-left
	expect state shut-down "$(tdx state)"
	td destroy all
done
