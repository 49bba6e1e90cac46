#!/bin/bash
# Tests that the harness reports failures. Cases that fail in every way run in real guests, and
# made-up logs stand for what no case can cause. The project's modules are not needed.
#
# run.sh calls this first. It ends at once if neither the harness nor the kernel has changed since
# the last pass. KVER, KDIR and the like come from kernel.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"
out=build/selftest

# Runs on several kernels may call this at the same time.
mkdir -p "$out"
exec 7>"$out/.lock"
flock 7
stamp=$out/passed-$KVER
if [ -e "$stamp" ]; then
	newer=$(find tests/vm tests/lib -type f ! -name 'demo*' ! -name 'try*' -newer "$stamp" -print -quit)
	[ -n "$newer" ] || exit 0
fi
echo "Testing the test harness"

wrong=0
# expect WHAT TEXT FILE: FILE must have a line that matches TEXT, a basic regular expression.
expect() {
	grep -q -e "$2" "$3" || {
		echo "harness: $1: no line '$2' in $3"
		wrong=$((wrong + 1))
	}
}

# --- settings and users ---------------------------------------------------------------------------

unset TEST SMP KEEP SMOKE LEAN
# says STATUS TEXT COMMAND...: the command must end so, after one line that has TEXT.
says() {
	local want=$1 text=$2 said status=0

	shift 2
	said=$(env -u KERNEL "$@" 2>&1 </dev/null) || status=$?
	[[ "$status $(wc -l <<<"$said") $said" == "$want 1 "*"$text"* ]] || {
		echo "harness: $*: expected status $want and a line with '$text', saw $status: $said"
		wrong=$((wrong + 1))
	}
}

says 2 'TEST=no-such: no case' env TEST=no-such tests/vm/run.sh
says 2 'SMP=two is neither' env SMP=two tests/vm/run.sh
says 2 'SMP=77 ' env SMP=77 tests/vm/run.sh
says 2 'no kernel 9; there are: 6.1 ' env KERNEL=9 tests/vm/run.sh
says 2 'no kernel 9; there are: 6.1 ' env KERNEL=9 tests/vm/all.sh all
says 2 'no kernel 9; there are: 6.1 ' env KERNEL=9 tests/vm/demo.sh
says 2 'no kernel 9; there are: 6.1-kvm ' env KERNEL=9 tests/kvm/run.sh
says 2 'no case in tests/kvm/cases' env TEST=no-such tests/kvm/run.sh
says 2 'SUITE=sarge is none of bookworm ' env SUITE=sarge tests/packages/run.sh
says 2 'SECONDS is a whole number' tests/pure/fuzz.sh 5s
says 2 'MINUTES is a whole number' tests/soak/run.sh 0
says 0 "'make demo' needs neither" sh -c 'MAKEFLAGS= make --no-print-directory KDIR=/nowhere 2>&1 | head -n 1'

# A normal user of Debian has no /usr/sbin in PATH, and is told what root has to do.
mkdir -p "$out/user"
printf '#!/bin/sh\necho 1000\n' >"$out/user/id"
chmod 755 "$out/user/id"
user=(env MAKEFLAGS= "PATH=$top/$out/user:/usr/bin:/bin")
says 0 sbin/modprobe "${user[@]}" make -s --eval='p: ; @command -v modprobe' p
says 1 'as root: apt-get install no-such-package' "${user[@]}" scripts/deps.sh no-such-package
says 1 'run this as root' "${user[@]}" scripts/root.sh sarge

# --- real guests ----------------------------------------------------------------------------------

