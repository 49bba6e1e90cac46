# shellcheck shell=dash
# What cases have in common that make allocations fail, on kernels that can: the N-th of a process,
# by /proc/self/fail-nth. Sourced by them after lib.sh. In the shell alone where it can be: on
# kernels that can, processes are slow to start.

FAILSLAB=/sys/kernel/debug/failslab
FAIL_PAGE=/sys/kernel/debug/fail_page_alloc

# failing_begins: any allocation may be made to fail. What is out of memory says so with a
# backtrace, which the judge of the console could not tell from others: so nothing is shown there
# until failing_ends() has judged it here.
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

# The pattern is that of the judge, vm/judge.sh.
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

# failing COMMANDS: in a shell of their own, which may make an allocation of its own fail by writing
# to /proc/self/fail-nth; ERRNO as with_errno leaves it. False: none has failed.
failing() {
	local slab slab_after pages=0 pages_after=0

	read -r slab <$FAILSLAB/times
	[ ! -d $FAIL_PAGE ] || read -r pages <$FAIL_PAGE/times
	with_errno eval "$1"
	read -r slab_after <$FAILSLAB/times
	[ ! -d $FAIL_PAGE ] || read -r pages_after <$FAIL_PAGE/times
	[ "$slab $pages" != "$slab_after $pages_after" ]
}

# What an attempt that was refused has to leave as it was.
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

# walk FILE TEXT: writes TEXT to FILE with the first allocation that this makes failing, then the
# second, until there are no more. Each ends as no-memory with nothing changed, or goes on without.
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
	expect last/result success "$(tdx last/result)"
	note "| ${1##*/}: $nth attempts, $refused refused for lack of memory, $passed went on without it |"
	expect_ge "attempts refused" 10 $refused
}
