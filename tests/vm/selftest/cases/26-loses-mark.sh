#!/bin/sh
# The kernel log is cleared after the mark: what must not be there since then cannot be looked for.
# SMP: 1
. /tests/lib.sh
mark_dmesg
dmesg -c >/dev/null
expect_no_match "what must not be there" "WARNING" "$(dmesg_since_mark)"
