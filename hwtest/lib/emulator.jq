# Prints the settings that make the emulator (tests/emu) answer as in a report: FILE WORDS, a file a
# line. The number of LPs is not among them: that is the guest's own.

include "decode";

def flag: if . then 1 else 0 end;

def platform: .look.raw as $raw | $raw.info.decoded as $info | $raw.seaminfo.decoded as $seaminfo |
	["erratum=\($raw.msrs.IA32_VMX_BASIC | bit(60) | not | flag)",
	 "remaining=\($info.num_remaining_updates)",
	 "seamldr=\([$info.major, $info.minor, $info.update] | print_version)",
	 "debug=\($info.attributes | bit(31) | flag)",
	 "unlocked=\($raw.msrs.SGX_DEBUG_MODE | if . == "#GP" then false else bit(1) end | flag)",
	 "sockets=\($seaminfo.tot_num_sockets)",
	 "cpu=\($seaminfo.socket_cpuid[:$seaminfo.tot_num_sockets] | join(","))",
	 "room=\((($seaminfo.p_seamldr_base | hexnum) - ($raw.msrs.IA32_SEAMRR_PHYS_BASE | .[:-3] + "000" |
		hexnum)) / 4096)"];

def tdx_module: .look.raw as $raw | ($raw.fields | map_values(.value)) as $value |
	["version=\($raw | module_version | print_version)",
	 "svn=\($raw.info.decoded | "\(.svn_major).\(.svn_minor)")",
	 "features0=\($value.FEATURES0)"] +
	if $value.FEATURES0 | bit(1) then
		["hv=\($value.MIN_UPDATE_HV | hexnum)-\($value.MODULE_HV | hexnum)",
		 "no_downgrade=\($value.NO_DOWNGRADE | hexnum)",
		 "handoff_pages=\($value.NUM_HANDOFF_PAGES | hexnum)"]
	else [] end;

# The longest time of each leaf that was called alone, and of the phases that are one call.
def delays: ([.steps[] | select(.kind == "update") | .trace.phases[]]) as $phases |
	[["TDH.SYS.RD", (.look.raw.fields | map(.ns) | max)],
	 ["SEAMLDR.INFO", .look.raw.info.ns], ["SEAMLDR.SEAMINFO", .look.raw.seaminfo.ns],
	 (["TDH.SYS.SHUTDOWN", "shutdown"], ["SEAMLDR.INSTALL.close", "install"], ["TDH.SYS.UPDATE", "update"] |
		[.[0], (.[1] as $name | $phases | map(select(.phase == $name) | .ns) | max)])] |
	map(select(.[1]) | "\(.[0])=\(.[1])");

# Each answer of an update that was not success, once.
def faults: [.steps[] | select(.trace) | .trace.calls[] | select(.status != "SUCCESS") |
	"\(.leaf) any 1 \(.raw) \(.rdx)"] | unique;

def settings: "platform " + (platform | join(" ")), "module " + (tdx_module | join(" ")),
	"delay " + (delays | join(" ")), (faults[] | "inject " + .);
