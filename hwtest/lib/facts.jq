# The facts of docs/firmware.md that only hardware can prove: the one table of them. A row has an
# id, the section, the fact, what was seen (null: not reached) and whether that agrees.

include "decode";

def fact($id; $section; $text; seen; agrees): (seen) as $seen |
	{ id: $id, section: $section, fact: $text, seen: $seen,
	  verdict: (if $seen == null then "not reached"
		    elif ($seen | agrees) then "seen" else "contradicted" end) };

def steps($kind): [.steps[] | select(.kind == $kind)];
# Whether this status is SUCCESS. Without a status it is not.
def succeeded: . // "none" | test("^0x0+$");

def raw: .look.raw;
def info: raw.info | if .status | succeeded then .decoded else null end;
def seaminfo: raw.seaminfo | if .status | succeeded then .decoded else null end;
def fields: raw.fields | if .FEATURES0.status | succeeded then . else null end;
def preserving: fields | if . and (.FEATURES0.value | bit(1)) then . else null end;
def running: raw | if . then module_version else null end;

# CPUs that had a current VMCS, whenever the pointers were read.
def with_vmcs: [raw.cpus[]?, (steps("vmcs")[] | .before[], .after[]) |
	select(.before == "vmcs")];

# Updates that succeeded, with what tdx_hwtest.ko showed before and after.
def updates: [steps("update")[] | select(.result == "success")];
def none_if_empty: if length == 0 then null else . end;
def calls_of($leaf): [steps("update")[], steps("refuse")[], steps("race")[] | .trace.calls[]? | select(.leaf == $leaf)];

# Versions from which TDX modules have UPDATE_COMPAT, by series.
def first_compat: { "1.5": 24, "2.0": 14 };
def series: if . == null then null else "\(.[0]).\(.[1])" end;
def of_series($table): (running | series) as $series | if $series then $table[$series] else null end;

