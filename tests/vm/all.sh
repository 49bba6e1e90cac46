#!/bin/bash
# Runs the cases on several kernels, and sums up.
#
#	tests/vm/all.sh all		every kernel that Debian packages, see scripts/kernel.sh
#	tests/vm/all.sh ci		those but two: `make check` runs the oldest, and lint builds
#					the hosts' modules for the backport. On the newest it runs
#					the cases to which the kernel makes a difference, see
#					run.sh, each once; on the others those that say "# SMOKE:
#					yes", on 2 CPUs, but none that needs the host for itself;
#					on the kernel with KASAN those that say "# SMOKE: kasan"
#	tests/vm/all.sh built		the ones with sanitizers, SMP=once
#
#	TEST=, SMP= as run.sh takes them; KERNEL= only that one
#
# As many kernels are under way as the host has CPUs, first the newest, which takes longest. Their
# guests share a pool of CPUs (pool.sh). Guests that need the host for themselves come last. Each
# line says which kernel it is about; build/check-KERNEL has its logs.
# The last line is "N passed, N failed, N skipped", of all kernels.
set -euo pipefail
cd "$(dirname "$0")/../.."

# shellcheck source=tests/vm/pool.sh
. tests/vm/pool.sh
# shellcheck source=tests/vm/sum.sh
. tests/vm/sum.sh

# The modules are built without a warning on every one of them.
export STRICT=1
case ${1:-} in
all) mapfile -t kernels < <(scripts/kernel.sh --list) ;;
ci)
	mapfile -t kernels < <(
		scripts/kernel.sh --list | tail -n +2 | grep -v -- -bpo
		scripts/kernel.sh --kasan
	)
	;;
built) mapfile -t kernels < <(scripts/kernel.sh --built) ;;
*) usage "all, ci or built?" ;;
esac
what=$1
[ "$what" != built ] || export SMP=${SMP:-once}
newest=$(scripts/kernel.sh --newest)
mapfile -t chosen < <(
	printf '%s\n' "${kernels[@]}" | grep -Fx -e "$newest"
	printf '%s\n' "${kernels[@]}" | grep -Fvx -e "$newest" | tac
)
[ -z "${KERNEL:-}" ] || mapfile -t chosen < <(printf '%s\n' "${chosen[@]}" | grep -Fx -e "$KERNEL")
# run.sh says what is wrong with TEST= and SMP=.
KERNEL='' tests/vm/run.sh --settings || { trap - EXIT; exit 2; }
[ ${#chosen[@]} -gt 0 ] || usage "no kernel ${KERNEL:-}; there are: ${kernels[*]}"

# The settings of run.sh for a kernel.
settings() {
	echo "KERNEL=$1 OUT_DIR=build/check-$1"
	case $what:$1 in
	ci:"$newest") echo "LEAN=1 SMP=once" ;;
	ci:*-kasan) echo "SMOKE=kasan SMP=2" ;;
	ci:*) echo "SMOKE=yes SMP=2" ;;
	esac
}

pool_open

declare -A sums=()	# kernel -> passed failed skipped seconds
shows=()

# start KERNEL THREADS: runs the kernel's cases of such boots in the background. Does nothing if
# there are none (run.sh --settings exits with 2). The run itself reports any other error.
start() {
	local set status=0 log=build/check-$1/$2.log

	read -rd '' -a set < <(settings "$1"; echo "THREADS=$2") || true
	[[ $2 != multi || ${set[*]} != *SMOKE* ]] || return 0
	env "${set[@]}" tests/vm/run.sh --settings 2>/dev/null || status=$?
	[ $status != 2 ] || return 0
	mkdir -p "build/check-$1"
	: >"$log"
	env "${set[@]}" tests/vm/run.sh >>"$log" 2>&1 </dev/null &
	pids[$!]="$1 $log $SECONDS"
	tail -n +1 -f --pid=$! "$log" 2>/dev/null | sed -u "s/^/$1: /" &
	shows+=($!)
}

# Adds up what a run has printed last.
ended() {
	local kernel log start status=$2 p f s had

	read -r kernel log start <<<"$1"
	read -r p _ f _ s _ < <(tail -n 1 "$log" | grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ sk') || {
		echo "$kernel: no closing line, status $status"
		p=0 f=1 s=0
	}
	[ "$status" = 0 ] || [ "$f" != 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	read -ra had <<<"${sums[$kernel]:-0 0 0 0}"
	sums[$kernel]="$((had[0] + p)) $((had[1] + f)) $((had[2] + s)) $((had[3] + SECONDS - start))"
}

for kernel in "${chosen[@]}"; do
	drain $(($(nproc) - 1))
	start "$kernel" single
done
for kernel in "${chosen[@]}"; do
	drain 0
	start "$kernel" multi
done
drain 0
wait "${shows[@]}" || true
[ ${#sums[@]} -gt 0 ] || usage "TEST=${TEST:-} SMP=${SMP:-}: no such case"

echo "---"
for kernel in "${kernels[@]}"; do
	[ -n "${sums[$kernel]:-}" ] || continue
	cases=all
	case $(settings "$kernel") in
	*SMOKE*) cases=smoke ;;
	*LEAN*) cases=lean ;;
	esac
	# shellcheck disable=SC2086 # four numbers
	printf '%-10s %-6s %4d passed %4d failed %4d skipped %5d s\n' "$kernel" $cases ${sums[$kernel]}
done
[ "$failed" = 0 ]
