#!/bin/bash
# `make soak MINUTES=n`: runs the soak in a guest of 4 and a guest of 8 CPUs, n minutes each.
set -euo pipefail
cd "$(dirname "$0")/../.."
minutes=${1:-30}
[[ $minutes =~ ^[1-9][0-9]*$ ]] || {
	echo "soak: MINUTES is a whole number from 1" >&2
	exit 2
}

cases=build/soak/cases
rm -rf "$cases"
mkdir -p "$cases"
cp tests/soak/soak.sh "$cases/"
echo "$minutes" >"$cases/minutes"
echo "For $minutes minutes; each boot's console.log under build/soak/run tells how far it is"
CASES_DIR=$cases OUT_DIR=build/soak/run CASE_TIMEOUT=$((minutes * 60 + 180)) tests/vm/run.sh
