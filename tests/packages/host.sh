#!/bin/sh
# Prepares a host of the fleet and prints its state. fleet.sh runs this on the host by SSH.
#
#	host.sh good		TD 1 runs, and the next update will succeed
#	host.sh building	as good, and TD 2 is being built
#	host.sh built		TD 2 is finished
#	host.sh refusing	as good, but no updates are left
#	host.sh breaking REST	as good, but the next install fails past the shutdown and leaves
#				the handoff data (REST: handoff) or nothing (nothing)
#	host.sh tell		prints version, state, result of the last attempt and verdict on
#				TD 1's measurement; "-" for what cannot be read
set -u
here=$(dirname "$0")
# shellcheck source=tests/packages/tdx.sh
. "$here/tdx.sh"

# of FILE: prints the file's text, or "-".
of() {
	text=$(cat "$1" 2>/dev/null)
	echo "${text:--}"
}

measurement() {
	# The TD cannot be entered while TDX is down.
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
