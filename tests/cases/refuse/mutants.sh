#!/bin/sh
# For each mutant of an image, check and update return what user space found by the same rules and
# another crypto library. Only mutants that the firmware itself installs reach SHUTDOWN.
# SMOKE: kasan
# KERNEL: any
. /tests/lib.sh
setup remaining=1000
td_build 1
mutants=/lib/firmware/mutants
through=0 refused=0

while read -r number ours result; do
	image=mutants/$number.blob
	# The firmware loader does not find an empty file.
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
