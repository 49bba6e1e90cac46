#!/bin/sh
# A host of the fleet that fleet.sh updates, by what it has in store; called there by ssh.
#
#	host.sh good		TD 1 runs, and there is a newer image
#	host.sh building	and TD 2 is being built
#	host.sh built		not any more
#	host.sh refusing	no updates are left
#	host.sh breaking REST	the next install fails past the shutdown; REST, what is left:
#				handoff data, or nothing
#	host.sh tell		version, state, result of the last attempt, TD 1's measurement;
#				"-" where there is none
set -u
here=$(dirname "$0")
# shellcheck source=tests/packages/tdx.sh
. "$here/tdx.sh"

# of FILE: its text.
of() {
	text=$(cat "$1" 2>/dev/null)
	echo "${text:--}"
}

measurement() {
	# Where TDX is down it cannot be entered.
	td "enter 1" 2>/dev/null && sed -n 's/^id=1 .*verdict=\([a-z]*\).*/\1/p' $TD/tds || echo -
}

good() {
	begin "$@" && build_td 1
}

case $* in
good) good ;;
building) good && td "new 2" "add 2 1" ;;
built) td "finalize 2" ;;
refusing) good remaining=0 ;;
"breaking handoff") good && fail_install 0 ;;
"breaking nothing") good && fail_install 1 ;;
tell) echo "$(of $TDX/version) $(of $TDX/state) $(of $TDX/last/result) $(measurement)" ;;
*) echo "host.sh: not known: $*" >&2; exit 2 ;;
esac
