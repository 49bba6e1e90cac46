#!/bin/bash
# `make model`: explores every order of steps of the rendezvous, for 1 to 4 LPs and all answers of the firmware,
# then rendezvous that are broken on purpose, which it has to find out. RUNS=2 makes 4 LPs run two images, not
# one; that takes minutes and gigabytes.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
model=$top/tests/model/rendezvous.pml
out=$top/build/model

"$top/scripts/deps.sh" build model
rm -rf "$out"
mkdir -p "$out"
cd "$out"

# explore LPS MUTANT RUNS: leaves spin's report in the file report.
explore() {
	spin -DN="$1" -DMUTANT="$2" -DRUNS_MAX="$3" -a "$model" >/dev/null
	# States compressed: four LPs would need gigabytes. -w: the generated code is not ours.
	gcc -w -O2 -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -DMEMLIM=8000 -o pan pan.c
	./pan -m1000000 >report 2>&1
}

for lps in 1 2 3 4; do
	runs=3
	[ "$lps" != 4 ] || runs=${RUNS:-1}
	explore "$lps" 0 "$runs"
	if ! grep -q 'errors: 0$' report || grep -qE 'max search depth too small|out of memory|aborted' report; then
		cat report
		echo "model: $lps LPs: not proved"
		exit 1
	fi
	echo "$lps LPs, up to $runs images: $(awk '/states, stored/ { print $1 }' report) states, none wrong"
done
for mutant in 1 2 3 4 5; do
	explore 3 "$mutant" 2
	if grep -q 'errors: 0$' report; then
		echo "model: mutant $mutant of the rendezvous has not been found out"
		exit 1
	fi
	echo "mutant $mutant: $(grep -oE 'assertion violated.*|invalid end state.*' report | head -n 1)"
done
