#!/bin/bash
# `make coverage`: runs the cases on a kernel with gcov, and prints which lines of src/ no case
# reaches.
#
#	TEST=, SMP=	as tests/vm/run.sh takes them, but SMP=once by default
#
# tests/coverage/unreached has the reason for each line that no case reaches. The run fails if a
# case fails, if a line has no reason, or if a row of that table is out of date. With TEST= it shows
# what the chosen cases do not reach.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"

KERNEL=$(scripts/kernel.sh --gcov)
out=build/coverage
export KERNEL SMP=${SMP:-once} OUT_DIR=$out/boots
tests/vm/run.sh --settings
mkdir -p "$out"
exec 9>"$out/.lock"
flock -n 9 || { echo "Waiting for another run in this tree to end"; flock 9; }

# Counts of an earlier run must not be among those of this one.
rm -rf "$OUT_DIR"
status=0
tests/vm/run.sh 9>&- || status=1
assignments=$(scripts/kernel.sh "$KERNEL")
eval "$assignments"
export BUILD_ROOT
tests/coverage/report.sh "$OUT_DIR" "build/modules/$KVER/src" || status=1
exit $status
