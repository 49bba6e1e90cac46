#!/bin/sh
# A signal to the writer before anything was changed ends the attempt with EINTR; the next one succeeds.
. /tests/lib.sh
setup
emu_set delay SEAMLDR.INFO=2000000000

sh -c "echo test/v2.blob >$TDX/update" &
writer=$!
wait_for 5 updating || fail "the update does not begin"
kill -TERM $writer
wait $writer
expect last/result interrupted "$(tdx last/result)"
expect last/errno 4 "$(tdx last/errno)"
expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)"
expect state ready "$(tdx state)"
emu_set delay SEAMLDR.INFO=0
expect_update test/v2.blob 0 success
