#!/bin/sh
# The stage race of tdx-update-hwtest, killed at each of its steps, leaves nothing that the next
# command does not put back, its report names the step, and it can be repeated to its end.
. /tests/lib.sh
. /tests/hwtest.sh
. /tests/hwtest-kills.sh
setup cpu=0x806F8 remaining=10000
some_images same
td_load

kill_each_step race
