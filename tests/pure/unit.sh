#!/bin/bash
# Runs the table of plan.c in user space; shows what is not as it must be, else one line.
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/deps.sh build
make -s build/pure/plan_test
ktap=$(build/pure/plan_test) || {
	grep -E -A 1 '^not ok' <<<"$ktap"
	echo "plan.c: $(grep -c '^not ok' <<<"$ktap") rows of its table are wrong"
	exit 1
}
[ "$(grep -c '^ok' <<<"$ktap")" = "$(sed -n 's/^1\.\.//p' <<<"$ktap")" ] || {
	echo "plan.c: the table has stopped before its end"
	exit 1
}
echo "plan.c: all $(grep -c '^ok' <<<"$ktap") rows of its table hold"
