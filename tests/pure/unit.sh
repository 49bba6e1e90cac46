#!/bin/bash
# Runs the tables of image.c and plan.c in user space. Prints the rows that fail, or a line for each
# table.
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/deps.sh build
for name in image plan; do
	make -s "build/pure/${name}_test"
	ktap=$("build/pure/${name}_test") || {
		grep -E -A 1 '^not ok' <<<"$ktap"
		echo "$name.c: $(grep -c '^not ok' <<<"$ktap") rows of its table are wrong"
		exit 1
	}
	[ "$(grep -c '^ok' <<<"$ktap")" = "$(sed -n 's/^1\.\.//p' <<<"$ktap")" ] || {
		echo "$name.c: the table has stopped before its end"
		exit 1
	}
	echo "$name.c: all $(grep -c '^ok' <<<"$ktap") rows of its table hold"
done
