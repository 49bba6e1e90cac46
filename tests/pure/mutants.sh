#!/bin/bash
# Makes mutants of two test images, one of each container version, and checks all of them in user
# space. Keeps a sample with its expected results for the guest in build/mutants.
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/deps.sh build
make -s build/pure/mutants
tests/tools/images.sh build/images

out=build/mutants
rm -rf "$out"
mkdir -p "$out"
build/pure/mutants --signer "$(cat build/images/signer)" --sample 500 "$out" \
	build/images/mutant-v1.blob build/images/mutant-v2.blob | tee "$out/summary"
touch "$out/made"
