# shellcheck shell=bash
# Checks of the tests in user space. Sourced by bash scripts, which set $subject: what their
# messages are about. With FIRST=1 the first check that fails ends the script.
# shellcheck disable=SC2154 # $subject

checks=0 wrong=0

fail() {
	echo "$subject: $*"
	wrong=$((wrong + 1))
	[ -z "${FIRST:-}" ] || exit 1
}

# expect WHAT EXPECTED SEEN
expect() {
	checks=$((checks + 1))
	[ "$2" = "$3" ] || fail "$1: expected '$2', saw '$3'"
}

# expect_match WHAT PATTERN SEEN: one line of it matches.
expect_match() {
	checks=$((checks + 1))
	grep -Eq -e "$2" <<<"$3" || fail "$1: expected a match of '$2', saw '$3'"
}

# sum_up: prints the last line of a test; fails if a check has failed.
sum_up() {
	if [ "$wrong" != 0 ]; then
		echo "$subject: $wrong of $checks checks failed"
		return 1
	fi
	echo "$subject: all $checks checks hold"
}
