#!/bin/sh
# Two writers at once: one updates, the other gets EALREADY at once and does not wait.
# SMP: 2 4
. /tests/lib.sh
setup
hold SEAMLDR.INFO

update test/a.blob &
first=$!
wait_for 60 held || fail "the first update does not begin"
expect "errno of the second" EALREADY "$(update test/b.blob; echo "$ERRNO")"
expect "state meanwhile" updating "$(tdx state)"
release
wait "$first"
expect last/result success "$(tdx last/result)"
expect last/image test/a.blob "$(tdx last/image)"
expect version 1.5.25 "$(tdx version)"
expect shutdowns 1 "$(counter TDH.SYS.SHUTDOWN)"
