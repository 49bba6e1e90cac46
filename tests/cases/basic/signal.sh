#!/bin/sh
# A signal to the writer before anything was changed ends the attempt with EINTR, and the next
# attempt succeeds.
. /tests/lib.sh
setup

# The signal has to arrive while the two images are read and verified. If it is late, the update
# succeeds: try again until one is in time.
i=0
while [ $((i += 1)) -le 30 ]; do
	emu_set reset 1
	store "$TDX/recovery_image" test/same.blob
	sh -c "echo test/pages-496.blob >$TDX/update" &
	writer=$!
	wait_for 1 updating
	kill -TERM $writer 2>/dev/null
	wait $writer
	[ "$(tdx last/result)" = success ] || break
done
note "in attempt $i"
expect last/result interrupted "$(tdx last/result)"
expect last/errno 4 "$(tdx last/errno)"
expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)"
expect state ready "$(tdx state)"
expect_update test/v2.blob 0 success
