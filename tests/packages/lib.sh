# shellcheck shell=bash
# How the parts of `make check-packages` report: sourced by them, in the tree's top directory.
# $name is whose results they are, $logs where the checks' logs go.
# shellcheck disable=SC2034,SC2154 # they are read, and these are set, where this is sourced

passed=0 failed=0 skipped=0

say() {
	echo "# $name: $*"
}

# check WHAT COMMAND...: one result. The command runs with errexit; what it did is shown if it fails.
check() {
	local what=$1 start=$SECONDS status log
	shift

	log=$logs/$1.log
	set +e
	(set -ex; "$@") >"$log" 2>&1 </dev/null
	status=$?
	set -e
	if [ "$status" = 0 ]; then
		passed=$((passed + 1))
		echo "ok - $name: $what ($((SECONDS - start)) s)"
	else
		failed=$((failed + 1))
		tail -n 40 "$log" | sed 's/^/# /'
		echo "not ok - $name: $what ($((SECONDS - start)) s, $log)"
	fi
}

skip() {
	skipped=$((skipped + 1))
	echo "ok - $name: $1 # SKIP $2"
}

# The last line of each part, which run.sh adds up.
sum() {
	say "$passed passed, $failed failed, $skipped skipped"
}

# That it fails is what has to be: errexit passes over a "!".
fails() {
	! "$@"
}
