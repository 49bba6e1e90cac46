# Makes the report of the evidence: what was seen, what stands in the way, which facts hold.

include "decode";
include "facts";

# What makes an update impossible here, or unwise, as far as the last look shows it.
def obstacles: .look as $look | $look.raw as $raw | [
	(if $look.host.cpu_vendor != "GenuineIntel" then "the CPU is not Intel's" else empty end),
	(if $raw == null then "tdx_hwtest.ko is not loaded, so nothing raw is known" else empty end),
	(if $look.status.interface == null then "neither tdx_update nor the kernel can update a TDX module"
	 elif $look.status.interface != "tdx_update" then "tdx_update is not loaded" else empty end),
	($raw | select(.) |
		(.msrs.IA32_SEAMRR_PHYS_MASK | if . == "#GP" then "this CPU has no SEAM" elif bit(11) | not then
			"the BIOS has not enabled SEAM's memory range" else empty end),
		([.cpus[] | select(.vmx | not)] | if length > 0 then
			"VMX is off on \(length) CPUs: load kvm_intel with tdx=1" else empty end),
		(.info.status | if succeeded | not then "P-SEAMLDR answers \(.)" else empty end)),
	($look.status | select(.interface) | .state | select(.) | if . != "ready" then
		"TDX is \(.)" else empty end),
	(. as $r | $r | if ($r | info) and ($r | info.num_remaining_updates) == 0 then
		"no updates are left until a reboot" else empty end),
	(. as $r | $r | if ($r | seaminfo) and ($r | seaminfo.tot_num_lps) != ($raw.cpus | length) then
		"the platform has \($r | seaminfo.tot_num_lps) logical processors, \($raw.cpus | length) are online"
	 else empty end),
	(. as $r | fields | select(.) | .FEATURES0.value |
		(if bit(1) | not then "the TDX module has no TD_PRESERVING: it cannot be updated" else empty end),
		(if bit(39) or bit(50) then
			"the TDX module has add-on features (FEATURES0 \(.)): see docs/firmware.md, Linux" else empty end)),
	($look.host | if .module_vboxdrv or .module_vmmon then "another hypervisor's module is loaded" else empty end)
];

