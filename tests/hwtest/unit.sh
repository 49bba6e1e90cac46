#!/bin/bash
# Tests what tdx-update-hwtest makes of its evidence, in user space: each fact can be seen and can
# be contradicted, reports are compared, torn evidence is read, wrong usage is refused.
#
#	tests/hwtest/unit.sh
set -euo pipefail
cd "$(dirname "$0")/../.."
scripts/deps.sh jq make gcc libc6-dev libssl-dev python3

kit=hwtest/tdx-update-hwtest lib=hwtest/lib
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
subject=hwtest
# shellcheck source=tests/tool/expect.sh
. tests/tool/expect.sh

# --- each fact ------------------------------------------------------------------------------------

# A fact; what has to be added to the report so that it is seen; and what then contradicts it.
# two-sockets.json is the report.
field() { echo ".look.raw.fields.$1.$2 = \"$3\""; }
info() { echo ".look.raw.info.decoded.$1 = $2"; }
seaminfo() { echo ".look.raw.seaminfo.decoded.$1 = $2"; }
step() { echo ".steps += [$1]"; }
updated() { echo "(.steps[] | select(.kind == \"update\")) |= ($1)"; }
cpus() { echo ".look.raw.cpus[0] |= ($1)"; }
rows="
vmcs-bit-60 @ . @ $(cpus '.during = "none"')
vmcs-restored @ . @ $(cpus '.after = "none"')
seamldr-registers @ . @ .look.raw.seaminfo.registers_kept = false
rd-fields @ . @ $(field NO_DOWNGRADE status 0xc0000c0000000000)
rd-unknown @ . @ $(field UNKNOWN status 0xc000010000000002)
rd-failed @ . @ $(field UNKNOWN next 0x3f00000000000000)
update-compat @ . @ $(field FEATURES0 value 0x0000000000040002)
handoff-version @ . @ $(field MODULE_HV value 0x0000000000000001)
handoff-pages @ . @ $(field NUM_HANDOFF_PAGES value 0x000000000000000d)
handoff-cleared @ . @ $(field HANDOFF_DATA_VALID value 0x0000000000000001)
probe-ready @ . @ .look.status.state = \"uninitialized\"
info-constants @ . @ $(info vendor_id '"0x00008087"')
info-valid @ . @ $(info valid '"0x00000000000000ff"')
info-ready @ . @ $(info seam_ready 0)
info-features0 @ . @ $(info features0 '"0x0000000000000001"')
info-update @ $(info major 1) | $(info minor 5) @ $(info update 0)
svn-major @ . @ $(info svn_major 1)
seaminfo-constants @ . @ $(seaminfo reserved_is_zero false)
seaminfo-lps @ . @ $(seaminfo tot_num_lps 3)
seaminfo-sockets @ . @ $(seaminfo tot_num_sockets 1)
seaminfo-cpuid @ . @ $(seaminfo 'socket_cpuid[1]' '"0x000806f8"')
seamrr @ . @ .look.raw.msrs.IA32_SEAMRR_PHYS_MASK = \"0x0000000000000400\"
reads @ $(step '{ kind: "reads", count: 9, failed: 0, different: 1 }') @ .steps[-1].failed = 1
refused @ $(step '{ kind: "refuse", name: "x", wanted: "older", result: "older", shutdowns: 0 }') @ .steps[-1].shutdowns = 1
race-status @ .steps[0].trace.calls[-1].raw = \"0x8000051200010000\" @ .steps[0].trace.calls[-1].raw = \"0x8000051200010007\"
race-refused @ $(step '{ kind: "race", result: "update-race", trace: { calls: [] } }') @ .steps[-1].result = \"success\"
race-measurement @ $(step '{ kind: "td", expected: "aa", reported: "aa" }') @ .steps[-1].reported = \"ab\"
update-installs @ . @ $(updated '(.trace.calls[] | select(.leaf == "SEAMLDR.INSTALL") | .calls) = 1')
update-remaining @ . @ $(updated '.after.info.decoded.num_remaining_updates += 1')
update-svn @ . @ $(updated '.after.info.decoded.svn_minor += 1')
update-version @ . @ $(updated '.image.version = "1.5.99"')
update-handoff @ . @ $(updated '.after.fields.HANDOFF_DATA_VALID.value = "0x1"')
update-tds @ . @ $(updated '.td_after = 1')
update-runs @ $(updated '.runs_before = 3 | .runs_after = 4') @ $(updated '.runs_after = 3')
linux-stale @ .look.host.CONFIG_TDX_HOST_SERVICES = \"m\" | .look.host.kernel_version = \"1.5.23\" | $(updated '.from = "1.5.23" | .kernel_version = .from') @ $(updated '.kernel_version = .to')
"
# One jq judges all, as each start of it takes a while.
# shellcheck disable=SC2016 # jq's variables
{
	echo 'include "facts"; def verdict($id): .facts = facts | .facts[] | select(.id == $id) | .verdict;'
	awk -F ' @ ' 'NF == 3 {
		print "(\"" $1 " \" + (" $2 " | verdict(\"" $1 "\") + \" \" + (" $3 " | verdict(\"" $1 "\")))),"
	}' <<<"$rows"
	echo 'empty'
} >"$dir/verdicts.jq"
jq -r -L "$lib" -f "$dir/verdicts.jq" tests/hwtest/two-sockets.json >"$dir/verdicts" ||
	fail "the table of facts has a row that jq does not understand"
expect "facts with a row" \
	"$(jq -n -r -L "$lib" 'include "facts"; { steps: [], look: {} } | facts[].id')" \
	"$(cut -d ' ' -f 1 "$dir/verdicts")"
