#!/bin/bash
# `make model`: explores every order of steps of the rendezvous, for 1 to 4 LPs and all answers of
# the firmware. Then it explores mutants of the rendezvous, and has to find each of them wrong.
# DEEP=1 explores one image more with three and with four LPs: many minutes and gigabytes.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
model=$top/tests/model/rendezvous.pml
out=$top/build/model

"$top/scripts/deps.sh" build model
rm -rf "$out"
mkdir -p "$out"
cd "$out"

# explore LPS MUTANT RUNS JOIN: leaves the output of spin's verifier in the file "report".
explore() {
	spin -DN="$1" -DMUTANT="$2" -DRUNS_MAX="$3" -DJOIN="$4" -a "$model" >/dev/null
	# COLLAPSE compresses states: four LPs would need gigabytes. -w: for the generated code.
	gcc -w -O2 -DSAFETY -DCOLLAPSE -DVECTORSZ=2048 -DMEMLIM=8000 -o pan pan.c
	./pan -m1000000 >report 2>&1
}

# proved LPS RUNS JOIN TEXT: explores the code's rendezvous. An error, or a search that is not
# complete, ends the script. TEXT goes into the message.
proved() {
	explore "$1" 0 "$2" "$3"
	if ! grep -q 'errors: 0$' report || grep -qE 'max search depth too small|out of memory|aborted' report; then
		cat report
		echo "model: $1 LPs: not proved"
		exit 1
	fi
	echo "$1 LPs, up to $2 images$4: $(awk '/states, stored/ { print $1 }' report) states, none wrong"
}

deep=${DEEP:+1}
for lps in 1 2 3; do
	proved $lps $((lps < 3 ? 3 : 2 + deep)) 0 ''
	proved $lps 2 1 ', a session left open before'
done
proved 4 $((1 + deep)) 0 ''
for mutant in 1 2 3 4 5 6 7; do
	explore 3 $mutant 2 $((mutant == 6))
	if grep -q 'errors: 0$' report; then
		echo "model: mutant $mutant of the rendezvous has not been found out"
		exit 1
	fi
	echo "mutant $mutant: $(grep -oE 'assertion violated.*|invalid end state.*' report | head -n 1)"
done
