#!/bin/bash
# `make proof`: CBMC proves what image.c and plan.c let through. The proofs of mutants of both have
# to fail.
#
#	tests/proof/run.sh [PROOF]	everything, or one proof and no mutants
#	MUTANTS=all			every mutant, not only the quick ones
#
# A proof is a function of image_proof.c or plan_proof.c. Loops are unwound to their end, which
# --unwinding-assertions proves; the loop of checksum() is proved by induction. Logs stay in
# build/proof.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
out=build/proof

# proof, file, value of --unwind, solver, functions of the file that proof_*() replace
proofs='
any_container	image	4097	minisat	checksum
one_page	image	4097	minisat	checksum
odd_size	image	4097	minisat	checksum
any_checksum	image	3	cadical
any_plan	plan	256	cadical	table_has has_room pages_needed
right_table	plan	256	cadical
right_room	plan	2	z3
right_pages	plan	2	z3	page_tables
right_tables	plan	2	cadical
any_lps	plan	2	cadical
'

# proof that has to fail, whether it is quick, sed command that makes the mutant
mutants='
any_checksum	quick	s/blob\[i + 1\]/blob[i + 2]/
any_checksum	quick	s/i < size; i += 2/i <= size; i += 2/
any_checksum	quick	s/blob\[i + 1\] << 8/blob[i + 1]/
any_container	slow	s/size > TDXU_IMAGE_MAX_SIZE/size > TDXU_IMAGE_MAX_SIZE + TDX_PAGE_SIZE/
any_container	slow	s/blob->length != size/blob->length > size/
one_page	slow	s/1 + layout->sigstruct_pages + /1 + (u32)layout->sigstruct_pages + (u32)/
any_container	slow	s/cpuid_table_size > SEAM/cpuid_table_size > 1 + SEAM/
any_container	slow	s/min_update_hv > sig->module_hv/min_update_hv >= sig->module_hv/
any_container	slow	s/ || sig->reserved2)/)/
any_container	slow	s/if (checksum(blob, size))/if (0)/
any_container	slow	s/!sig->gdt_idt_offset != !sig/sig->gdt_idt_offset \&\& !sig/
right_table	quick	s/i < sig->cpuid_table_size; i++/i <= sig->cpuid_table_size; i++/
right_table	slow	s/~SEAM_SIGSTRUCT_CPUID_STEPPING) == kind/~0xffu) == kind/
right_room	quick	s/TDX_PAGE_SIZE \* 101/TDX_PAGE_SIZE * 102/
right_pages	quick	s/num_tls_pages + 1/num_tls_pages/
right_tables	quick	s/(entries + 511)/(entries + 510)/
any_plan	quick	s/svn_minor < platform/svn_minor + 1 < platform/
any_plan	slow	s/gdt_idt_offset <= size - TDX_PAGE_SIZE/gdt_idt_offset <= size/
any_plan	slow	s/lowest <= handoff->highest/lowest < handoff->highest/
any_plan	slow	s/num_handoff_pages < handoff->pages/num_handoff_pages + 1 < handoff->pages/
any_plan	slow	s/^\thandoff->pages = sig/\tif (0) handoff->pages = sig/
any_plan	slow	s/module->no_downgrade \&\& lowest/lowest/
any_plan	slow	s/i < platform->num_cpu_kinds; i++/i <= platform->num_cpu_kinds; i++/
any_plan	slow	s/num_cpu_kinds; i++/num_cpu_kinds - 1; i++/
any_plan	slow	s/!check->signature_good/0/
any_plan	slow	s/rejects_races = features0/rejects_races = 2 * features0/
any_plan	slow	s/loader->minor == 5 \&\& loader->update/loader->minor == 5/
any_plan	slow	s/installed->min_update_hv/installed->module_hv/
any_plan	slow	s/debug == TDXU_DEBUG_UNKNOWN/debug != TDXU_DEBUG_UNLOCKED/
'

root=$(scripts/root.sh trixie proof)
there() {
	scripts/root.sh --in "$root" "$@"
}

