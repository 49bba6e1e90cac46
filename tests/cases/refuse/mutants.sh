#!/bin/sh
# Changed images: check and update say of each what user space says by the same rules and another
# library; none reaches SHUTDOWN but those that the firmware, given them directly, installs.
. /tests/lib.sh
setup remaining=1000
td_build 1
mutants=/lib/firmware/mutants
through=0 refused=0

while read -r number ours result; do
	image=mutants/$number.blob
	# Where there is nothing left there is nothing to find.
	[ -s "$mutants/$number.blob" ] || { ours=ENOENT result=no-image; }
	check "$image"
	expect "errno of check of mutant $number" "$ours" "$ERRNO"
	[ "$ERRNO" = "$ours" ] || note "$(dmesg | tail -n 1)"
	update "$image"
	expect "errno of update of mutant $number" "$ours" "$ERRNO"
	read -r seen <"$TDX/last/result"
	expect "last/result of mutant $number" "$result" "$seen"
	case $ours in
	0) through=$((through + 1)) ;;
	*) refused=$((refused + 1)) ;;
	esac
done <"$mutants/expected"

note "$refused refused, $through let through"
expect "mutants" 500 $((refused + through))
expect_ge "let through" 1 $through
expect "shutdowns" $through "$(counter TDH.SYS.SHUTDOWN)"
expect_tds_alive 1
td destroy all
grep ' 0 success$' "$mutants/expected" >"$TMP/through"
while read -r number _; do
	emu_set reset 1
	td install "mutants/$number.blob"
	expect "errno of the firmware for mutant $number" 0 "$ERRNO"
done <"$TMP/through"
