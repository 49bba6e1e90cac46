#!/bin/sh
# Passes: every comparison holds.
# SMP: 1 2
. /tests/lib.sh
setup_none

expect "equal" "a b" "a b"
expect_not "different" a b
expect_ge "at least" 2 3
expect_le "at most" 3 2
expect_match "pattern" "^b+$" "a
bb"
expect_no_match "pattern" "^b$" bb
expect_ok true
expect_fails false
store /proc/version x
expect "errno of a write" EIO "$ERRNO"
store /nowhere/file x
expect "errno of an open" ENOENT "$ERRNO"
store /dev/null -n
expect "success" 0 "$ERRNO"
echo data >"$TMP/data"
store_file /dev/full "$TMP/data"
expect "errno of a file's write" ENOSPC "$ERRNO"
for word in $(printf '%s\n' "$ERRNO_TABLE" | cut -d ' ' -f 1); do
	expect_match "errno name" "^E[A-Z0-9]+$" "$word"
done

mark_dmesg
echo "heard" >/dev/kmsg
expect_match "kernel log" "heard$" "$(dmesg_since_mark)"
uevents_start
echo "change 11111111-1111-1111-1111-111111111111 CASE=1" >/sys/devices/virtual/mem/zero/uevent
uevents_stop
expect_match "uevent" "^DEVPATH=/devices/virtual/mem/zero$" "$(uevents)"
expect_no_match "uevent of others" "mem/null" "$(uevents)"
expect "user" 65534 "$(unprivileged 'id -u')"
expect_fails unprivileged 'echo 1 >/proc/sys/vm/drop_caches'
