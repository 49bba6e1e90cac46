#!/bin/sh
# An LP whose INSTALL brings back an error, whatever it is, keeps no other from calling: none leaves early.
# SMP: 2 4 8
. /tests/lib.sh
setup

for status in 0x8000000000000003 vmfail ud gp; do
	setup_again
	emu_set log clear
	emu_set inject "SEAMLDR.INSTALL 0 1 $status 0 0"
	expect_update test/v2.blob ENOTRECOVERABLE lost
	expect last/leaf SEAMLDR.INSTALL "$(tdx last/leaf)"
	expect last/cpu 0 "$(tdx last/cpu)"
	expect "LPs that called" "$(seq 0 $(($(nproc) - 1)) | xargs)" \
		"$(emu log | awk '$3 == "SEAMLDR.INSTALL" { print $2 }' | sort -nu | xargs)"
done