def facts: . as $report | [
	fact("vmcs-bit-60"; "Current VMCS";
		"bit 60 of IA32_VMX_BASIC says whether a call of P-SEAMLDR keeps the current VMCS";
		with_vmcs | none_if_empty |
			if . then { bit_60: ($report | raw.msrs.IA32_VMX_BASIC | bit(60)),
				    during_the_call: (map(.during) | unique) } else null end;
		.during_the_call == [if .bit_60 then "vmcs" else "none" end]),
	fact("vmcs-restored"; "Current VMCS";
		"VMPTRLD after the call restores the current VMCS";
		with_vmcs | none_if_empty | if . then map(.after) | unique else null end;
		. == ["vmcs"]),
	fact("seamldr-registers"; "SEAMCALL";
		"P-SEAMLDR changes RAX and RDX and no other general register";
		if info and seaminfo then raw | [.info, .seaminfo] | map(.registers_kept) else null end;
		all),
	fact("rd-fields"; "Metadata fields";
		"a TDX module with TD_PRESERVING has every field of the table";
		preserving | if . then [to_entries[] | select(.key != "UNKNOWN" and
			(.value.status | succeeded | not)) | "\(.key): \(.value.status)"] else null end;
		. == []),
	fact("rd-unknown"; "Metadata fields";
		"an unknown field is METADATA_FIELD_ID_INCORRECT";
		fields.UNKNOWN.status; startswith("0xc0000c00")),
	fact("rd-failed"; "Metadata fields";
		"a failed read returns RDX = all ones and R8 = 0";
		fields.UNKNOWN | if . then [.next, .value] else null end;
		. == ["0xffffffffffffffff", "0x0000000000000000"]),
	fact("update-compat"; "Metadata fields";
		"TDX modules from 1.5.24 and from 2.0.14 have UPDATE_COMPAT, earlier ones do not";
		if of_series(first_compat) and fields then
			{ version: (running | print_version), bit_47: (fields.FEATURES0.value | bit(47)),
			  expected: (running[2] >= of_series(first_compat)) } else null end;
		.bit_47 == .expected),
	fact("handoff-version"; "SEAM_SIGSTRUCT";
		"released TDX modules write handoff version 0";
		preserving | if . then [.MODULE_HV, .MIN_UPDATE_HV] | map(.value | hexnum) else null end;
		. == [0, 0]),
	fact("handoff-pages"; "SEAM_SIGSTRUCT";
		"1.5.x has 13 handoff pages, 2.0.x has 24";
		if preserving and of_series({ "1.5": 13, "2.0": 24 }) then
			{ pages: (preserving.NUM_HANDOFF_PAGES.value | hexnum),
			  expected: of_series({ "1.5": 13, "2.0": 24 }) } else null end;
		.pages == .expected),
	fact("handoff-cleared"; "Handoff data";
		"no handoff data waits while a TDX module runs";
		preserving | if . then .HANDOFF_DATA_VALID.value | hexnum else null end;
		. == 0),
	fact("probe-ready"; "TDX module leaves";
		"a running TDX module answers TDH.PHYMEM.PAGE.RDMD of no page with OPERAND_INVALID";
		if info.valid == "0x00000000000001ff" then .look.status.state else null end;
		. == "ready"),
	fact("info-constants"; "SEAMLDR.INFO";
		"version 0, vendor 0x8086, MRSIGNER, attributes and the reserved bytes 0";
		info | if . then [.version, .vendor_id, (.mrsigner | test("^0*$")), .seam_attributes,
				  .reserved_is_zero] else null end;
		. == [0, "0x00008086", true, "0x0000000000000000", true]),
	fact("info-valid"; "SEAMLDR.INFO";
		"valid is 0x1FF for an installed TDX module";
		if .look.status.state == "ready" then info.valid else null end;
		. == "0x00000000000001ff"),
	fact("info-ready"; "SEAMLDR.INFO";
		"seam_ready is 1 while the TDX module is open to calls";
		if .look.status.state == "ready" then info.seam_ready else null end;
		. == 1),
	fact("info-features0"; "SEAMLDR.INFO";
		"bit 1 of features0 is set";
		info | if . then .features0 else null end; bit(1)),
	fact("info-update"; "SEAMLDR.INFO";
		"loaders after 1.5.02 show their update number";
		info | if . and [.major, .minor] == [1, 5] and .build_date > "0x20240000" then .update
		       else null end;
		. > 2),
	fact("svn-major"; "SEAM_SIGSTRUCT";
		"1.5.x has SVN major 1, 2.0.x has 3, and SEAMLDR.INFO has the major in byte 1";
		if info and of_series({ "1.5": 1, "2.0": 3 }) then
			{ major: info.svn_major, expected: of_series({ "1.5": 1, "2.0": 3 }) }
		else null end;
		.major == .expected),
	fact("seaminfo-constants"; "SEAMLDR.SEAMINFO";
		"version 0, and the reserved bytes 0";
		seaminfo | if . then [.version, .reserved_is_zero] else null end;
		. == [0, true]),
	fact("seaminfo-lps"; "SEAMLDR.SEAMINFO";
		"tot_num_lps is the number of CPUs where all of them are online";
		if seaminfo and .look.host.cpus_online == .look.host.cpus_present then
			{ tot_num_lps: seaminfo.tot_num_lps, cpus: (raw.cpus | length) } else null end;
		.tot_num_lps == .cpus),
	fact("seaminfo-sockets"; "SEAMLDR.SEAMINFO";
		"tot_num_sockets is the number of packages, 1 to 8";
		if seaminfo then { tot_num_sockets: seaminfo.tot_num_sockets,
				   packages: .look.host.packages } else null end;
		.tot_num_sockets == .packages and .packages >= 1 and .packages <= 8),
	fact("seaminfo-cpuid"; "SEAMLDR.SEAMINFO";
		"each socket has its CPUID(1).EAX, but for the stepping that of this CPU";
		if seaminfo and .look.host.cpuid then
			{ sockets: [seaminfo | .tot_num_sockets as $n | .socket_cpuid[:$n][] | .[:-1]] | unique,
			  cpu: ("0x000" + (.look.host.cpuid | ascii_downcase | ltrimstr("0x"))[:-1]) }
		else null end;
		.sockets == [.cpu]),
	fact("seamrr"; "Memory of a TDX module";
		"SEAM's range is enabled by bit 11 of MSR 0x1401, and P-SEAMLDR lies above its base";
		if seaminfo then raw.msrs | { mask: .IA32_SEAMRR_PHYS_MASK, base: .IA32_SEAMRR_PHYS_BASE,
			p_seamldr: ($report | seaminfo.p_seamldr_base) } else null end;
		(.mask | bit(11)) and .base < .p_seamldr),
	fact("reads"; "SEAMCALL";
		"P-SEAMLDR answers each of thousands of reads, KVM guests running or not";
		steps("reads") | last;
		.failed == 0 and .different == 1),
	fact("refused"; "SEAMLDR.INSTALL";
		"an image that the firmware would refuse is refused before the shutdown";
		steps("refuse") | map(select(.result != "none")) | none_if_empty |
			if . then map(select(.result != .wanted or .shutdowns > 0) |
				"\(.name): \(.result), shutdowns: \(.shutdowns)") else null end;
		. == []),
	fact("race-status"; "Statuses";
		"the shutdown is refused with 0x8000051200010000 while a TD is being built";
		[calls_of("TDH.SYS.SHUTDOWN")[] | select(.raw[:10] == "0x80000512") | .raw] | unique |
			none_if_empty;
		. == ["0x8000051200010000"]),
	fact("race-refused"; "Update-sensitive operations";
		"an update that may not spoil a TD's build is refused while one is under way";
		if fields and (fields.FEATURES0.value | bit(47)) then steps("race") | last.result else null end;
		. == "update-race"),
	fact("race-measurement"; "TD reports";
		"MRTD is the hash of what MEM.PAGE.ADD and MR.EXTEND add, also after a refusal in between";
		[steps("td")[] | select(.reported) | { expected, reported }] | none_if_empty;
		all(.[]; .expected == .reported)),
	fact("update-installs"; "SEAMLDR.INSTALL";
		"every LP calls once a session, and each call answers SUCCESS";
		updates | none_if_empty | if . then map([.trace.calls[] |
				select(.leaf == "SEAMLDR.INSTALL") | [.status, .calls, .cpus]] |
				{ calls: ., lps: ($report | seaminfo.tot_num_lps) }) | unique else null end;
		all(.[]; .lps as $lps | .calls == [["SUCCESS", $lps, $lps]])),
	fact("update-remaining"; "SEAMLDR.INSTALL";
		"num_remaining_updates falls by one with each update";
		updates | none_if_empty | if . then map(.before.info.decoded.num_remaining_updates -
				.after.info.decoded.num_remaining_updates) | unique else null end;
		. == [1]),
	fact("update-svn"; "SEAMLDR.INSTALL";
		"TEE_TCB_SVN is the new image's after an update";
		updates | none_if_empty | if . then map(select(.image.svn != "\(.after.info.decoded |
				"\(.svn_major).\(.svn_minor)")") | "\(.image.svn) became \(.after.info.decoded |
				"\(.svn_major).\(.svn_minor)")") else null end;
		. == []),
	fact("update-version"; "TDH.SYS.UPDATE";
		"TDH.SYS.RD returns the new image's version after an update";
		updates | none_if_empty | if . then map(select(.image.version !=
				(.after | module_version | print_version)) |
				"\(.image.version) became \(.after | module_version | print_version)") else null end;
		. == []),
	fact("update-handoff"; "Handoff data";
		"TDH.SYS.UPDATE clears the valid flag of the handoff data";
		updates | none_if_empty |
			if . then map(.after.fields.HANDOFF_DATA_VALID.value | hexnum) | unique else null end;
		. == [0]),
	fact("update-tds"; "TDH.SYS.UPDATE";
		"the TDs live on after an update";
		updates | map(select(.td_before == 0) | .td_after) | none_if_empty | if . then unique else null end;
		. == [0]),
	fact("update-runs"; "TDH.SYS.UPDATE";
		"a TD's vCPU goes on after an update";
		updates | map(select(.runs_before) | [.runs_before, .runs_after]) | none_if_empty;
		all(.[]; .[1] != null and .[1] > .[0])),
	fact("linux-stale"; "Linux";
		"tdx_host/version shows the old TDX module after an update from outside";
		.look.host.kernel_version as $shown |
			if .look.host.CONFIG_TDX_HOST_SERVICES | not then [] else updates end |
			map(select(.kernel_version and .from != .to and $shown != .to) | .kernel_version == .to) |
			none_if_empty | if . then unique else null end;
		. == [false])
];
