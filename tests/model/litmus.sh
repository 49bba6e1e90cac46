#!/bin/bash
# Checks the hand-overs of the rendezvous with herd7, under the kernel's memory model and under
# x86-TSO. Part of `make model`.
#
# Each file of litmus/ asks whether a CPU can miss what another CPU wrote before a hand-over. The
# answer has to be never. The lines "install.c: TEXT" in a file name the code that it models, and
# src/install.c has to have that code. If any one barrier is weakened, the kernel's model has to
# answer that a CPU can miss it.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
litmus=$top/tests/model/litmus
out=$top/build/model/litmus
root=$("$top/scripts/root.sh" sid herdtools7)
model=(tools/memory-model/{linux-kernel.{bell,cat,cfg,def},lock.cat})

# Weakens a barrier, as commands of sed. A litmus test has only barriers that its answer depends on.
weaker='
s/smp_store_release(\([a-z]*\), 1)/WRITE_ONCE(*\1, 1)/
s/smp_load_acquire(/READ_ONCE(*/
s/atomic_read_acquire(/atomic_read(/
/smp_mb__before_atomic();/d
'

die() {
	echo "model: $*" >&2
	exit 1
}

# herd OPTIONS FILE: prints how often the bad outcome is seen: Never, Sometimes, Always.
herd() {
	# shellcheck disable=SC2016 # the inner shell's
	"$top/scripts/root.sh" --in "$root" sh -c 'cd "$1" && shift && herd7 "$@"' - "$out/lkmm" "$@" |
		sed -n 's/^Observation [^ ]* \([A-Z][a-z]*\) .*/\1/p'
}

lkmm() {
	herd -conf linux-kernel.cfg "$1"
}

mkdir -p "$out"
"$top/scripts/source.sh" "$("$top/scripts/kernel.sh" --newest)" "$out/lkmm" "${model[@]}"
weakened=0
for file in "$litmus"/*.litmus; do
	name=$(basename "$file" .litmus)
	sed -n 's/^ \* install\.c: //p' "$file" >"$out/code"
	while IFS= read -r line; do
		grep -qF "$line" "$top/src/install.c" || die "$name: install.c has no '$line'"
	done <"$out/code"

	if [[ $name == *-x86 ]]; then
		seen=$(herd -model x86tso-mixed.cat "$file")
	else
		seen=$(lkmm "$file")
	fi
	[ "$seen" = Never ] || die "$name: a CPU can miss what it must see: ${seen:-no answer}"
	[[ $name != *-x86 ]] || continue

	while IFS= read -r change; do
		[ -n "$change" ] || continue
		# Change one line of the code at a time. Most commands do not apply to a line.
		# shellcheck disable=SC2013 # numbers
		for line in $(sed -n '/^P0/,$=' "$file"); do
			sed "$line{$change}" "$file" >"$out/weak.litmus"
			! cmp -s "$file" "$out/weak.litmus" || continue
			seen=$(lkmm "$out/weak.litmus")
			[ "$seen" = Sometimes ] ||
				die "$name, line $line: not needed, or not tested: ${seen:-no answer}"
			weakened=$((weakened + 1))
		done
	done <<<"$weaker"
done
echo "hand-overs: never wrong in $(find "$litmus" -name '*.litmus' | wc -l) litmus tests; wrong in all" \
	"$weakened with one barrier weakened"
