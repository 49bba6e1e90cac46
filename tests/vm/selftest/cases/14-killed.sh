#!/bin/sh
# Dies in the middle without a chance to say so.
# SMP: 1
. /tests/lib.sh
kill -KILL $$
