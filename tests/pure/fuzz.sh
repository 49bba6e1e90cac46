#!/bin/bash
# Fuzzes image.c and plan.c with libFuzzer, ASan and UBSan. The test images are the seeds.
#
#	tests/pure/fuzz.sh [SECONDS]		default: 600
#
# The first finding ends the run and is kept in build/fuzz. The corpus stays in build/fuzz/corpus.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-600}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "fuzz: SECONDS is a whole number from 1" >&2; exit 2; }

scripts/deps.sh build fuzz
make -s build/pure/fuzz build/pure/seed
tests/tools/images.sh build/images

out=build/fuzz
mkdir -p "$out/corpus" "$out/seeds"
for image in build/images/*.blob; do
	# Large images reach no new code and slow the fuzzer down.
	[ "$(stat -c %s "$image")" -gt 65536 ] ||
		build/pure/seed "$image" "$out/seeds/$(basename "$image" .blob)"
done
echo "Fuzzing for $seconds s"
log=$out/log
build/pure/fuzz -max_total_time="$seconds" -max_len=20480 -artifact_prefix="$out/" -timeout=10 \
	-print_final_stats=1 "$out/corpus" "$out/seeds" >"$log" 2>&1 || {
	grep -vE '^#[0-9]+\s' "$log" | tail -n 40
	echo "fuzz: a finding, kept in $out"
	exit 1
}
grep -E 'stat::number_of_executed_units|stat::new_units_added' "$log"
grep -E '^#[0-9]+\s+DONE' "$log"
echo "fuzz: no finding"
