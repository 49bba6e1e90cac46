#!/bin/sh
# One command sets the emulator from a report, so that what hardware did becomes a test here. Both
# reports are made up. The one has a status that no specification has, the other an older loader.
# KERNEL: any
. /tests/lib.sh
. /tests/hwtest.sh
. /tests/firmware.sh
setup
reports=/tests/hwtest/reports

emulate_report $reports/two-sockets.json
# file, value
while read -r file value; do
	expect "$file" "$value" "$(tdx "$file")"
done <<END
version 2.0.16
features0 0x0004800000040002
race_protection supported
seamldr_version 2.0.14
num_remaining_updates 60
END
expect "sockets" 2 "$(emu_get platform sockets)"
expect "VMCSs kept" 0 "$(emu_get platform erratum)"
expect "time of SEAMLDR.INFO" 41000 "$(emu_get delay SEAMLDR.INFO)"
call 0 TDH.SYS.SHUTDOWN 0x10000
expect "status of the shutdown" 0x8000051200010007 "$(answer rax)"
call 0 TDH.SYS.SHUTDOWN 0x10000
expect "status of the next shutdown" 0x0 "$(answer rax)"

emulate_report $reports/older.json
expect version 1.5.16 "$(tdx version)"
expect race_protection unsupported "$(tdx race_protection)"
expect num_remaining_updates 3 "$(tdx num_remaining_updates)"
expect "debug build" "1 1" "$(emu_get platform debug) $(emu_get platform unlocked)"

hwtest 0 compare $reports/older.json
expect_match "what differs" '^info\.num_remaining_updates: emulator 20, report 3$' "$OUT"
expect_match "what is contradicted" '^info-features0: docs/firmware.md, SEAMLDR.INFO: ' "$OUT"
hwtest 64 compare /tests/hwtest/lib/emulator.json
