#!/bin/sh
# In the guest: tries the mutations listed in /mutate/list, one after another, each with its cases
# until one fails. A line of the list: number, file to be replaced, cases. /mutate/NUMBER is what
# it is replaced by.
#
# What a mutation leaves behind must not be taken for the next one's fault, nor a case that fails
# anyway for a test that works. So after one that was found something without a mutation has to
# pass: the first time the case that failed, else a short one. If it does not, this guest ends
# there ("sick"), and the mutation gets a guest of its own, in which its cases come first without
# it. A mutation whose modules cannot be unloaded is the last one here, too.
healthy=' '
short=basic/same-version
export FAIL_FAST=1

# run_case CASE: prints its KTAP. Fails if the case does, or is skipped.
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
