#!/bin/bash
# Judges one boot by its logs and prints what was wrong.
#
#	tests/vm/judge.sh DIR
#
#	DIR/plan	the cases that had to run, in order
#	DIR/demands	optional: texts that have to be on the console; a case, a tab, the text
#	DIR/may-skip	optional: the cases that may be skipped
#	DIR/ktap.log	the KTAP of the cases
#	DIR/console.log, DIR/exit, DIR/qemu.log		see boot.sh
#
# Prints each failure with its diagnostics and, if the boot does not count, the reasons. Writes
# DIR/result: "PASSED FAILED SKIPPED". Succeeds if nothing failed.
#
# A case also fails if its result is missing, if it was skipped but may not be, or if a text that it
# demands was not on the console while it ran (before the new kernel, if it started one). A demanded
# text does not count as a splat while that case runs. A boot that does not count has at least one
# failure: the case that ran when the splat came, or else the boot itself.
set -euo pipefail
dir=$1

# splat: what no healthy kernel prints, and tdx_update only on a broken host. harmless: a boot
# message of lockdep kernels. Output that the runner asks for is dropped below: backtraces when a
# case hangs, and scans of kmemleak, which the runner judges.
splat='BUG:|WARNING:|Oops|Call Trace|KASAN|lockdep|INFO: task .* blocked|rcu.*stall|general protection fault|UBSAN:|BUG kmalloc|hard LOCKUP|possible recursive locking|kmemleak: [1-9][0-9]* new|do not trust KVM'
harmless='RCU lockdep checking is enabled'

console=$(mktemp)
judged=$(mktemp)
trap 'rm -f "$console" "$judged"' EXIT
tr -d '\r\0' <"$dir/console.log" | sed '/test: blocked tasks begin/,/test: blocked tasks end/d
	/test: kmemleak scans begin/,/test: kmemleak scans end/{/kmemleak: [0-9]* new/d}' |
	grep -Ev "$harmless" >"$console" || true
[ -e "$dir/demands" ] || : >"$dir/demands"
awk -F '\t' '
	FILENAME != "-" { name[++demands] = $1; text[demands] = $2; next }
	match($0, /test: case /) { running = substr($0, RSTART + RLENGTH) }
	/test: end of / { running = "" }
	{
		for (i = 1; i <= demands; i++)
			if (name[i] == running && index($0, text[i]))
				next
		print
	}
' "$dir/demands" - <"$console" >"$judged"

# Prints why the boot does not count, a reason a line, the cause first. Prints nothing if it counts.
reasons() {
	local status seconds first panic before

	read -r status seconds <"$dir/exit"
	first=$(grep -Enm 1 "$splat" "$judged" || true)
	panic=$(grep -nm 1 'Kernel panic' "$judged" || true)
	# A panic also prints a call trace, which does not count as a second reason.
	before=${panic%%:*}
	if [ -n "$first" ] && [ "${first%%:*}" -lt "${before:-999999999}" ]; then
		echo "splat: ${first#*:}"
	fi
	[ -z "$panic" ] || echo "panic: ${panic#*:}"
	case $status in
	0) ;;
	124 | 137) echo "timeout: stopped from outside after $seconds s" ;;
	*) echo "QEMU ended with status $status: $(tail -n 1 "$dir/qemu.log")" ;;
	esac
	grep -q 'reboot: Power down' "$console" ||
		echo "unclean power-off: no 'reboot: Power down' on the console"
}

# Prints the case that ran when the first splat or panic came.
blamed() {
	awk -v splat="$splat|Kernel panic" '
		match($0, /test: case /) { name = substr($0, RSTART + RLENGTH) }
		/test: end of / { name = "" }
		$0 ~ splat { print name; exit }
	' "$judged"
}

