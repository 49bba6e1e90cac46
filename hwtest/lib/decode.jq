# Decodes what tdx_hwtest.ko and the kernel's tracepoints show. Numbers of more than 53 bits stay
# hexadecimal text, as jq's numbers are floating point. Offsets are those of docs/firmware.md.

def hexnum: ascii_downcase | ltrimstr("0x") | explode |
	reduce .[] as $c (0; . * 16 + (if $c >= 97 then $c - 87 else $c - 48 end));

# The bit of a hexadecimal number.
def bit($n): ltrimstr("0x") as $hex | (($hex | length) - 1 - ($n / 4 | floor)) as $i |
	if $i < 0 then false else ($hex[$i:$i + 1] | hexnum) / pow(2; $n % 4) | floor % 2 == 1 end;

# Bytes of a dump, which has two digits for each byte: as they are, as a number, as text.
def bytes($at; $n): .[2 * $at:2 * ($at + $n)];
def little($at; $n): bytes($at; $n) | [range(0; length; 2) as $i | .[$i:$i + 2]] | reverse | join("");
def number($at; $n): little($at; $n) | hexnum;
def hex($at; $n): "0x" + little($at; $n);
def is_zero($at; $n): bytes($at; $n) | test("^0*$");

def lines: split("\n") | map(select(. != ""));

# NAME FIELD STATUS VALUE NEXT NS
def decode_fields: [lines[] | split(" ") |
	{ (.[0]): { id: .[1], status: .[2], value: .[3], next: .[4], ns: (.[5] | tonumber) } }] | add;

# STATUS NS KEPT DATA
def decode_dump: rtrimstr("\n") | split(" ") |
	{ status: .[0], ns: (.[1] | tonumber), registers_kept: (.[2] == "1"), data: .[3] };

# CPU VMX BEFORE DURING AFTER STATUS
def decode_cpus: [lines[] | split(" ") |
	{ cpu: (.[0] | tonumber), vmx: (.[1] == "on"), before: .[2], during: .[3], after: .[4],
	  status: .[5] }];

def decode_msrs: [lines[] | split(" ") | { (.[0]): .[2] }] | add;

def decode_info: .data |
	{ version: number(0; 4), attributes: hex(4; 4), vendor_id: hex(8; 4), build_date: hex(12; 4),
	  build_num: number(16; 2), minor: number(18; 2), major: number(20; 2), update: number(22; 2),
	  acm_x2apicid: number(24; 4), num_remaining_updates: number(28; 4), valid: hex(32; 8),
	  svn_minor: number(40; 1), svn_major: number(41; 1), mrseam: bytes(56; 48),
	  mrsigner: bytes(104; 48), seam_attributes: hex(152; 8), seam_ready: number(160; 1),
	  seam_debug: number(161; 1), p_seam_ready: number(162; 1), features0: hex(168; 8),
	  reserved_is_zero: is_zero(176; 80) };

def decode_seaminfo: .data |
	{ version: number(0; 8), tot_num_lps: number(8; 4), tot_num_sockets: number(12; 4),
	  socket_cpuid: [range(8) as $i | hex(16 + 4 * $i; 4)], p_seamldr_base: hex(48; 8),
	  p_seamldr_size: hex(56; 8), flags: bytes(64; 2),
	  cmrs: [range(32) as $i | select(is_zero(128 + 16 * $i; 16) | not)] | length,
	  reserved_is_zero: (is_zero(66; 62) and is_zero(640; 1408)) };

# The files of tdx_hwtest.ko that were read; null where it was not loaded.
def some(f): if . == null then null else f end;
def decode_raw: if (.fields // "") == "" then null else
	{ fields: (.fields | decode_fields), info: (.seamldr_info | decode_dump | .decoded = decode_info),
	  seaminfo: (.seaminfo | some(decode_dump | .decoded = decode_seaminfo)),
	  cpus: (.cpus | some(decode_cpus)), msrs: (.msrs | some(decode_msrs)) } end;

# Major, minor and update of the running TDX module, as TDH.SYS.RD returns them.
def module_version: .fields | [.MAJOR_VERSION, .MINOR_VERSION, .UPDATE_VERSION] |
	if all(.[]; .status | test("^0x0+$")) then map(.value | hexnum) else null end;

def print_version: if . == null then null else
	"\(.[0]).\(.[1])." + (.[2] | tostring | if length < 2 then "0" + . else . end) end;

# ---- tracepoints of tdx_update ----

# jq is slow with regular expressions, and a trace may have thousands of lines.
def trace_events($event): [lines[] | split(": \($event): ") | select(length == 2) | .[1] |
	split(" ") | map(split("=") | { (.[0]): .[1] }) | add];

# Time in each phase of the last attempt: until the next phase begins. The command may have had a
# recovery image read before, which is an attempt of its own.
def decode_phases: trace_events("phase") | .[(map(.phase) | rindex("name")) // 0:] as $all |
	[range(($all | length) - 1) as $i |
	{ phase: $all[$i].phase, ns: (($all[$i + 1].ns | tonumber) - ($all[$i].ns | tonumber)) }];

# The calls of each leaf, with the same answer counted together.
def decode_calls: trace_events("seamcall") | group_by([.leaf, .raw, .rdx]) |
	map({ leaf: .[0].leaf, status: .[0].status, raw: .[0].raw, rdx: .[0].rdx, calls: length,
	      cpus: (map(.cpu) | unique | length) });

def decode_trace: { phases: decode_phases, calls: decode_calls };

# ---- the TD of the kit ----

# What tdx-update-hwtest-td has printed: a word and what belongs to it, a line each.
def td_line($word): [lines[] | select(startswith($word + " ")) | .[($word | length) + 1:]] | last;
def decode_td: { calls: ([lines[] | select(startswith("step "))] | length), held: td_line("held"),
	expected: td_line("expected"), reported: td_line("reported"), runs: td_line("runs"),
	failed: td_line("failed") };
