#!/bin/sh
# A client written from mainline's documentation updates the TDX module. If the firmware refuses,
# the client gets mainline's error that comes closest, and last/ has the details.
# SMP: 1 2 4
# SMOKE: yes
# NEEDS: CONFIG_FW_UPLOAD !CONFIG_TDX_HOST_SERVICES
. /tests/lib.sh
. /tests/mainline.sh
need_node
setup

for image in v1 v2; do
	emu_set reset 1
	td_build 1
	remaining=$(cat "$HOST/num_remaining_updates")
	expect_upload test/$image.blob '' success
	expect "what the client says" "before: 1.5.24
after: 1.5.26" "$(cat "$TMP/upload.out")"
	expect remaining_size 0 "$(cat "$NODE/remaining_size")"
	expect num_remaining_updates $((remaining - 1)) "$(cat "$HOST/num_remaining_updates")"
	expect last/from 1.5.24 "$(tdx last/from)"
	expect last/to 1.5.26 "$(tdx last/to)"
	expect last/phase 'done' "$(tdx last/phase)"
	expect updates 1 "$(emu_get state updates)"
	expect_tds_alive 1
	td_ok destroy 1
done

# A race is device-busy, and nothing else is.
emu_set reset 1
td_ok new 2
expect_upload test/v2.blob transferring:device-busy update-race
expect_match log 'update-race .*; by an upload$' "$(dmesg | grep tdx_update: | tail -n 1)"
expect last/status 0x8000051200010000 "$(tdx last/status)"
expect last/leaf TDH.SYS.SHUTDOWN "$(tdx last/leaf)"
td_ok add 2 1
td_ok finalize 2
expect_upload test/v2.blob '' success
expect_tds_alive 2
td_ok destroy 2

emu_set reset 1
td_build 1
# The firmware's own refusals.
emu_set inject TDH.SYS.SHUTDOWN any 1 SYS_BUSY
expect_upload test/v2.blob transferring:hw-error firmware-error
store "$TDX/recovery_image" test/same.blob
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000010002 0 1"
expect_upload test/b.blob transferring:hw-error recovered
expect version 1.5.24 "$(cat "$HOST/version")"
expect_tds_alive 1
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000020001 1 1"
expect_upload test/b.blob transferring:hw-error lost
with_errno cat "$HOST/version"
expect "errno of version without a module" ENXIO "$ERRNO"
td destroy all

emu_set platform remaining=0
setup_again
expect_upload test/v2.blob transferring:flash-wearout no-updates-left
