#!/bin/sh
# Runs in the guest. Tries the mutations of /mutate/list in turn, each with its cases until one
# fails. A line of the list has the mutation's number, the file that it replaces, and the cases.
# /mutate/NUMBER is the replacement.
#
# A failing case proves nothing if it also fails without the mutation, for example because an
# earlier mutation has damaged this guest. So after a mutation was found, a control runs without it
# and must pass: the case that failed if it has not been a control yet, else a short case. If the
# control fails, the guest prints "sick" and ends, and run.sh tries the mutation in a guest of its
# own. There all its cases run without the mutation first. The guest also ends after a mutation
# whose modules cannot be unloaded.
healthy=' '
short=basic/same-version
export FAIL_FAST=1

# run_case CASE: runs it and prints its KTAP. Fails if the case fails or is skipped.
run_case() {
	sh /tests/run "$1" >/tmp/ktap 2>&1
	cat /tmp/ktap
	grep -q '^ok 1 ' /tmp/ktap && ! grep -qE '^Bail out!|^ok .* # SKIP' /tmp/ktap
}

alone=''
[ "$(wc -l </mutate/list)" != 1 ] || alone=yes
while read -r number target cases <&9; do
	if [ "$alone" ]; then
		for case in $cases; do
			run_case "$case" >/dev/null || echo "sick $number"
		done
	fi
	echo "mutation $number"
	echo "<6>mutate: begin $number" >/dev/kmsg
	[ -e "/original$target" ] || {
		mkdir -p "/original${target%/*}"
		cp "$target" "/original$target"
	}
	cp "/mutate/$number" "$target"
	failed=''
	for case in $cases; do
		run_case "$case" || { failed=$case; break; }
	done
	cp "/original$target" "$target"
	echo "<6>mutate: end $number" >/dev/kmsg
	echo "end $number ${failed:-survived}"
	if [ -z "$failed" ] || [ "$alone" ]; then
		continue
	fi
	! grep -q '^Bail out!' /tmp/ktap || break
	case $healthy in
	*" $failed "*) control=$short ;;
	*) control=$failed ;;
	esac
	run_case "$control" >/dev/null || { echo "sick $number"; break; }
	healthy="$healthy$control "
done 9</mutate/list
