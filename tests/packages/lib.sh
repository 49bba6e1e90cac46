# shellcheck shell=bash
# For the parts of `make check-packages`, which source it in the tree's top directory. They set
# $name, the prefix of their results, $logs, the directory for the checks' logs, and $out, the
# directory for everything else.
# shellcheck disable=SC2034,SC2154 # they are read, and these are set, where this is sourced

passed=0 failed=0 skipped=0
pids=()	# the guests' processes

say() {
	echo "# $name: $*"
}

# check WHAT COMMAND...: prints one result. The command runs with errexit and xtrace; the end of its
# log is shown if it fails.
check() {
	local what=$1 start=$SECONDS status log
	shift

	log=$logs/$1.log
	set +e
	(set -ex; "$@") >"$log" 2>&1 </dev/null
	status=$?
	set -e
	if [ "$status" = 0 ]; then
		passed=$((passed + 1))
		echo "ok - $name: $what ($((SECONDS - start)) s)"
	else
		failed=$((failed + 1))
		tail -n 40 "$log" | sed 's/^/# /'
		echo "not ok - $name: $what ($((SECONDS - start)) s, $log)"
	fi
}

skip() {
	skipped=$((skipped + 1))
	echo "ok - $name: $1 # SKIP $2"
}

# Prints the last line of each part. run.sh adds the counts up.
sum() {
	say "$passed passed, $failed failed, $skipped skipped"
}

# boot NAME PLAN OPTION...: boots a guest from the system disk in the background and adds its
# process to $pids. PLAN is a plan of guest.sh.
boot() {
	local dir=$out/boot-$1

	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$out/plan.$2" "$dir/plan"
	shift 2
	tests/vm/boot.sh --dir "$dir" --timeout 1200 "$@" --disk "$out/disk.img" </dev/null 8>&- &
	pids+=($!)
}

# booted NAME PID: waits for that guest, prints its results and adds them up.
booted() {
	local dir=$out/boot-$1 p f s seconds

	wait "$2" || true
	mv "$dir/work.log" "$dir/ktap.log"
	tests/vm/judge.sh "$dir" || true
	tr -d '\r\0' <"$dir/ktap.log" | sed -n "s/^ok [0-9]* /ok - $name: in guest $1: /p"
	read -r p f s <"$dir/result"
	read -r _ seconds <"$dir/exit"
	say "guest $1: $p passed, $f failed, $s skipped, in $seconds s"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# Kills the guests; an EXIT trap of the scripts that boot some.
stop_guests() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
}

# fails COMMAND...: the command must fail. A "!" alone does not do it, because errexit ignores that.
fails() {
	! "$@"
}
