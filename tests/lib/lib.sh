# shellcheck shell=dash
# Helpers of all test cases: every file in /tests/cases sources this first, in the guest.
#
# They load and unload the modules, read and write their files, and compare. Standard output and
# error become KTAP diagnostics. /tests/run starts the case and reports its one result line.

TDX=/sys/firmware/tdx
EMU=/sys/kernel/debug/tdx_emu
TD=/sys/kernel/debug/tdx_td
SIGNER=/lib/firmware/test/signer	# SHA-384 of the modulus of the test images' key

# A directory for the case's files, new for each case. It also has the files that run reads:
# failures (one a line), skip (the reason), ended (the case ran to its end), finished (the case was
# cleaned up).
TMP=${CASE_TMP:-/tmp}

# busybox's shell prefers its own applets to files, but hosts have the modprobe of kmod.
modprobe() { /sbin/modprobe "$@"; }
insmod() { /sbin/insmod "$@"; }
rmmod() { /sbin/rmmod "$@"; }
modinfo() { /sbin/modinfo "$@"; }

# --- verdicts -------------------------------------------------------------------------------------

# Write a remark to the log.
note() {
	echo "$*"
}

# Record a failure. The case goes on, so that one run shows everything that is wrong. FAIL_FAST=1
# ends it here.
fail() {
	echo "$*"
	echo "$*" >>"$TMP/failures"
	[ -z "${FAIL_FAST:-}" ] || {
		: >"$TMP/ended"
		exit 1
	}
}

# End the case, because the kernel lacks what it needs. A skip never counts as a pass.
skip() {
	echo "$*" >"$TMP/skip"
	exit 0
}

# End the case as failed, where going on would only hide the cause.
die() {
	fail "$*"
	: >"$TMP/ended"
	exit 1
}

expect() {
	[ "$3" = "$2" ] || fail "$1: expected '$2', saw '$3'"
}

expect_not() {
	[ "$3" != "$2" ] || fail "$1: expected anything but '$2'"
}

expect_ge() {
	[ "$3" -ge "$2" ] 2>/dev/null || fail "$1: expected at least $2, saw '$3'"
}

expect_le() {
	[ "$3" -le "$2" ] 2>/dev/null || fail "$1: expected at most $2, saw '$3'"
}

# The pattern is an extended regular expression that has to match a line of what was seen.
expect_match() {
	printf '%s\n' "$3" | grep -Eq -e "$2" || fail "$1: expected a match of '$2', saw '$3'"
}

expect_no_match() {
	! printf '%s\n' "$3" | grep -Eq -e "$2" || fail "$1: expected no match of '$2', saw '$3'"
}

# Run a command that has to succeed.
expect_ok() {
	"$@" || fail "$*: expected success, exit status $?"
}

# Run a command that has to fail. Its output becomes a diagnostic.
expect_fails() {
	! "$@" || fail "$*: expected a failure, it succeeded"
}

# wait_for SECONDS CMD...: repeat the command until it succeeds. Return 1 when the time is up,
# without recording a failure.
wait_for() {
	local end
	end=$(($(uptime_s) + $1))
	shift
	until "$@"; do
		[ "$(uptime_s)" -lt "$end" ] || return 1
		usleep 20000
	done
}

