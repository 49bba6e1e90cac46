# shellcheck shell=dash
# Helpers of cases about the operator's command: they run it, read its JSON, and look for what it
# has left behind. Sourced after lib.sh.

STATUS='' OUT='' ERR=''

# tool ARGUMENT...: run the command without a terminal; set STATUS, OUT and ERR.
tool() {
	STATUS=0
	tdx-update "$@" </dev/null >"$TMP/tool.out" 2>"$TMP/tool.err" || STATUS=$?
	OUT=$(cat "$TMP/tool.out")
	ERR=$(cat "$TMP/tool.err")
}

# expect_tool STATUS ARGUMENT...: run the command and expect this exit status.
expect_tool() {
	local want=$1
	shift
	tool "$@"
	expect "exit status of tdx-update $*" "$want" "$STATUS"
	[ "$STATUS" = "$want" ] || note "it said: $OUT $ERR"
}

# on_terminal STATUS ARGUMENT...: the same on a terminal; OUT has everything that it printed.
on_terminal() {
	local want=$1
	shift
	terminals
	STATUS=0
	script -qec "tdx-update $*" /dev/null </dev/null >"$TMP/tool.out" 2>&1 || STATUS=$?
	OUT=$(tr -d '\r' <"$TMP/tool.out")
	expect "exit status of tdx-update $* on a terminal" "$want" "$STATUS"
}

terminals() {
	mkdir -p /dev/pts
	[ -e /dev/pts/ptmx ] || mount -t devpts devpts /dev/pts
}

# json FILTER: apply a jq filter to what the command printed; print "invalid" if that is not JSON.
json() {
	jq -r "$1" "$TMP/tool.out" 2>&1 || echo invalid
}

# Succeed if a run of the command has left no copy, no process and no changed parameter.
nothing_left() {
	[ -z "$(left_behind)" ]
}

left_behind() {
	local dir
	for dir in /lib/firmware/tdx-update.* /run/tdx-update.*; do
		[ ! -e "$dir" ] || echo "$dir"
	done
	grep . /sys/module/firmware_class/parameters/path
	# shellcheck disable=SC2009 # busybox has no pgrep -a
	ps -o comm | grep -x tdx-update
}

expect_nothing_left() {
	expect "left behind after $*" '' "$(left_behind)"
}
