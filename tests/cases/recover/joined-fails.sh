#!/bin/sh
# An update joins the install session that the update before it left open. If the call that closes
# the session fails, the image is installed in a session of its own, and the TDs live on.
# SMP: 2 4
. /tests/lib.sh
setup
last=$(($(nproc) - 1))
td_build 1

# EBADCALL at every call of one LP: that LP is never counted.
emu_set inject "SEAMLDR.INSTALL $last 1 0x8000000000000003 0 0"
expect_update test/v2.blob ESHUTDOWN shut-down
expect last/reason "an install session stays open" "$(tdx last/reason)"
expect "LPs that have called" "$last" "$(emu_get state session)"

emu_set inject clear
emu_set inject "SEAMLDR.INSTALL $last 1 0x8000000000020000 0 1"
expect_update test/a.blob 0 success
expect last/sessions 2 "$(tdx last/sessions)"
expect "open session" 0 "$(emu_get state session)"
expect_tds_alive 1
