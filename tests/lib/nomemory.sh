# shellcheck shell=dash
# Helpers of cases that make the N-th allocation of a process fail, by /proc/self/fail-nth; sourced
# after lib.sh. Kernels that can do this start processes slowly, so the shell does itself whatever
# it can.

FAILSLAB=/sys/kernel/debug/failslab
FAIL_PAGE=/sys/kernel/debug/fail_page_alloc

# failing_begins: allow any allocation to fail. The kernel prints a backtrace for a failed
# allocation, and the judge of the console cannot tell it from others. So the console shows nothing
# until failing_ends has judged the log here.
failing_begins() {
	local dir

	[ -d $FAILSLAB ] || skip "this kernel cannot make allocations fail"
	for dir in $FAILSLAB $FAIL_PAGE; do
		[ -d "$dir" ] || continue
		echo 0 >"$dir/verbose"
		echo N >"$dir/ignore-gfp-wait"
		echo 1000000 >"$dir/times"
	done
	[ ! -d $FAIL_PAGE ] || echo 0 >$FAIL_PAGE/min-order
	mark_dmesg
	dmesg -n 1
	trap failing_finish EXIT
}

# The pattern is the one of vm/judge.sh.
failing_ends() {
	dmesg -n 7
	expect "splats" "" "$(dmesg_since_mark |
		sed '/vmalloc error\|page allocation failure/,/<\/TASK>/d' |
		grep -E 'BUG:|WARNING:|Oops|Call Trace|KASAN|lockdep|INFO: task .* blocked|rcu.*stall|general protection fault|UBSAN:|BUG kmalloc|hard LOCKUP|possible recursive locking|do not trust KVM')"
}

failing_finish() {
	local status=$?

	failing_ends
	(exit $status)
	finish
}

# failing COMMANDS: run them in a shell of their own, where they may write to /proc/self/fail-nth;
# set ERRNO as with_errno does. Return whether an allocation was made to fail.
failing() {
	local slab slab_after pages=0 pages_after=0

	read -r slab <$FAILSLAB/times
	[ ! -d $FAIL_PAGE ] || read -r pages <$FAIL_PAGE/times
	with_errno eval "$1"
	read -r slab_after <$FAILSLAB/times
	[ ! -d $FAIL_PAGE ] || read -r pages_after <$FAIL_PAGE/times
	[ "$slab $pages" != "$slab_after $pages_after" ]
}

# Print the state that a refused attempt must not change.
look() {
	local version recovery state key value module updates session

	read -r version <"$TDX/version"
	read -r recovery <"$TDX/recovery_image"
	read -r state <"$TDX/state"
	while IFS='=' read -r key value; do
		case $key in
		module) module=$value ;;
		updates) updates=$value ;;
		session) session=$value ;;
		esac
	done <"$EMU/state"
	echo "$version, recovery '$recovery', $updates updates, $state, module $module, session $session"
}

# walk FILE TEXT: write TEXT to FILE while the first allocation of this write fails, then the
# second, and so on until none is left. Each attempt has to end as no-memory with nothing changed,
# or to succeed without that allocation.
walk() {
	local nth=1 refused=0 passed=0 before

	while
		before=$(look)
		failing "exec 3>/proc/self/fail-nth 4>$1
			echo $nth >&3; echo $2 >&4; status=\$?; echo 0 >&3; exit \$status"
	do
		case $ERRNO in
		0)
			passed=$((passed + 1))
			expect_match "after allocation $nth" ", ready, module ready, session 0$" "$(look)"
			;;
		ENOMEM)
			refused=$((refused + 1))
			expect "after allocation $nth" "$before" "$(look)"
			;;
		*)
			fail "allocation $nth: $ERRNO, $(tdx last/result)"
			;;
		esac
		nth=$((nth + 1))
	done
	expect "errno of the attempt without a failure" 0 "$ERRNO"
	case $1 in
	*/update) expect last/result success "$(tdx last/result)" ;;
	*) expect last_check/result success "$(tdx last_check/result)" ;;
	esac
	note "| ${1##*/}: $nth attempts, $refused refused for lack of memory, $passed went on without it |"
	expect_ge "attempts refused" 10 $refused
}
