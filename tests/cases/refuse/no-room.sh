#!/bin/sh
# An image that needs more room than there is below P-SEAMLDR is refused before the shutdown. A near
# miss is not, because a later P-SEAMLDR may need less; nor is an image if the room is unknown.
. /tests/lib.sh
setup
td_build 1

expect_refused test/bad-room.blob ENOBUFS no-room
expect_match "reason" '^[0-9]+ KiB needed, 32768 KiB available$' "$(tdx last/reason)"
expect_tds_alive 1

# After an install the emulator shows how many pages the image needed.
expect_update test/v2.blob 0 success
expect_tds_alive 1
td destroy all
needed=$(emu_get state needed)
least=$(((needed * 100 + 100) / 101))
expect_ge "a percent of the pages" 2 $((needed - least))

emu_set platform room=$((least - 1))
reboot_firmware
td_build 1
expect_refused test/v2.blob ENOBUFS no-room
expect "reason" "$((needed * 4)) KiB needed, $((least * 4 - 4)) KiB available" "$(tdx last/reason)"
expect_tds_alive 1
emu_set msr 0x1400=gp
expect_check test/v2.blob 0 success
emu_set msr 0x1400=on
expect_refused test/v2.blob ENOBUFS no-room
td destroy all

emu_set platform room=$least
reboot_firmware
expect_check test/v2.blob 0 success
emu_set platform room="$needed"
reboot_firmware
expect_update test/v2.blob 0 success

# Twice the packages, twice the stacks.
emu_set platform sockets=2
reboot_firmware
expect_refused test/v2.blob ENOBUFS no-room
