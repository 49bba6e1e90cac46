#!/bin/sh
# Clears the kernel log after the mark. A check that a message is absent would prove nothing then.
# SMP: 1
. /tests/lib.sh
mark_dmesg
dmesg -c >/dev/null
expect_no_match "what must not be there" "WARNING" "$(dmesg_since_mark)"
