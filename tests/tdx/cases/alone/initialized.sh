#!/bin/sh
# Linux has brought TDX up on the emulator at boot, as it does on hardware: it has configured the
# TDX module, given it a key and all memory. It is the first case of its boot: it reads what the
# emulator has counted since the kernel's start.
. /tests/lib.sh
. /tests/mainline.sh

dmesg >"$TMP/dmesg"
for line in 'private KeyID range \[32, 1024\)' 'Module version: 1\.5\.24' 'KB allocated for PAMT' \
	'TDX-Module initialized'; do
	expect_match "kernel log" "virt/tdx: .*$line" "$(cat "$TMP/dmesg")"
done
expect_no_match "kernel log" 'SEAMCALL .* failed' "$(cat "$TMP/dmesg")"
expect module ready "$(emu_get state module)"
expect lp_init "$(nproc)" "$(emu_get state lp_init)"
while read -r leaf calls; do
	expect "calls of $leaf" "$calls" "$(counter "$leaf")"
done <<-END
TDH.SYS.INIT 1
TDH.SYS.LP.INIT $(nproc)
TDH.SYS.CONFIG 1
TDH.SYS.KEY.CONFIG 1
TDH.SYS.TDMR.INIT 4
TDH.SYS.UPDATE 0
unknown 0
END
