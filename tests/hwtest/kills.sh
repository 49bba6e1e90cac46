#!/bin/bash
# `make check-hwtest`: kills each stage of tdx-update-hwtest at each of its steps, in one guest. CI
# does not run it, as it takes a quarter of an hour.
#
#	TEST=part of a stage's name	KERNEL=name, see scripts/kernel.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/deps.sh build
CASES_DIR=tests/hwtest/cases OUT_DIR=build/hwtest/check CASE_TIMEOUT=900 BOOT_TIMEOUT=3600 SMP=2 \
	exec tests/vm/run.sh
