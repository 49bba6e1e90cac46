#!/bin/bash
# `make model`: goes through every order of steps of the rendezvous, 1 to 4 LPs, all answers of the firmware;
# then through rendezvous that are broken on purpose, which have to be found out.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
model=$top/tests/model/rendezvous.pml
out=$top/build/model

"$top/scripts/deps.sh" build model
rm -rf "$out"
mkdir -p "$out"
cd "$out"

# explore LPS MUTANT: leaves spin's report in the file report.
explore() {
	spin -DN="$1" -DMUTANT="$2" -a "$model" >/dev/null
	# States compressed: four LPs would need gigabytes. -w: the generated code is not ours.
	gcc -w -O2 -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -DMEMLIM=8000 -o pan pan.c
	./pan -m1000000 >report 2>&1
}

for lps in 1 2 3 4; do
	explore "$lps" 0
	if ! grep -q 'errors: 0$' report || grep -qE 'max search depth too small|out of memory|aborted' report; then
		cat report
		echo "model: $lps LPs: not proved"
		exit 1
	fi
	echo "$lps LPs: $(awk '/states, stored/ { print $1 }' report) states, none wrong"
done
for mutant in 1 2 3 4; do
	explore 3 "$mutant"
	if grep -q 'errors: 0$' report; then
		echo "model: mutant $mutant of the rendezvous has not been found out"
		exit 1
	fi
	echo "mutant $mutant: $(grep -oE 'assertion violated.*|invalid end state.*' report | head -n 1)"
done
