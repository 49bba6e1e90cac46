#!/bin/bash
# Runs the cases on several kernels, one after another, and sums up.
#
#	tests/vm/all.sh all		every kernel that Debian packages, see scripts/kernel.sh
#	tests/vm/all.sh ci		those but the oldest, which `make check` runs, and the one
#					that could host TDs: all cases on the newest, those that
#					say "# SMOKE: yes", on 2 CPUs, on the others
#	tests/vm/all.sh built		the ones with sanitizers, SMP=once
#
#	TEST=, SMP= as run.sh takes them; KERNEL= only that one
#
# The last line is "N passed, N failed, N skipped", of all of them.
set -euo pipefail
cd "$(dirname "$0")/../.."

# The modules are built without a warning on every one of them.
export STRICT=1
newest=$(scripts/kernel.sh --newest)
case ${1:-} in
all) mapfile -t kernels < <(scripts/kernel.sh --list) ;;
ci) mapfile -t kernels < <(scripts/kernel.sh --list; scripts/kernel.sh --tdx) ;;
built) mapfile -t kernels < <(scripts/kernel.sh --built) ;;
*) echo "all.sh: all, ci or built?" >&2; exit 2 ;;
esac
[ "$1" != ci ] || kernels=("${kernels[@]:1}")
[ "$1" != built ] || export SMP=${SMP:-once}

log=$(mktemp) rows=()
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0
for kernel in "${kernels[@]}"; do
	[ "${KERNEL:-$kernel}" = "$kernel" ] || continue
	settings=(KERNEL="$kernel") what=all
	if [ "$1" = ci ] && [ "$kernel" != "$newest" ]; then
		settings+=(SMOKE=1 SMP=2)
		what=smoke
	fi
	echo "--- Linux $kernel, $what"
	start=$SECONDS status=0
	env "${settings[@]}" tests/vm/run.sh 2>&1 | tee "$log" || status=$?
	read -r p _ f _ s _ < <(tail -n 1 "$log" | grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ sk') || {
		echo "all.sh: no closing line, status $status"
		p=0 f=1 s=0
	}
	[ "$status" = 0 ] || [ "$f" != 0 ] || f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	rows+=("$(printf '%-10s %-6s %4d passed %4d failed %4d skipped %5d s' \
		"$kernel" "$what" "$p" "$f" "$s" $((SECONDS - start)))")
done
[ ${#rows[@]} -gt 0 ] || {
	echo "all.sh: no kernel ${KERNEL:-}; there are: ${kernels[*]}" >&2
	exit 2
}
echo "---"
printf '%s\n' "${rows[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
