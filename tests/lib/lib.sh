# shellcheck shell=dash
# What a case is written with: sourced first by every file in /tests/cases, in the guest.
#
# Loads and unloads the modules, compares, reads and writes their files. Whatever goes to standard
# output or error becomes a KTAP diagnostic. /tests/run starts the case and reports its one result
# line.

TDX=/sys/firmware/tdx
EMU=/sys/kernel/debug/tdx_emu
TD=/sys/kernel/debug/tdx_td
SIGNER=/lib/firmware/test/signer	# SHA-384 of the modulus of the test images' key

# Where a case may keep files; new for each case. What it tells run is in there too: failures (a
# line each), skip (the reason), ended (it ran to its end), finished (and was cleaned up after).
TMP=${CASE_TMP:-/tmp}

# busybox's shell prefers its own applets to files, and its modprobe is not the one that hosts have.
modprobe() { /sbin/modprobe "$@"; }
insmod() { /sbin/insmod "$@"; }
rmmod() { /sbin/rmmod "$@"; }
modinfo() { /sbin/modinfo "$@"; }

# --- verdicts -------------------------------------------------------------------------------------

# A remark for whoever reads the log.
note() {
	echo "$*"
}

# Records a failure; the case goes on, so that one run shows all that is wrong. With FAIL_FAST=1 it
# ends there.
fail() {
	echo "$*"
	echo "$*" >>"$TMP/failures"
	[ -z "${FAIL_FAST:-}" ] || {
		: >"$TMP/ended"
		exit 1
	}
}

# Ends the case: without what is missing nothing of it can be shown. Never counted as a pass.
skip() {
	echo "$*" >"$TMP/skip"
	exit 0
}

# Ends the case as failed, where going on would only hide the cause.
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

# The pattern is an extended regular expression and has to match one line of what was seen.
expect_match() {
	printf '%s\n' "$3" | grep -Eq -e "$2" || fail "$1: expected a match of '$2', saw '$3'"
}

expect_no_match() {
	! printf '%s\n' "$3" | grep -Eq -e "$2" || fail "$1: expected no match of '$2', saw '$3'"
}

# Runs the command, which has to succeed.
expect_ok() {
	"$@" || fail "$*: expected success, exit status $?"
}

# Runs the command, which has to fail; what it prints is kept as a diagnostic.
expect_fails() {
	! "$@" || fail "$*: expected a failure, it succeeded"
}

# wait_for SECONDS CMD...: repeats the command until it succeeds. Fails itself when time is up; says
# nothing.
wait_for() {
	local end
	end=$(($(uptime_s) + $1))
	shift
	until "$@"; do
		[ "$(uptime_s)" -lt "$end" ] || return 1
		usleep 20000
	done
}

# on_cpu PID CPU: does the process run there, or would it if the CPU were free?
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

# The one table from libc's words, which is all that a shell shows of an errno, to names.
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

# Prints the name of the errno in a message that ends in libc's words; the message itself if it has
# none.
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

# Runs a command whose output begins with its error message, and leaves the errno's name in ERRNO
# (0: success). Succeeds whatever the command did.
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

# store FILE TEXT: one write of TEXT and a newline; ERRNO tells how it went. echo, because the
# shell's printf keeps write errors to itself.
store() {
	with_errno store_text "$1" "$2"
}

store_text() {
	echo "$2" >"$1"
}

# store_file FILE SOURCE: one write of the bytes of SOURCE, at most a megabyte; ERRNO as above.
store_file() {
	with_errno dd if="$2" of="$1" bs=1M count=1 conv=notrunc
}

# update IMAGE: asks for an update as an operator does; ERRNO tells how it ended.
update() {
	store "$TDX/update" "$1"
}

# check IMAGE: the same, up to the first step that would change anything.
check() {
	store "$TDX/check" "$1"
}

# unprivileged COMMANDS: as a user without rights. A file that is opened outside (3>FILE) stays
# open, which separates "may not open" from "may not do".
unprivileged() {
	su -s /bin/sh nobody -c "$1"
}

# --- modules --------------------------------------------------------------------------------------

OUR_MODULES="tdx_td tdx_update mainline_tdx tdx_slow tdx_emu tdx_vendor tdx_nmi"

loaded() {
	[ -d "/sys/module/$1" ]
}

# Nothing loaded: the case loads what it wants itself. They are unloaded all the same.
setup_none() {
	local module
	for module in $OUR_MODULES; do
		! loaded "$module" || die "$module is loaded before the case begins"
	done
}