# Prints the demands that are not met.
lacking() {
	awk -F '\t' '
		FILENAME != "-" { name[++demands] = $1; text[demands] = $2; next }
		match($0, /test: case /) { running = substr($0, RSTART + RLENGTH) }
		/test: end of / { running = "" }
		# The next kernel prints the name of the case again; texts after that do not count.
		/\] Linux version / { before = before " " running " "; running = "" }
		running != "" && !index(before, " " running " ") {
			for (i = 1; i <= demands; i++)
				if (name[i] == running && index($0, text[i]))
					met[i] = 1
		}
		END {
			for (i = 1; i <= demands; i++)
				if (!met[i])
					print name[i] "\t" text[i]
		}
	' "$dir/demands" - <"$console"
}

lacking >"$dir/lacking"
[ -e "$dir/may-skip" ] || : >"$dir/may-skip"
reasons=$(reasons)
blamed=$([ -z "$reasons" ] || blamed)

# Compares plan and KTAP. Prints each failed case with the diagnostics before its result, then the
# results that are missing. The last line has the three counts.
tr -d '\r\0' <"$dir/ktap.log" | awk -v blamed="$blamed" '
	function failed(name) { failures++; print "not ok " name; printf "%s", diagnostics }
	FILENAME ~ /lacking$/ {
		name = text = $0
		sub(/\t.*/, "", name)
		sub(/[^\t]*\t/, "", text)
		lacks[name] = lacks[name] "    not on the console: " text "\n"
		next
	}
	FILENAME ~ /may-skip$/ { may_skip[$1]; next }
	FILENAME != "-" { plan[++planned] = $1; next }
	/^1\.\.[0-9]+$/ { announced = substr($0, 4) + 0; next }
	/^#/ { diagnostics = diagnostics "    " $0 "\n"; next }
	/^Bail out!/ { bail = bail "    " $0 "\n"; next }
	/^(not )?ok [0-9]+ / {
		good = $1 == "ok"
		number = good ? $2 : $3
		name = good ? $3 : $4
		# A result that is not in the plan, or comes twice, does not count.
		if (number != seen + 1 || plan[number] != name) {
			strange = strange "    unexpected result: " $0 "\n"
			next
		}
		seen++
		if (good && name in lacks && $0 !~ / # SKIP/) {
			good = 0
			diagnostics = diagnostics lacks[name]
		}
		if (good && / # SKIP/ && !(name in may_skip)) {
			good = 0
			diagnostics = diagnostics "    skipped, and nothing that it needs is missing here:" \
				substr($0, index($0, " # SKIP") + 7) "\n"
		}
		if (!good || name == blamed)
			failed(name)
		else if ($0 ~ / # SKIP/)
			skipped++
		else
			passed++
		diagnostics = ""
	}
	END {
		missing = planned - seen
		if (missing || announced != planned || strange || bail) {
			printf "incomplete plan: %d of %d results", seen, planned
			if (announced != planned)
				printf ", the guest announced %d", announced
			print missing ? "; missing:" : ""
			for (i = seen + 1; i <= planned; i++) {
				printf "not ok %s (no result)\n", plan[i]
				if (i == seen + 1)
					printf "%s", diagnostics
			}
			printf "%s", strange bail
			failures += missing
			# Every result is there, but the rest of the KTAP is wrong.
			if (!missing)
				failures++
		}
		print passed + 0, failures + 0, skipped + 0
	}
' "$dir/lacking" "$dir/may-skip" "$dir/plan" - >"$dir/verdict"

read -r passed failed skipped < <(tail -n 1 "$dir/verdict")
[ -z "$reasons" ] || [ "$failed" -gt 0 ] || failed=1
echo "$passed $failed $skipped" >"$dir/result"

sed '$d' "$dir/verdict"
if [ -n "$reasons" ]; then
	echo "This boot does not count:"
	# shellcheck disable=SC2001 # every line is indented
	sed 's/^/    /' <<<"$reasons"
	[ -z "$blamed" ] || echo "    during $blamed"
	echo "    the console's last lines ($dir/console.log):"
	tail -n 25 "$console" | sed 's/^/    | /'
fi
[ "$failed" = 0 ]
