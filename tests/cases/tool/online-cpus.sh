#!/bin/sh
# apply --online-cpus brings present CPUs online for the update, and takes them offline again after
# success, failure and signals.
# SMP: 4
# SANITIZERS: no
. /tests/lib.sh
. /tests/tool.sh
CPUS=/sys/devices/system/cpu
setup remaining=100
dir=$TMP/images
mkdir -p /run "$dir"
cp /lib/firmware/test/a.blob "$dir/tdx_module_1.5.25.blob"
cp /lib/firmware/test/same.blob "$dir/tdx_module_1.5.24.blob"

# Return whether everything is as before: CPUs 1 and 3 offline, nothing left.
put_back() {
	[ "$(cat $CPUS/online)" = 0,2 ] && nothing_left
}

expect_put_back() {
	wait_for 30 put_back || fail "after $1: CPUs $(cat $CPUS/online) are online; $(left_behind)"
}

store "$TDX/recovery_image" test/same.blob
echo 0 >$CPUS/cpu1/online
echo 0 >$CPUS/cpu3/online

# Without the option, the refusal names it.
for command in "apply $dir/tdx_module_1.5.25.blob" "apply --latest $dir" "check $dir/tdx_module_1.5.25.blob" \
	"apply $dir/tdx_module_1.5.25.blob --json"; do
	# shellcheck disable=SC2086 # words
	expect_tool 1 $command
	expect_match "$command" "'apply --online-cpus' brings them online" "$ERR"
	expect_put_back "$command"
done
expect_tool 0 status
expect_match status '^platform .*CPUs 0,2 online; a present one is offline: see apply --online-cpus' "$OUT"

expect_tool 0 apply "$dir/tdx_module_1.5.25.blob" --online-cpus --dry-run --json
expect "in JSON" "1,3 1.5.24" "$(json '"\(.cpus_brought_online) \(.from)"')"
expect_put_back "a dry run"

td_build 1
expect_tool 0 apply --latest "$dir" --online-cpus
expect_match "what it says" 'online for this update: CPU 1,3' "$ERR"
expect version 1.5.25 "$(tdx version)"
expect_put_back "an update"
expect_tds_alive 1
expect_tool 0 apply --latest "$dir" --online-cpus
expect_match "what it says" 'nothing newer' "$OUT"
expect_put_back "nothing newer"

# The module checks the recovery image when it is set back. All CPUs are still online then.
expect_tool 0 apply "$dir/tdx_module_1.5.24.blob" --online-cpus --recovery none --allow-downgrade
expect "recovery_image afterwards" test/same.blob "$(tdx recovery_image)"
expect_put_back "an update without the recovery image that was set"

# Updates that fail before and past the shutdown, and a failure of the command itself.
expect_tool 1 apply /lib/firmware/test/bad-hash.blob --online-cpus
expect_put_back "a refusal"
expect_tool 66 apply --latest "$TMP/none" --online-cpus
expect_put_back "a directory that is not there"
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 0"
expect_tool 5 apply "$dir/tdx_module_1.5.25.blob" --online-cpus
expect_put_back "a failure past the shutdown"
emu_set inject clear
expect_tool 0 apply "$dir/tdx_module_1.5.25.blob" --online-cpus
expect_tds_alive 1

race() {
	[ "$(counter TDH.SYS.SHUTDOWN)" -gt "$before" ]
}

# Signals while the command waits for a race to end. KILL ends the command but not its second
# process. A shell has its background jobs ignore INT, which env undoes here.
td_ok new 2
for signal in TERM HUP INT KILL; do
	before=$(counter TDH.SYS.SHUTDOWN)
	coreutils-env --default-signal=INT tdx-update apply "$dir/tdx_module_1.5.25.blob" --online-cpus \
		--wait 100 >/dev/null 2>"$TMP/tool.err" &
	pid=$!
	wait_for 60 race || fail "there is no race"
	expect "CPUs while it waits" 0-3 "$(cat $CPUS/online)"
	kill -$signal $pid
	wait $pid
	expect "exit status after $signal" $((128 + $(kill -l $signal))) $?
	[ $signal = KILL ] || expect_match "what it says after $signal" \
		"ended by signal $(kill -l $signal); nothing has changed" "$(cat "$TMP/tool.err")"
	expect_put_back $signal
done
td_ok destroy 2

# A CPU that somebody else has taken offline meanwhile is left alone.
before=$(counter TDH.SYS.SHUTDOWN)
td_ok new 2
tdx-update apply "$dir/tdx_module_1.5.25.blob" --online-cpus --wait 100 >/dev/null 2>&1 &
pid=$!
wait_for 60 race || fail "there is no race"
echo 0 >$CPUS/cpu1/online
kill -TERM $pid
wait $pid
expect_put_back "a CPU that went offline meanwhile"
td_ok destroy 2
echo 1 >$CPUS/cpu1/online
echo 1 >$CPUS/cpu3/online

# All CPUs are online already: no message.
expect_tool 0 apply "$dir/tdx_module_1.5.25.blob" --online-cpus
expect_no_match "what it says" 'online for this update' "$ERR"
expect "CPUs" 0-3 "$(cat $CPUS/online)"