# setup_emu [KEY=VALUE...]: the emulator alone. The settings are those of its files platform and
# module.
setup_emu() {
	local word key platform='' module=''

	setup_none
	modprobe tdx_emu || die "tdx_emu does not load"
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

# The module under test, told whose key the test images are signed with.
load() {
	modprobe tdx_update "signer=$(cat "$SIGNER")" || die "tdx_update does not load"
}

# setup [KEY=VALUE...]: the emulator, so set, and the module under test.
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

# value_of KEY: of key=value words on standard input, the value of the first that has the key.
value_of() {
	tr ' ' '\n' | sed -n "s/^$1=//p" | head -n 1
}

emu_get() {
	emu "$1" | value_of "$2"
}

# emu_set FILE WORDS: a setting that the emulator refuses is the case's own mistake.
emu_set() {
	local file=$1
	shift
	store_text "$EMU/$file" "$*" || die "emulator refuses '$*' in $file"
}

# counter LEAF: how often it was called since the reset.
counter() {
	emu_get counters "$1"
}

# --- the TD client --------------------------------------------------------------------------------

# Loaded at the first use: most cases need no TD.
td_load() {
	loaded tdx_td || modprobe tdx_td || die "tdx_td does not load"
}

# td CMD...: one command; ERRNO tells how it went. That it succeeds is expected by: td_ok CMD...
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

# td_get ID KEY: from the line of that TD.
td_get() {
	td_file tds | grep "^id=$1 " | value_of "$2"
}

# td_stat KEY: of the threads' work so far.
td_stat() {
	td_file stats | value_of "$1"
}

# --- kernel log and uevents -----------------------------------------------------------------------

DMESG_MARK=

# From here on counts what dmesg_since_mark prints.
mark_dmesg() {
	DMESG_MARK="test: mark $(cut -d ' ' -f 1 /proc/uptime)"
	echo "$DMESG_MARK" >/dev/kmsg
}

# Without the mark nothing would be found, and what must not be there would not be: so that is a
# failure.
dmesg_since_mark() {
	dmesg >"$TMP/dmesg"
	grep -qF "${DMESG_MARK:?mark_dmesg first}" "$TMP/dmesg" ||
		fail "the kernel log has lost '$DMESG_MARK'" >&2
	sed "1,/$DMESG_MARK/d" "$TMP/dmesg"
}

# Writes a uevent of a device that has nothing to do with the test and waits until it has been
# caught: all that came before it then has been caught too.
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
	# The printing program gets each event in its environment.
	# shellcheck disable=SC2016 # expanded by the inner shell
	uevent sh -c \
		'env | grep -E "^(ACTION|DEVPATH|SUBSYSTEM|SEQNUM|TDX_|SYNTH_ARG_TEST)"; echo' \
		>>"$TMP/uevents" &
	UEVENTS_PID=$!
	uevents_sync 1
}

# Ends the capture; uevents prints it.
uevents_stop() {
	uevents_sync 2
	kill "$UEVENTS_PID"
	wait "$UEVENTS_PID" 2>/dev/null || true
}

# The events caught, as blocks of KEY=value lines; those of the synchronisation left out.
uevents() {
	awk 'BEGIN { RS = ""; ORS = "\n\n" } !/SYNTH_ARG_TEST=/' "$TMP/uevents"
}

# --- what cases about updates have in common ------------------------------------------------------

. /tests/update.sh

# --- the end of a case ----------------------------------------------------------------------------

# Prints what code that is no longer there has left: memory whose allocating function lies in the
# range of modules but in none that is loaded. Covers vmalloc, vmap and kmalloc called by the
# modules themselves (the guest boots with slub_debug=U for kmalloc). Not covered: pages taken
# directly from the page allocator, whose owners this kernel does not record (see
# cases/basic/pages), and what the kernel allocated on a module's behalf, but for crypto.
leaks() {
	local file cache
	# Shrinking a cache also ends the quarantine in which KASAN keeps what has been freed.
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

# Who uses the kernel's crypto: a driver and its number of users, a line each.
crypto_users() {
	awk '/^driver/ { driver = $3 } /^refcnt/ { print driver, $3 }' /proc/crypto
}
[ -e "$TMP/crypto" ] || crypto_users >"$TMP/crypto"

# What must not outlive the modules.
remains() {
	local path

	for path in "$TDX" "$EMU" "$TD"; do
		[ ! -e "$path" ] || fail "$path is still there after the modules are gone"
	done
	# shellcheck disable=SC2009 # busybox has no pgrep -a
	ps -o comm | grep -E '^tdx' && fail "threads of the modules are still there"
	# What a case before this one has left is not this one's.
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

# A call that would have stopped its LP for good must not happen unnoticed. A case that wants one
# says so: FATAL=LEAF.
unload() {
	local module gone=1
	! loaded tdx_emu || expect "leaf that stopped its LP" "${FATAL:-none}" "$(emu_get state fatal)"

	# While TDX is down the module cannot be unloaded; a TDX module that runs ends that.
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