# on_cpu PID CPU: return whether the process runs on that CPU or is runnable there.
on_cpu() {
	local stat
	read -r stat <"/proc/$1/stat" || return 1
	# shellcheck disable=SC2086 # fields, from the third on
	set -- $2 ${stat##*) }
	[ "$2 ${38}" = "R $1" ]
}

uptime_s() {
	local up rest
	read -r up rest </proc/uptime
	echo "${up%.*}"
}

# --- error numbers --------------------------------------------------------------------------------

# Maps libc's messages to errno names: a shell shows an errno only as a message.
ERRNO_TABLE='EPERM Operation not permitted
ENOENT No such file or directory
ENOENT nonexistent directory
EINTR Interrupted system call
EIO Input/output error
ENXIO No such device or address
ENOMEM Cannot allocate memory
EACCES Permission denied
EBUSY Device or resource busy
EEXIST File exists
EXDEV Invalid cross-device link
ENODEV No such device
EINVAL Invalid argument
EFBIG File too large
ENOSPC No space left on device
EPROTO Protocol error
EBADMSG Bad message
ENOPKG Package not installed
EOPNOTSUPP Operation not supported
EALREADY Operation already in progress
EHOSTDOWN Host is down
ESTALE Stale file handle
ECANCELED Operation canceled
EKEYREJECTED Key was rejected by service
ENOTRECOVERABLE State not recoverable
ESHUTDOWN Cannot send after transport endpoint shutdown
ENOBUFS No buffer space available
ENOPKG Package not installed
ENAMETOOLONG File name too long
E2BIG Argument list too long'

# Print the name of the errno for a message that ends as libc has it. Print the message itself if it
# ends in no known errno.
errno_name() {
	local name text
	while read -r name text; do
		case $1 in
		*": $text") echo "$name"; return ;;
		esac
	done <<-END
	$ERRNO_TABLE
	END
	echo "$1"
}

# Run a command whose output begins with its error message, and set ERRNO to the errno's name (0:
# success). Always returns 0.
with_errno() {
	local message status=0
	message=$("$@" 2>&1) || status=$?
	if [ "$status" = 0 ]; then
		ERRNO=0
	else
		ERRNO=$(errno_name "${message%%
*}")
	fi
}

# store FILE TEXT: write TEXT and a newline at once; set ERRNO. It uses echo, because the shell's
# printf does not report write errors.
store() {
	with_errno store_text "$1" "$2"
}

store_text() {
	echo "$2" >"$1"
}

# store_file FILE SOURCE: write the bytes of SOURCE, at most a megabyte, at once; set ERRNO.
store_file() {
	with_errno dd if="$2" of="$1" bs=1M count=1 conv=notrunc
}

# update IMAGE: request an update as an operator does; set ERRNO.
update() {
	store "$TDX/update" "$1"
}

# check IMAGE: as update, but stop before the first step that would change anything.
check() {
	store "$TDX/check" "$1"
}

# unprivileged COMMANDS: run them as a user without rights. A file that the caller opens (3>FILE)
# stays open, so a case can tell "may not open" from "may not write".
unprivileged() {
	su -s /bin/sh nobody -c "$1"
}

# --- modules --------------------------------------------------------------------------------------

OUR_MODULES="tdx_hwtest tdx_td tdx_update mainline_tdx tdx_slow tdx_nomem tdx_petted tdx_emu tdx_vendor
	tdx_nmi"

loaded() {
	[ -d "/sys/module/$1" ]
}

# For a case that loads modules itself: make sure that none is loaded. They are unloaded at the end
# all the same.
setup_none() {
	local module
	for module in $OUR_MODULES; do
		! loaded "$module" || die "$module is loaded before the case begins"
	done
}

# Is the emulator a part of this kernel? Then modprobe finds nothing to load, and it stays.
emu_is_built_in() {
	grep -q '/tdx_emu\.ko' "/lib/modules/$(uname -r)/modules.builtin"
}

# setup_emu [KEY=VALUE...]: load the emulator alone. The settings are those of its files platform
# and module.
setup_emu() {
	local word key platform='' module=''

	setup_none
	modprobe tdx_emu || die "tdx_emu does not load"
	# An emulator that is a part of the kernel still has the settings of the last case.
	! emu_is_built_in || emu_set reset defaults
	for word; do
		key=${word%%=*}
		if emu platform | grep -q "^$key="; then
			platform="$platform $word"
		elif emu module | grep -q "^$key="; then
			module="$module $word"
		else
			die "setup: no such setting: $word"
		fi
	done
	emu_set platform "signer=$(cat "$SIGNER")$platform"
	[ -z "$module" ] || emu_set module "${module# }"
	emu_set reset 1
}

# Load the module under test. It is given the signer of the test images.
load() {
	modprobe tdx_update "signer=$(cat "$SIGNER")" || die "tdx_update does not load"
}

# setup [KEY=VALUE...]: load the emulator with these settings, and the module under test.
setup() {
	setup_emu "$@"
	load
}

# --- the module under test ------------------------------------------------------------------------

