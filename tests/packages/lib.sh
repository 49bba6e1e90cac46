# shellcheck shell=bash
# What the parts of `make check-packages` have in common: sourced by them, in the tree's top
# directory. $name is whose results they are, $logs where the checks' logs go, $out what else there
# is to keep.
# shellcheck disable=SC2034,SC2154 # they are read, and these are set, where this is sourced

passed=0 failed=0 skipped=0
pids=()	# of the guests

say() {
	echo "# $name: $*"
}

# check WHAT COMMAND...: one result. The command runs with errexit; what it did is shown if it
# fails.
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

# The last line of each part, which run.sh adds up.
sum() {
	say "$passed passed, $failed failed, $skipped skipped"
}

# boot NAME PLAN OPTION...: a guest from the system disk, in the background; PLAN is one of
# guest.sh's. The last of $pids is its own.
boot() {
	local dir=$out/boot-$1

	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$out/plan.$2" "$dir/plan"
	shift 2
	tests/vm/boot.sh --dir "$dir" --timeout 1200 "$@" --disk "$out/disk.img" </dev/null 8>&- &
	pids+=($!)
}

# booted NAME PID: waits for that guest, shows its results and adds them up.
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

# Guests do not outlive what booted them.
stop_guests() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
}

# That it fails is what has to be: errexit passes over a "!".
fails() {
	! "$@"
}
