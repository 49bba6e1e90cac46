# shellcheck shell=bash
# The host's CPUs, shared among runs that boot guests side by side. A guest keeps one CPU busy. The
# pool is a FIFO with a byte for each CPU; TOKENS is its descriptor, for child processes too.

# pool_open: opens a pool unless a caller has.
pool_open() {
	local fifo

	[ -z "${TOKENS:-}" ] || return 0
	fifo=$(mktemp -u)
	mkfifo "$fifo"
	exec 6<>"$fifo"
	rm "$fifo"
	export TOKENS=6
	pool_give "$(nproc)"
}

pool_give() {
	printf "%$1s" '' >&"$TOKENS"
}

# pool_run N COMMAND...: waits for N CPUs and runs the command, in a subshell of the caller's. They
# go back however it ends. Only one process at a time may take more than one.
pool_run() {
	# Not local: the traps see them after this function has returned.
	pool_taken=0 pool_child=''
	trap '[ $pool_taken = 0 ] || pool_give $pool_taken' EXIT
	trap '[ -z "$pool_child" ] || kill "$pool_child" 2>/dev/null; exit 143' INT TERM
	while [ $pool_taken -lt "$1" ]; do
		read -rN 1 _ <&"$TOKENS"
		pool_taken=$((pool_taken + 1))
	done
	shift
	"$@" <&0 &
	pool_child=$!
	wait $pool_child
}
