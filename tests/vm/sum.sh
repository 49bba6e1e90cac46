# shellcheck shell=bash
# What scripts have in common that run cases and add them up: sourced first, from the top of the
# tree. However the script ends, its last line is "N passed, N failed, N skipped".
#
# The script adds to passed, failed and skipped. The keys of pids are processes to end with it.

passed=0 failed=0 skipped=0 pids=()

finish() {
	local status=$?

	trap - EXIT
	[ ${#pids[@]} -eq 0 ] || kill "${!pids[@]}" 2>/dev/null || true
	if [ "$status" != 0 ] && [ "$failed" = 0 ]; then
		echo "The run ended before it was through, status $status."
		failed=1
	elif [ "$passed" = 0 ] && [ "$failed" = 0 ]; then
		echo "Nothing has passed, so nothing has been shown."
		status=1
	fi
	echo "$passed passed, $failed failed, $skipped skipped"
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# usage TEXT: a setting that makes no sense, before anything has run.
usage() {
	trap - EXIT
	echo "${0##*/}: $*" >&2
	exit 2
}

# run_alone DIR: one run at a time writes to that directory; a second one waits.
run_alone() {
	mkdir -p "$1"
	exec 8>"$1/.lock"
	flock -n 8 || { echo "Waiting for another run in this tree to end"; flock 8; }
}
