#!/bin/bash
# `make oracle`: has the oracle judge the checks, on the host, and the emulator, in guests.
#
#	IMAGES=50000		generated images, each judged on 4 platforms; 0: only the emulator
#	SEQUENCES=10000		sequences, a quarter for each of 1 to 4 LPs; 0: only the checks
#	SEED=1			seed of images and sequences
#	SMP=, KERNEL=		choose the guests, as for tests/vm/run.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

seed=${SEED:-1} images=${IMAGES:-50000} sequences=${SEQUENCES:-10000} out=build/oracle

scripts/deps.sh build
if [ "$images" -gt 0 ]; then
	make -s "$out/judge"
	"$out/judge" --images "$images" --seed "$seed" | tee "$out/judge.log"
fi
[ "$sequences" -gt 0 ] || exit 0

make -s "$out/sequences" "$out/replay"
rm -rf "$out/sequences.d"
mkdir -p "$out/sequences.d"
"$out/sequences" ${SMP:+--lps "$SMP"} --count "$sequences" --seed "$seed" "$out/sequences.d"

assignments=$(scripts/kernel.sh ${KERNEL:+"$KERNEL"})
eval "$assignments"
export BUILD_ROOT MAKE_ARGS
modules=build/modules/$KVER updates=/lib/modules/$KVER/updates
scripts/modules.sh "$KDIR" "$modules" tests/emu tests/oracle/guest

guest=(
	"$modules/tests/emu/tdx_emu.ko=$updates/tdx_emu.ko"
	"$modules/tests/oracle/guest/tdx_seq.ko=$updates/tdx_seq.ko"
	"$out/replay=/sbin/tdx-seq-replay"
	"$out/sequences.d=/lib/firmware/oracle"
)
rm -rf "$out/check"
status=0
CASES_DIR=tests/oracle/cases OUT_DIR=$out/check GUEST="${guest[*]}" CASE_TIMEOUT=1800 \
	tests/vm/run.sh || status=$?
# Add up the results of all guests.
sed -n 's/^# *\([0-9]* sequences, .*\)$/\1/p' "$out"/check/*/ktap.log | tr -d '\r' | awk '
	{ print; sequences += $1; calls += $3; agree += $5 }
	END {
		share = calls ? int(10000 * agree / calls) / 100 : 0
		printf "oracle and emulator: %d sequences, %d calls, %.2f %% alike\n", sequences,
			calls, share
	}'
exit "$status"
