#!/bin/sh
# Mainline's own driver, with the kernel's own TDX core below it, updates the TDX module on the
# emulator. So does tdx_update in the same kernel.
# SMP: 1 2 4
. /tests/lib.sh
. /tests/mainline.sh

setup_beside
expect "mainline's version" 1.5.24 "$(cat "$HOST/version")"
expect "mainline's node" "$HOST/firmware/tdx_module" "$(readlink -f "$NODE")"
td_build 1
mark_dmesg
upload test/v2.blob
expect "error of mainline's update" '' "$ERROR"
expect "what mainline's driver says then" 1.5.26 "$(cat "$HOST/version")"
expect "what the emulator says then" 1.5.26 "$(emu_get state version)"
expect "updates by then" 1 "$(emu_get state updates)"
expect_tds_alive 1

load
expect_update test/b.blob 0 success
expect "what the emulator says at last" 1.5.27 "$(emu_get state version)"
expect "updates at last" 2 "$(emu_get state updates)"
expect_tds_alive 1
expect_no_match "kernel log" 'SEAMCALL .* failed|WARNING' "$(dmesg_since_mark)"
