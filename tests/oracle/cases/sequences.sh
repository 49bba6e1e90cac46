#!/bin/sh
# The emulator answers each call of a random sequence as the oracle does: status, outputs, and the
# buffers of SEAMLDR.INFO and SEAMLDR.SEAMINFO.
# SMP: 1 2 3 4
. /tests/lib.sh

setup_none
modprobe tdx_emu || die "tdx_emu does not load"
modprobe tdx_seq || die "tdx_seq does not load"
sequences=/lib/firmware/oracle/$(nproc).sequences
expect_ok tdx-seq-replay "$sequences"
# The last sequence may end in a call that stops its LP for good.
emu_set reset 1
expect_ok rmmod tdx_seq
