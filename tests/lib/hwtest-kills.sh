# shellcheck shell=dash
# Helpers of cases that kill a stage of tdx-update-hwtest at each of its steps. Sourced after
# hwtest.sh.

# killed SIGNAL N STAGE: run the stage in a process group of its own. All of the group get the
# signal when the stage writes to the disk for the N-th time: it does that at the begin and the end
# of each step, and before each change of the host. Sets STATUS.
killed() {
	STATUS=0
	# The shell that runs a case in the background has SIGINT ignored, and so have its children.
	# shellcheck disable=SC2016 # expanded by the inner shell
	SIGNAL=$1 NTH=$2 setsid /sbin/coreutils-env --default-signal=INT /bin/sh -c 'SYNCS=0
		sync() { [ $((SYNCS += 1)) != "$NTH" ] || kill "-$SIGNAL" 0; }
		. /tests/hwtest/tdx-update-hwtest' /tests/hwtest/tdx-update-hwtest "$3" --yes \
		--images "$IMAGES" --reads 3 --no-report --dir "$HWTEST_DIR" \
		</dev/null >"$TMP/hwtest.out" 2>&1 || STATUS=$?
}

# open_step FILE: what the report has to say of the run in this evidence: the step that has begun
# and not ended, "after STEP" between two steps, nothing after the last one.
open_step() {
	tail -n 1 "$1" | sed 's/.*"step":"\([^"]*\)","event":"\([a-z]*\)".*/\2 \1/
		s/^begin //; s/^end /after /; /^done/d'
}

# tear FILE: what a power cut leaves of a file that was just being written.
tear() {
	local size

	[ -s "$1" ] || return 0
	size=$(wc -c <"$1")
	truncate -s $((size > 4 ? size - 4 : 0)) "$1"
}

# promised WHAT: the next command puts back what is left of a stage.
promised() {
	local before

	before=$(cat "$TMP/failures" 2>/dev/null)
	# KVM ends a TD with the process that has built it.
	! loaded tdx_td || td_ok destroy all
	hwtest 0 undo
	expect_as_before
	[ "$(cat "$TMP/failures" 2>/dev/null)" = "$before" ] || note "that was $1"
}

# kill_each_step STAGE: kill it at each of its steps, then cut the power there, then stop it there
# by a signal. At last it has to come to its end.
kill_each_step() {
	local stage=$1 n=0 signals='INT TERM HUP' signal

	while :; do
		HWTEST_DIR=$TMP/kill-$((n += 1))
		killed KILL "$n" "$stage"
		[ "$STATUS" = 137 ] || break
		# The next boot finds the same files, but the host is as ever.
		cp -r "$HWTEST_DIR" "$TMP/cut-$n"
		open_step "$HWTEST_DIR/evidence.jsonl" >"$HWTEST_DIR/wanted"
		sed '$d' "$HWTEST_DIR/evidence.jsonl" >"$TMP/whole"
		open_step "$TMP/whole" >"$TMP/cut-$n/wanted"
		promised "$stage, killed at $n"
		HWTEST_DIR=$TMP/cut-$n
		tear "$HWTEST_DIR/evidence.jsonl"
		tear "$HWTEST_DIR/undo"
		# Copies of images survive a power cut. A line that is torn comes before the change.
		! grep -qx firmware "$HWTEST_DIR/undo" 2>/dev/null || mkdir /lib/firmware/tdx-update-hwtest
		promised "$stage, power cut at $n"

		signal=${signals%% *} signals="${signals#* } ${signals%% *}"
		HWTEST_DIR=$TMP/signal
		killed "$signal" "$n" "$stage"
		expect "exit status of $stage after $signal at $n" 2 "$STATUS"
		expect_as_before
	done
	expect "exit status of $stage, not killed" 0 "$STATUS"
	expect_as_before
	expect_ge "places where $stage was killed" 4 $((n - 1))
	note "$stage was killed at $((n - 1)) places"

	# After all that, in the directory where it was killed last.
	HWTEST_DIR=$TMP/kill-$((n - 1))
	hwtest 0 "$stage" --yes --images "$IMAGES" --reads 3
	expect "contradicted" '' "$(facts contradicted)"
	expect "interrupted" "$(cat "$HWTEST_DIR/wanted")" "$(reported '.interrupted[].step')"
	reports_name_steps "$n"
}

# reports_name_steps N: the evidence of each kill and each power cut names the step. One jq for all,
# as it starts slowly here.
reports_name_steps() {
	local n=0 name

	: >"$TMP/wanted"
	while [ "$((n += 1))" -lt $(($1 - 1)) ]; do
		for name in kill-$n cut-$n; do
			echo "$name: $(cat "$TMP/$name/wanted")" >>"$TMP/wanted"
			cp "$TMP/$name/evidence.jsonl" "$TMP/$name.lines"
			# jq would join a torn line and the next file's first one.
			echo >>"$TMP/$name.lines"
		done
	done
	jq -L /tests/hwtest/lib -R -r -n 'include "report"; [inputs | { file: input_filename, line: . } |
		select(.line != "")] | group_by(.file)[] | (.[0].file | split("/")[-1] | split(".")[0]) + ": " +
		(map(.line) | report("") | [.interrupted[].step] | join(" "))' "$TMP"/*.lines >"$TMP/seen"
	expect "reports" "$(sort "$TMP/wanted")" "$(sort "$TMP/seen")"
}