while read -r id verdicts; do
	expect "$id, and against it" "seen contradicted" "$verdicts"
done <"$dir/verdicts"

expect "verdicts on an empty report" "not reached" \
	"$(jq -n -r -L "$lib" 'include "facts"; { steps: [], look: {} } | [facts[].verdict] | unique[]')"
expect "little-endian bytes" "89674523 61389" "$(jq -n -r -L "$lib" \
	'include "decode"; "0123456789abcdef" | little(1; 4) + " \(number(6; 2))"')"

# Each section is a title of docs/firmware.md.
jq -n -r -L "$lib" 'include "facts"; { steps: [], look: {} } | facts[].section' | sort -u |
	while read -r title; do
		grep -qx "##* $title" docs/firmware.md || echo "$title"
	done >"$dir/titles"
expect "sections that docs/firmware.md lacks" '' "$(cat "$dir/titles")"

# --- reports --------------------------------------------------------------------------------------

# run STATUS ARGUMENT...: sets out.
run() {
	local want=$1 status=0

	shift
	out=$("$kit" "$@" 2>&1 </dev/null) || status=$?
	expect "exit status of $*" "$want" "$status"
}

# matches WHAT LINE: out has this line.
matches() {
	expect "$1: $2" 1 "$(grep -cFx -e "$2" <<<"$out")"
}

run 0 compare tests/hwtest/two-sockets.json
matches compare 'Contradicted:'
matches compare 'race-status: docs/firmware.md, Statuses: the shutdown is refused with 0x8000051200010000 while a TD is being built; seen: ["0x8000051200010007"]'
matches compare 'seaminfo.tot_num_sockets: emulator 1, report 2'
matches compare 'calls.TDH.SYS.SHUTDOWN UPDATE_COMPAT_SENSITIVE 0x8000051200010007: emulator null, report "yes"'
run 0 emulator tests/hwtest/two-sockets.json
matches emulator 'platform erratum=0 remaining=60 seamldr=2.0.14 debug=0 unlocked=0 sockets=2 cpu=0x000a06d1,0x000a06d1 room=12288'
matches emulator 'module version=2.0.16 svn=3.8 features0=0x0004800000040002 hv=0-0 no_downgrade=0 handoff_pages=24'
matches emulator 'inject TDH.SYS.SHUTDOWN any 1 0x8000051200010007 0x0'
run 0 emulator tests/hwtest/older.json
matches emulator 'module version=1.5.16 svn=1.4 features0=0x0000000000040002 hv=0-0 no_downgrade=0 handoff_pages=13'

# Evidence: a stage that came to its end; on a host without anything of TDX a stage that stopped
# between two steps, and one that stopped in a step; a torn line.
printf '%s\n' '{"time":"t","run":"0","stage":"look","step":"look","event":"begin"}' \
	'{"time":"t","run":"0","stage":"look","step":"look","event":"end","kind":"look","host":"cpu_vendor=GenuineIntel\npackages=1\nvms=0\n","status":"null\n","now_fields":""}' \
	'{"time":"t","run":"0","stage":"look","step":"","event":"done"}' \
	'{"time":"t","run":"1","stage":"look","step":"look","event":"begin"}' \
	'{"time":"t","run":"1","stage":"look","step":"look","event":"end","kind":"look","host":"cpu_vendor=x\npackages=1\nvms=0\n","status":"null\n","now_fields":""}' \
	'{"time":"t","run":"2","stage":"update","step":"update same","event":"begin"}' \
	'{"time":"t","run":"2","sta' >"$dir/evidence"
out=$(jq -n -R -r -L "$lib" 'include "report"; [inputs] | report("1") | summary' "$dir/evidence")
matches summary 'Verdict: not ready'
matches summary "  in the way: the CPU is not Intel's"
matches summary '  in the way: tdx_hwtest.ko is not loaded, so nothing raw is known'
expect "stages that did not end" "  interrupted: look, after look, t
  interrupted: update, update same, t" "$(grep interrupted: <<<"$out")"
matches summary '  torn: 1 lines of evidence.jsonl cannot be read'
expect "torn lines" 1 "$(jq -n -R -L "$lib" 'include "report"; [inputs] | report("1") | .torn_lines' "$dir/evidence")"

# --- wrong usage ----------------------------------------------------------------------------------

while read -r status arguments; do
	# shellcheck disable=SC2086 # words
	run "$status" $arguments --dir "$dir/stages"
done <<END
64 nonsense
64 look --nonsense
64 look --reads x
64 look --images
64 compare $dir/none
64 compare $lib/emulator.json
END
# Only root gets as far as these.
run $([ "$(id -u)" = 0 ] && echo 69 || echo 77) report --dir "$dir/stages"
run $([ "$(id -u)" = 0 ] && echo 64 || echo 77) look --dir "$dir/stages"
# The answer no stops the first stage before it begins.
if [ "$(id -u)" = 0 ]; then
	status=0
	out=$(script -qec "$kit look --dir $dir/stages" /dev/null <<<n | tr -d '\r') || status=$?
	expect "exit status after no" 2 "$status"
	matches "answer no" "Go on? [y/N] Stopped."
fi
run 64
run 0 help
run 64 update --dir
expect "evidence of stages that were not confirmed" no "$([ -s "$dir/stages/evidence.jsonl" ] || echo no)"

# --- the TD of the kit ---------------------------------------------------------------------------

# shellcheck source=tests/hwtest/td.sh
. tests/hwtest/td.sh

sum_up
