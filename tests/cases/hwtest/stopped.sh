#!/bin/sh
# A stage that is killed, or stopped by its user, leaves the host as the text promised: what it has
# changed is put back by the next command. The report names the step, and the stage can be repeated.
# KERNEL: any
. /tests/lib.sh
. /tests/hwtest.sh
setup cpu=0x806F8
some_images same

# at_work: a CPU is offline and a trace is taken. Both have to be undone.
at_work() {
	[ "$(cat /sys/devices/system/cpu/online)" = 0 ] && [ "$(ls /sys/kernel/tracing/instances)" ]
}

# Without --yes and without a terminal nothing begins.
hwtest 64 update --images "$IMAGES"
expect_match "without --yes" 'nothing was done$' "$OUT"
expect "evidence" no "$([ ! -e "$HWTEST_DIR/evidence.jsonl" ] && echo no)"

# Killed while a CPU is offline: the kernel lets no one put it back, until the next command.
sh /tests/hwtest/tdx-update-hwtest refuse --yes --images "$IMAGES" --dir "$HWTEST_DIR" \
	</dev/null >/dev/null 2>&1 &
pid=$!
wait_for 60 at_work || die "no CPU goes offline under a trace"
kill -KILL "$pid"
wait "$pid" 2>/dev/null
# What it had started may outlive it for a moment.
wait_for 30 flock -n "$HWTEST_DIR/lock" true || die "something still works in $HWTEST_DIR"
expect "CPUs online after the kill" 0 "$(cat /sys/devices/system/cpu/online)"
hwtest 0 undo
expect_as_before
# As a power cut leaves it: half a line.
printf '{"time":"2026-' >>"$HWTEST_DIR/evidence.jsonl"
hwtest 0 report
expect "interrupted" 'refuse cpu-offline' "$(reported '.interrupted | map(.step) | join(" ")')"
expect_match "page" 'refuse: refuse cpu-offline$' "$(grep refuse: "$HWTEST_DIR/report.md")"
expect "shutdowns" 0 "$(counter TDH.SYS.SHUTDOWN)"

# Ended by a signal it puts everything back itself, and says so by its exit status.
sh /tests/hwtest/tdx-update-hwtest refuse --yes --images "$IMAGES" --dir "$HWTEST_DIR" \
	</dev/null >/dev/null 2>&1 &
pid=$!
wait_for 60 at_work || die "no CPU goes offline under a trace"
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
expect "exit status after TERM" 2 "$status"
expect_as_before

hwtest 0 refuse --yes --images "$IMAGES"
expect "refusals" 'cpu-offline' \
	"$(reported '[.steps[] | select(.kind == "refuse") | .result] | last')"
expect "torn lines" 1 "$(reported .torn_lines)"
expect_as_before