mkdir -p "$out/misbehave"
cp -u "$here"/selftest/misbehave/* "$out/misbehave/"
env -u MAKEFLAGS scripts/root.sh --in "$BUILD_ROOT" make -s -C "$KDIR" M="$top/$out/misbehave" modules 2>&1 |
	{ grep -v '^Skipping BTF' || true; }

export GUEST="$out/misbehave/misbehave.ko=/lib/modules/$KVER/updates/misbehave.ko"
# Only the host's timeout ends this guest, so it runs in the background.
CASES_DIR=tests/vm/selftest/stopped OUT_DIR=$out/stopped BOOT_TIMEOUT=10 \
	tests/vm/run.sh >"$out/stopped.log" 2>&1 &
stopped=$!
status=0
CASES_DIR=tests/vm/selftest/cases OUT_DIR=$out/run CASE_TIMEOUT=15 \
	tests/vm/run.sh >"$out/run.log" 2>&1 || status=$?
[ "$status" = 1 ] || { echo "harness: exit status $status of a run with failures"; wrong=1; }
status=0
wait "$stopped" || status=$?
[ "$status" = 1 ] || { echo "harness: exit status $status of a run that was stopped"; wrong=1; }

log=$out/run.log
expect "closing line" '^3 passed, 16 failed, 1 skipped$' <(tail -n 1 "$log")
expect "a failing comparison" "# the answer: expected '42', saw '41'" "$log"
expect "a case that goes on after it" '# goes on' "$log"
for case in 11-expect-fails 13-leaves-early 14-killed 15-misspelt 16-unset 17-syntax 18-hangs \
	19-leaks 26-loses-mark 27-skips-alone; do
	expect "$case" "^not ok $case\$" "$log"
done
expect "leaving early" '# the case stopped before its end, exit status 0' "$log"
expect "being killed" '# died, exit status 137' "$log"
expect "a misspelt command" '# fault in the script: .*no_such_command: not found' "$log"
expect "a lost mark" "# the kernel log has lost 'test: mark" "$log"
expect "a skip without a reason" 'skipped, and nothing that it needs is missing here: not today' "$log"
expect "a hang" '# hung: killed after 15 s' "$log"
expect "a leak by kmalloc" '# kmalloc-128 1 0xffffffff' "$log"
expect "a leak by vmalloc" '# 0x.* 0xffffffff.* pages=3 vmalloc' "$log"
expect "the last words before a panic" '# last words' "$log"
expect "a panic" '^ *panic: .*sysrq triggered crash' "$log"
expect "who caused it" '^ *during 21-panics' "$log"
expect "a splat" '^ *splat: .*WARNING: .*misbehave_init' "$log"
expect "who caused it" '^ *during 22-warns' "$log"
expect "an incomplete plan" '^incomplete plan: 0 of 2 results; missing:$' "$log"
expect "a missing case" '^not ok 25-never-runs (no result)$' "$log"
expect "the boot with a hang" ' 1 CPUs: 2 passed, 10 failed, 1 skipped' "$log"
expect "a boot with a panic" " 2 CPUs: 1 passed, 2 failed, 0 skipped" "$log"
expect "a boot with a splat" " 3 CPUs: 0 passed, 2 failed, 0 skipped" "$log"
expect "a boot cut short" " 4 CPUs: 0 passed, 2 failed, 0 skipped" "$log"
expect "a boot that the host stops" '^ *timeout: stopped from outside after 1. s' \
	"$out/stopped.log"
expect "a boot that the host stops" '^0 passed, 1 failed, 0 skipped$' "$out/stopped.log"

# --- made-up logs ---------------------------------------------------------------------------------

# judge NAME EXIT CONSOLE KTAP [DEMANDS [MAY_SKIP]]: judges a made-up boot with the cases a and b.
# The verdict goes to $out/judged/NAME/said, the counts to $out/judged/NAME/result.
judge() {
	local dir=$out/judged/$1

	mkdir -p "$dir"
	printf 'a\nb\n' >"$dir/plan"
	printf '%b' "${5:-}" >"$dir/demands"
	echo "${6:-}" >"$dir/may-skip"
	echo "$2 5" >"$dir/exit"
	printf '%b' "$3" >"$dir/console.log"
	printf '%b' "$4" >"$dir/ktap.log"
	: >"$dir/qemu.log"
	tests/vm/judge.sh "$dir" >"$dir/said" 2>&1 || true
}
# counted NAME RESULT [REASON]: the counts must be RESULT, and the verdict must have REASON.
counted() {
	expect "$1" "^$2\$" "$out/judged/$1/result"
	[ -z "${3:-}" ] || expect "$1" "$3" "$out/judged/$1/said"
}

run='[1] test: case a\r\n[2] test: end of a\r\n[3] test: case b\r\n'
down='[4] test: end of b\r\n[5] reboot: Power down\r\n'
ktap='KTAP version 1\n1..2\nok 1 a\nok 2 b\n'
judge good 0 "$run$down" "$ktap"
counted good '2 0 0'
judge skip 0 "$run$down" 'KTAP version 1\n1..2\nok 1 a # SKIP no\nok 2 b\n' '' a
counted skip '1 0 1'
judge skip-other 0 "$run$down" 'KTAP version 1\n1..2\nok 1 a # SKIP no\nok 2 b\n' '' b
counted skip-other '1 1 0' 'skipped, and nothing that it needs is missing here: no$'
judge splat 0 "${run}[3] WARNING: possible circular locking dependency\n$down" "$ktap"
counted splat '1 1 0' 'during b'
judge splat-between 0 "$run${down}[6] BUG: late\n" "$ktap"
counted splat-between '1 1 0\|2 1 0' 'splat: .*BUG: late'
judge stall 0 "${run}[3] rcu: INFO: rcu_sched self-detected stall on CPU\n$down" "$ktap"
counted stall '1 1 0' 'splat: .*stall'
judge blocked 0 "${run}[3] INFO: task sh:7 blocked for more than 120 seconds.\n$down" "$ktap"
counted blocked '1 1 0' 'splat: .*blocked'
# Each line alone must be found: the rest of a kernel's report may be lost.
number=0
while read -r line; do
	number=$((number + 1))
	judge line-$number 0 "${run}[3] $line\n$down" "$ktap"
	counted line-$number '1 1 0' "splat: .*$line"
done <<END
general protection fault, probably for non-canonical address 0xdead000000000100: 0000
UBSAN: array-index-out-of-bounds in src/install.c:1:2
BUG kmalloc-64 (Tainted: G    OE): Redzone overwritten
watchdog: Watchdog detected hard LOCKUP on cpu 1
possible recursive locking detected
kmemleak: 3 new suspected memory leaks
tdx_update: a CPU's current VMCS could not be loaded again (1 times so far): do not trust KVM on this host, reboot
END
trust="${run}[3] tdx_update: do not trust KVM on this host\n$down"
judge demanded 0 "$trust" "$ktap" 'b\tdo not trust KVM\n'
counted demanded '2 0 0'
judge demanded-other 0 "$trust" "$ktap" 'a\tdo not trust KVM\n'
counted demanded-other '. [12] 0' 'during b'
scans='[3] test: kmemleak scans begin\n[3] kmemleak: 2 new suspected memory leaks\n[3] test: kmemleak scans end\n'
judge scans 0 "$run$scans$down" "$ktap"
counted scans '2 0 0'
asked='[3] test: blocked tasks begin\n Call Trace:\n[3] test: blocked tasks end\n'
judge asked 0 "$run$asked$down" "$ktap"
counted asked '2 0 0'
judge unclean 0 "$run" "$ktap"
counted unclean '. 1 0' 'unclean power-off'
judge stopped 124 "$run$down" "$ktap"
counted stopped '. 1 0' 'timeout: stopped from outside after 5 s'
judge no-start 1 '' ''
counted no-start '0 2 0' 'QEMU ended with status 1'
judge no-plan 0 "$run$down" 'ok 1 a\nok 2 b\n'
counted no-plan '2 1 0' 'incomplete plan'
judge other-plan 0 "$run$down" '1..1\nok 1 a\n'
counted other-plan '1 1 0' 'the guest announced 1'
judge twice 0 "$run$down" '1..2\nok 1 a\nok 1 a\n'
counted twice '1 1 0' 'unexpected result: ok 1 a'
judge strange 0 "$run$down" '1..2\nok 1 a\nok 2 c\n'
counted strange '1 1 0' 'unexpected result: ok 2 c'
# A case that starts a new kernel: two boots on one console, one result.
first='[1] test: case a\r\n[2] test: end of a\r\n[3] test: case b\r\n[4] kexec_core: Starting new kernel\r\n'
again='[0] Linux version 6\r\n'
resumed='[1] test: case b\r\n'
judge kexec 0 "$first$again$resumed$down" "$ktap"
counted kexec '2 0 0'
judge kexec-splat 0 "$first${again}[0] WARNING: early\r\n$resumed$down" "$ktap"
counted kexec-splat '1 1 0' 'during b'
judge kexec-stuck 124 "$first$again" 'KTAP version 1\n1..2\nok 1 a\n'
counted kexec-stuck '1 1 0' 'not ok b (no result)'
judge kexec-twice 0 "$first$again$run$down" 'KTAP version 1\n1..2\nok 1 a\nok 1 a\nok 2 b\n'
counted kexec-twice '2 1 0' 'unexpected result: ok 1 a'
# A text that a case demands must come while the case runs, and before it starts a new kernel.
judge demand 0 "${first}[4] tdx: said, too\r\n$again$resumed$down" "$ktap" 'b\ttdx: said\n'
counted demand '2 0 0'
judge demand-late 0 "$first$again${resumed}[5] tdx: said\r\n$down" "$ktap" 'b\ttdx: said\n'
counted demand-late '1 1 0' 'not on the console: tdx: said'
judge demand-other 0 "[1] tdx: said\r\n${run}[3] tdx: sad\r\n$down" "$ktap" 'b\ttdx: said\n'
counted demand-other '1 1 0' '^not ok b$'
judge demand-second 0 "${run}[3] tdx: said\r\n$down" "$ktap" 'b\ttdx: said\nb\ttdx: more\n'
counted demand-second '1 1 0' 'not on the console: tdx: more'
judge demand-skip 0 "$run$down" 'KTAP version 1\n1..2\nok 1 a # SKIP no\nok 2 b\n' 'a\ttdx: said\n' a
counted demand-skip '1 0 1'
judge demand-failed 0 "$run$down" 'KTAP version 1\n1..2\nnot ok 1 a\nok 2 b\n' 'a\ttdx: said\n'
counted demand-failed '1 1 0' '^not ok a$'
judge bail 0 "$run$down" '1..2\nok 1 a\nBail out! tdx_emu is still loaded after a\n'
counted bail '1 1 0' 'Bail out! tdx_emu'

if [ "$wrong" -gt 0 ]; then
	echo "The test harness is broken in $wrong places; what it did: $log"
	exit 1
fi
touch "$stamp"