def remarks: .look as $look | [
	(fields | select(.) | .FEATURES0.value | if bit(47) | not then
		"no UPDATE_COMPAT: an update may spoil a TD that is being built" else empty end),
	($look.host.rsa // "" | split(" ") | map(select(test("qat|hpre"))) | if length > 0 then
		"an accelerator offers RSA: \(join(", "))" else empty end),
	($look.host.lockdown // "none" | if . != "none" then "the kernel is locked down: \(.)" else empty end),
	($look.host.vms | if . == 0 then "no KVM guest ran, so no CPU had a current VMCS" else empty end)
];

# Steps that began and have no end: the stage was killed, or the host died there. A stage that ended
# between two of its steps is listed with the step before.
def interrupted: [group_by(.run)[] | . as $run | map(.event) as $events |
	[group_by(.step)[] | select(.[0].step != "" and all(.[]; .event == "begin")) | .[0]] |
	if . != [] or ($events | index("done")) then .[] else $run[-1] | .step = "after \(.step)" end |
	{ time, stage, step }];

def left_out: ["host name, addresses, serial numbers, users and processes",
	"the kernel's command line but for the options named", "directories of images",
	"addresses of VMCSs: only whether a pointer was kept", "the kernel log"];

# ---- from the evidence ----

def snapshot($name): with_entries(select(.key | startswith($name)) | .key |= .[($name | length):]) |
	decode_raw;
def answer: (.answer | fromjson? // {}) // {};
def or_null: if . == "" then null else . end;
def number_or_null: . // "" | if . == "" then null else tonumber end;
def take($keys): . as $object | $keys | map({ (.): $object[.] }) | add;

def decode_look: (.status | fromjson? // {}) as $status |
	{ host: ([.host | lines[] | capture("^(?<key>[^=]*)=(?<value>.*)$") | { (.key): .value }] | add |
		.packages |= tonumber | .vms |= tonumber | .cpuid = $status.cpu),
	  status: ($status // {} | take(["interface", "driver", "version", "state", "features0",
		"race_protection", "seamldr_version", "updates_left"])),
	  raw: snapshot("now_") };

def decode_step:
	if .kind == "check" then { image } + (answer | { version, svn, result: .expected, reason, total_ns })
	elif .kind == "reads" then { count: (.count | tonumber), failed: (.failed | tonumber),
		different: (.versions | lines | unique | length),
		seconds: ((.centiseconds | tonumber) / 100), vms: (.vms | tonumber) }
	elif .kind == "vmcs" then { before: (.before | decode_cpus), after: (.after | decode_cpus) }
	elif .kind == "refuse" then (.trace // "" | decode_trace) as $trace |
		take(["name", "wanted", "result", "tried"]) + { trace: $trace, shutdowns: ([$trace.calls[] |
			select(.leaf == "TDH.SYS.SHUTDOWN") | .calls] | add // 0) }
	elif .kind == "race" then { trace: (.trace | decode_trace) } +
		(answer | take(["result", "reason", "phase", "leaf", "status", "errno", "error"]))
	elif .kind == "td" or .kind == "build" or .kind == "no-td" then .td | decode_td
	elif .kind == "update" then { name, image: { version: .image_version, svn: .image_svn },
		td_before: (.td_before | fromjson), td_after: (.td_after | fromjson),
		runs_before: (.runs_before | number_or_null), runs_after: (.runs_after | number_or_null),
		trace: (.trace | decode_trace), kernel_version: (.kernel_version | or_null),
		before: snapshot("before_"), after: snapshot("after_") } +
		(answer | take(["result", "reason", "phase", "leaf", "status", "from", "to", "sessions",
			"blackout_ns", "total_ns", "exit", "error"]))
	else {} end;

# From the lines of evidence.jsonl. A line that is torn, as after a power cut, is counted.
def report($version): map(try fromjson catch "torn") | map(select(. == "torn")) as $torn |
	map(select(. != "torn")) | . as $lines | map(select(.event == "end")) |
	{ json_version: 1, kit: $version, made: (now | todate),
	  look: (map(select(.kind == "look")) | last | if . then decode_look else {} end),
	  steps: [.[] | select(.kind != "look") | { time, run, boot, stage, kind } + decode_step],
	  interrupted: ($lines | interrupted), torn_lines: ($torn | length), left_out: left_out } |
	if .look == {} then . + { verdict: "not looked yet", obstacles: [], remarks: [] } else
		.obstacles = obstacles | .remarks = remarks |
		.verdict = (if .obstacles == [] then "ready" else "not ready" end) end |
	.facts = facts;

def count($verdict): [.facts[] | select(.verdict == $verdict)] | length;

def summary: "Verdict: \(.verdict)" + (.obstacles | map("\n  in the way: \(.)") | join("")) +
	"\nFacts: \(count("seen")) seen, \(count("contradicted")) contradicted, " +
	"\(count("not reached")) not reached" +
	([.facts[] | select(.verdict == "contradicted") | "\n  CONTRADICTED \(.id): \(.fact)\n    seen: \(.seen | tojson)"] |
		join("")) +
	(.interrupted | map("\n  interrupted: \(.stage), \(.step), \(.time)") | join("")) +
	if .torn_lines > 0 then "\n  torn: \(.torn_lines) lines of evidence.jsonl cannot be read" else "" end;

def cell: if type == "string" then . else tojson end | gsub("\\|"; "\\|") | gsub("\n"; " ");
def row: "| " + (map(cell) | join(" | ")) + " |";
def table($head): [$head, ($head | map("---"))] + . | map(row) | join("\n");
def section($title): select(length > 0) | "\n## \($title)\n\n" + .;
def bullets: map("- \(.)") | join("\n");

def markdown: "# Report of tdx-update-hwtest \(.kit), \(.made)\n\n" +
	"**\(.verdict)**: \(count("seen")) facts seen, \(count("contradicted")) contradicted, " +
	"\(count("not reached")) not reached.\n" +
	([(.obstacles | bullets | section("In the way")),
	  (.remarks | bullets | section("Remarks")),
	  (.interrupted | map("\(.time) \(.stage): \(.step)") | bullets |
		section("Steps that did not end")),
	  (if .torn_lines > 0 then "\(.torn_lines) lines of evidence.jsonl cannot be read" else "" end |
		section("Torn evidence")),
	  ([.facts[] | [.id, .verdict, .section, .fact, .seen]] |
		table(["fact", "verdict", "docs/firmware.md", "what it says", "what was seen"]) |
		section("Facts")),
	  ([.steps[] | select(.kind == "check") | [.image, .version, .result, .reason, .total_ns]] |
		select(length > 0) | table(["image", "version", "result", "reason", "ns"]) | section("Checks")),
	  ([.steps[] | select(.kind == "refuse") | [.name, .wanted, .result, .shutdowns]] | select(length > 0) |
		table(["refusal", "expected", "seen", "shutdowns"]) | section("Refusals")),
	  ([.steps[] | select(.kind == "race") | [.time, .result, .reason, (.trace.calls[] |
		select(.leaf == "TDH.SYS.SHUTDOWN") | .raw) // null]] | select(length > 0) |
		table(["update while a TD is built", "result", "reason", "status of the shutdown"]) |
		section("Races")),
	  ([.steps[] | select(.kind == "td" or .kind == "no-td") | [.time, .calls, .expected, .reported,
		.failed]] | select(length > 0) |
		table(["TD of the kit", "calls of KVM", "measurement expected", "reported", "failed"]) |
		section("TDs")),
	  ([.steps[] | select(.kind == "update") | [.name, .from, .to, .result, .reason, .blackout_ns,
		.td_after, .runs_before, .runs_after]] | select(length > 0) |
		table(["update", "from", "to", "result", "reason", "blackout ns", "--alive after",
		"TD counted before", "after"]) | section("Updates")),
	  ([.steps[] | select(.kind == "update") | . as $u | .trace.phases[] | [$u.name, .phase, .ns]] |
		select(length > 0) | table(["update", "phase", "ns"]) | section("Phases")),
	  ([.look.host // {} | to_entries[] | [.key, .value]] | table(["host", ""]) | section("Host")),
	  ([.look.raw.fields // {} | to_entries[] | [.key, .value.id, .value.status, .value.value, .value.ns]] |
		select(length > 0) | table(["field", "number", "status", "value", "ns"]) |
		section("TDH.SYS.RD")),
	  ([.look.raw.info.decoded // {} | to_entries[] | [.key, .value]] | select(length > 0) |
		table(["SEAMLDR.INFO", ""]) | section("SEAMLDR.INFO")),
	  ([.look.raw.seaminfo.decoded // {} | to_entries[] | [.key, .value]] | select(length > 0) |
		table(["SEAMLDR.SEAMINFO", ""]) | section("SEAMLDR.SEAMINFO")),
	  ([.look.raw.msrs // {} | to_entries[] | [.key, .value]] | select(length > 0) |
		table(["MSR", ""]) | section("MSRs")),
	  (.left_out | bullets | section("Left out"))] | join("\n"));