tdx() {
	cat "$TDX/$1"
}

# --- the emulator ---------------------------------------------------------------------------------

emu() {
	cat "$EMU/$1"
}

# value_of KEY TEXT: print the value of the first key=value word of TEXT that has the key. Software
# emulation takes 15 ms to start a process, so this starts none.
value_of() {
	local word

	set -f
	for word in $2; do
		case $word in
		"$1="*) echo "${word#*=}"; break ;;
		esac
	done
	set +f
}

emu_get() {
	value_of "$2" "$(cat "$EMU/$1")"
}

# emu_set FILE WORDS: change settings. If the emulator refuses one, the case is wrong, so it ends.
emu_set() {
	local file=$1
	shift
	store_text "$EMU/$file" "$*" || die "emulator refuses '$*' in $file"
}

# counter LEAF: print how often it was called since the reset.
counter() {
	emu_get counters "$1"
}

# --- the TD client --------------------------------------------------------------------------------

# Load the TD client at its first use: most cases need no TD.
td_load() {
	loaded tdx_td || modprobe tdx_td || die "tdx_td does not load"
}

# td CMD...: run one command of the TD client; set ERRNO. td_ok CMD...: and expect success.
td() {
	td_load
	store "$TD/cmd" "$*"
}

td_ok() {
	td "$@"
	expect "td $*" 0 "$ERRNO"
	[ "$ERRNO" = 0 ] || note "last SEAMCALL: $(td_file last_status)"
}

td_file() {
	td_load
	cat "$TD/$1"
}

# td_set FILE WORDS
td_set() {
	local file=$1
	td_load
	shift
	store_text "$TD/$file" "$*" || die "TD client refuses '$*' in $file"
}

# td_get ID KEY: print a value of that TD.
td_get() {
	value_of "$2" "$(td_file tds | grep "^id=$1 ")"
}

# td_stat KEY: print a counter of the work that the threads have done so far.
td_stat() {
	value_of "$1" "$(td_file stats)"
}

# --- kernel log and uevents -----------------------------------------------------------------------

DMESG_MARK=

# Mark the place in the kernel log where dmesg_since_mark begins.
mark_dmesg() {
	DMESG_MARK="test: mark $(cut -d ' ' -f 1 /proc/uptime)"
	echo "$DMESG_MARK" >/dev/kmsg
}

# If the log has lost the mark, nothing would be printed and a check for unwanted messages would
# pass. So a lost mark is a failure.
dmesg_since_mark() {
	dmesg >"$TMP/dmesg"
	grep -qF "${DMESG_MARK:?mark_dmesg first}" "$TMP/dmesg" ||
		fail "the kernel log has lost '$DMESG_MARK'" >&2
	sed "1,/$DMESG_MARK/d" "$TMP/dmesg"
}

# Trigger a uevent of an unrelated device and wait until it has been captured: every earlier uevent
# has been captured then too.
uevents_sync() {
	local i=0
	until grep -q "^SYNTH_ARG_TEST=$1" "$TMP/uevents"; do
		[ $((i += 1)) -lt 100 ] || die "no uevents arrive"
		echo "change 00000000-0000-0000-0000-000000000000 TEST=$1" \
			>/sys/devices/virtual/mem/null/uevent
		usleep 20000
	done 2>/dev/null
}

uevents_start() {
	: >"$TMP/uevents"
	# uevent starts the program for each event, with the event in its environment.
	# shellcheck disable=SC2016 # expanded by the inner shell
	uevent sh -c \
		'env | grep -E "^(ACTION|DEVPATH|SUBSYSTEM|SEQNUM|TDX_|SYNTH_ARG_TEST)"; echo' \
		>>"$TMP/uevents" &
	UEVENTS_PID=$!
	uevents_sync 1
}

# End the capture; uevents prints it.
uevents_stop() {
	uevents_sync 2
	kill "$UEVENTS_PID"
	wait "$UEVENTS_PID" 2>/dev/null || true
}

# Print the captured events as blocks of KEY=value lines, without those of uevents_sync.
uevents() {
	awk 'BEGIN { RS = ""; ORS = "\n\n" } !/SYNTH_ARG_TEST=/' "$TMP/uevents"
}