# sources PROOF FILE CHANGE: copy the file to build/proof/PROOF, changed by sed.
sources() {
	local dir=$out/$1 file=$2.c

	rm -rf "$dir"
	mkdir -p "$dir"
	sed "$3" "src/$file" >"$dir/$file"
	if [ -n "$3" ] && cmp -s "src/$file" "$dir/$file"; then
		echo "proof: '$3' changes nothing in src/$file" >&2
		exit 1
	fi
	[ "$1" = any_checksum ] || return 0
	# Add the loop's invariant and the step of the induction.
	sed -i 's/^\tfor (i = 0; .*)$/&\n__CPROVER_loop_invariant(INVARIANT)/
		s/INVARIANT/i % 2 == 0 \&\& i <= size \&\& sum == sums[i]/
		s/^\t\tsum += /\t\tnext_word(blob, i), sum += /' "$dir/$file"
}

# prove PROOF CHANGE [OPTION...]: return 0 if it holds, 10 if it does not.
prove() {
	local dir=$out/$1 proof=$1 change=$2 file harness turns solver replaced function
	local changes=() options=()
	shift 2

	IFS=$'\t' read -r file turns solver replaced < <(sed -n "s/^$proof\t\t*//p" <<<"$proofs")
	sources "$proof" "$file" "$change"
	harness=${file}_proof
	there goto-cc -I"$dir" -Itests/proof -Iinclude --function "$proof" \
		-o "$dir/model" "tests/proof/$harness.c" >"$dir/log" 2>&1 || return
	for function in $replaced; do
		changes+=(--replace-calls "$function:proof_$function")
	done
	options=(--unwind "$turns" --unwinding-assertions --pointer-overflow-check
		--signed-overflow-check --enum-range-check)
	[ "$proof" != any_checksum ] || changes+=(--dfcc "$proof" --apply-loop-contracts)
	case $proof in
	# The sum is meant to wrap. any_lps() proves that the number of pages does not.
	any_checksum | right_pages) ;;
	*) options+=(--unsigned-overflow-check --conversion-check) ;;
	esac
	# Symbolic execution does not see this bound: a machine has at most 8 packages.
	[ "$proof" != any_plan ] || options+=(--unwindset find_missing_cpu.0:9)
	case $solver in
	z3) options+=(--z3) ;;
	minisat) ;;	# its own
	*) options+=(--external-sat-solver "$solver") ;;
	esac
	if [ ${#changes[@]} -gt 0 ]; then
		there goto-instrument "${changes[@]}" "$dir/model" "$dir/changed" \
			>>"$dir/log" 2>&1 || return
		mv "$dir/changed" "$dir/model"
	fi
	there cbmc "$dir/model" "${options[@]}" "$@" >>"$dir/log" 2>&1
}

names=$(awk 'NF { print $1 }' <<<"$proofs")
[ $# -eq 0 ] || names=$1
begin=$SECONDS
for name in $names; do
	start=$SECONDS status=0
	prove "$name" '' || status=$?
	if [ "$status" != 0 ] || ! grep -qx 'VERIFICATION SUCCESSFUL' "$out/$name/log"; then
		grep -E ': FAILURE$|rror' "$out/$name/log" || tail -n 20 "$out/$name/log"
		echo "proof: $name does not hold, status $status; all of it: $out/$name/log"
		exit 1
	fi
	echo "$name holds ($((SECONDS - start)) s)"
done
[ $# -eq 0 ] || exit 0

found=0
while IFS=$'\t' read -r name speed change; do
	[ -n "$name" ] || continue
	[ "$speed" = quick ] || [ "${MUTANTS:-}" = all ] || continue
	status=0
	prove "$name" "$change" --stop-on-fail || status=$?
	if [ "$status" != 10 ]; then
		echo "proof: $name does not find out '$change', status $status: $out/$name/log"
		exit 1
	fi
	found=$((found + 1))
	echo "mutant $change: $(sed -n '/^Violated property/,$ { /^  file/ { n; s/^ *//p } }' \
		"$out/$name/log" | head -n 1)"
done <<<"$mutants"
echo "proof: image.c and plan.c hold, $found mutants found out, in $((SECONDS - begin)) s"
