#!/bin/bash
# Runs the kernel's own TDX on the emulator. What `make check-tdx` is.
#
#	TEST=part of a case's FOLDER/NAME	SMP=, THREADS=, KEEP=1 as for `make check`
#
# The kernel has the emulator built in (scripts/kernel.sh --td). The cases are those of
# tests/tdx/cases, and those of tests/cases that put tdx_update beside mainline's driver.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"

KERNEL=$(scripts/kernel.sh --td)
# Modules of the kernel itself.
export KERNEL MODULES="kvm-intel tdx-host"
cases=build/tdx/cases
rm -rf "$cases"
mkdir -p "$cases"
cp -r -T tests/tdx/cases "$cases"
mkdir -p "$cases"/{mainline,tool}
for name in mainline/beside-readers mainline/beside-updates tool/beside; do
	cp "tests/cases/$name.sh" "$cases/$name.sh"
done
CASES_DIR=$cases OUT_DIR=build/check-tdx exec tests/vm/run.sh "$@"
