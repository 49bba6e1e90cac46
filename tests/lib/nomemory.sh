# shellcheck shell=dash
# Helpers of cases that make the N-th allocation of tdx_update fail (tests/slow/tdx_nomem.c).
# Sourced after lib.sh.

NOMEM=/sys/module/tdx_nomem/parameters

# failing_begins: after setup, allow any allocation to fail. The kernel prints a backtrace for a
# failed allocation, and the judge of the console cannot tell it from others. So the console shows
# nothing until failing_ends has judged the log here.
failing_begins() {
	modprobe tdx_nomem || die "tdx_nomem does not load"
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

# failing COMMANDS: run them in a shell of their own, where they may write to $NOMEM/nth; set ERRNO
# as with_errno does. Return whether an allocation was made to fail.
failing() {
	local before after

	read -r before <$NOMEM/failed
	with_errno eval "$1"
	# The next process may get the same task_struct.
	echo 0 >$NOMEM/nth
	read -r after <$NOMEM/failed
	[ "$before" != "$after" ]
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
		failing "exec 3>$NOMEM/nth 4>$1
			echo $nth >&3; echo $2 >&4"
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

# The command that try_load runs, and how its loads ended.
INSMOD="/sbin/insmod /lib/modules/$(uname -r)/updates/tdx_update.ko signer=$(cat "$SIGNER")"
refused=0 loads=0

# try_load N [PARAMETER=VALUE]: load the module while its N-th call that allocates fails, and
# unload it. Return false if there are fewer than N. It runs kmod's insmod, because busybox's
# tries a second time in another way.
try_load() {
	local hit=0 version

	# A load makes the kernel allocate hundreds of times, for a dozen calls of tdx_update's.
	echo 1 >$NOMEM/calls
	failing "echo $1 >$NOMEM/nth; exec $INSMOD ${2:-}" || hit=1
	if loaded tdx_update; then
		loads=$((loads + 1))
		read -r version <"$TDX/version"
		expect "version after allocation $1" 1.5.24 "$version"
		rmmod tdx_update || die "tdx_update does not unload after allocation $1"
	else
		refused=$((refused + 1))
		expect_match "error after allocation $1" "[Mm]emory|ENOMEM" "$ERRNO"
	fi
	[ ! -e "$TDX" ] || die "$TDX is there after allocation $1"
	return $hit
}
