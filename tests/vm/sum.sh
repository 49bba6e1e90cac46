# shellcheck shell=bash
# For scripts that run cases and add up the results. They source it first, from the top of the tree.
# However such a script ends, its last line is "N passed, N failed, N skipped".
#
# The script adds to passed, failed and skipped. The processes whose IDs are the keys of pids are
# killed when the script ends.

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

# usage TEXT: rejects a setting before anything has run, so without the closing line.
usage() {
	trap - EXIT
	echo "${0##*/}: $*" >&2
	exit 2
}

# drain N: waits until at most N of the processes in pids run. Calls "ended VALUE STATUS" for each
# that ends, with its value in pids and its exit status; ended is the script's.
drain() {
	local pid value status

	while [ ${#pids[@]} -gt "$1" ]; do
		status=0
		wait -n -p pid "${!pids[@]}" || status=$?
		value=${pids[$pid]}
		unset "pids[$pid]"
		ended "$value" "$status"
	done
}

# run_alone DIR: only one run at a time may write to DIR; a second one waits.
run_alone() {
	mkdir -p "$1"
	exec 8>"$1/.lock"
	flock -n 8 || { echo "Waiting for another run in this tree to end"; flock 8; }
}