# --- updates --------------------------------------------------------------------------------------

. /tests/update.sh

# --- the end of a case ----------------------------------------------------------------------------

# Print memory that unloaded modules have leaked: its allocating function lies in the address range
# of modules, but in no module that is loaded. This covers vmalloc, vmap and kmalloc called by the
# modules themselves (the guest boots with slub_debug for kmalloc). It does not cover pages from
# the page allocator, whose owners this kernel does not record (see cases/basic/pages), nor memory
# that the kernel allocated on a module's behalf; crypto_users covers crypto.
leaks() {
	local file cache
	# Shrinking a cache also empties the quarantine where KASAN keeps freed memory.
	for file in /sys/kernel/slab/kmalloc-[0-9]*/shrink; do
		echo 1 >"$file"
	done
	grep -E '^[^ ]+ +[0-9]+ 0xffffffff[c-f]' /proc/vmallocinfo
	grep -Es '^ *[0-9]+ 0xffffffff[c-f]' /sys/kernel/debug/slab/kmalloc-[0-9]*/alloc_traces |
		while read -r file count caller _; do
			cache=${file#/sys/kernel/debug/slab/}
			echo "${cache%%/*} $count $caller"
		done
}

# Print each driver of the kernel's crypto and its number of users, one a line.
crypto_users() {
	awk '/^driver/ { driver = $3 } /^refcnt/ { print driver, $3 }' /proc/crypto
}
[ -e "$TMP/crypto" ] || crypto_users >"$TMP/crypto"

# Fail for everything that has outlived the modules.
remains() {
	local path

	for path in "$TDX" "$EMU" "$TD"; do
		[ "$path" != "$EMU" ] || ! emu_is_built_in || continue
		[ ! -e "$path" ] || fail "$path is still there after the modules are gone"
	done
	# shellcheck disable=SC2009 # busybox has no pgrep -a
	ps -o comm | grep -E '^tdx' && fail "threads of the modules are still there"
	# Ignore leaks of earlier cases.
	touch /tmp/leaks
	leaks >"$TMP/leaks"
	awk 'FILENAME == ARGV[1] { old[$0]; next } !($0 in old)' /tmp/leaks "$TMP/leaks" \
		>"$TMP/leaked"
	if [ -s "$TMP/leaked" ]; then
		cat "$TMP/leaked"
		fail "memory is still there that the modules allocated"
	fi
	mv "$TMP/leaks" /tmp/leaks
	crypto_users | awk '
		FILENAME != "-" { before[$1] = $2; next }
		# Loaded meanwhile, and with no user but its own module.
		!($1 in before) { before[$1] = 1 }
		$2 > before[$1] { print $1 ": " before[$1] " users before, now " $2 }
	' "$TMP/crypto" - >"$TMP/used"
	if [ -s "$TMP/used" ]; then
		cat "$TMP/used"
		fail "crypto is still in use that the modules asked for"
	fi
}

# Unload every module. Fail if a call would have stopped its LP for good, unless the case expects
# that with FATAL=LEAF.
unload() {
	local module gone=1
	! loaded tdx_emu || expect "leaf that stopped its LP" "${FATAL:-none}" "$(emu_get state fatal)"

	# While TDX is down, tdx_update cannot be unloaded. It can once a TDX module runs again.
	case $(tdx state 2>/dev/null) in
	shut-down | lost) emu_set reset 1; tdx state >/dev/null ;;
	esac
	for module in $OUR_MODULES; do
		loaded "$module" || continue
		rmmod "$module" || {
			gone=0
			fail "$module cannot be unloaded ($(grep "^$module " /proc/modules))"
		}
	done
	[ "$gone" = 0 ] || remains
}

finish() {
	local status=$? pid

	trap - EXIT
	FAIL_FAST=
	if [ ! -e "$TMP/ended" ] && [ ! -e "$TMP/skip" ]; then
		fail "the case stopped before its end, exit status $status"
	fi
	for pid in $(jobs -p); do
		kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	done
	unload
	: >"$TMP/finished"
}

trap finish EXIT
trap 'exit 143' TERM
