# Compares a report with what the project's emulator answers, which emulator.json has.

include "decode";

# What of a report does not depend on the moment: answers of the firmware, not times and counts.
def set: map({ (.): "yes" }) | add // {};
def comparable: .look.raw as $raw | .steps as $steps | {
	fields: ($raw.fields // {} | map_values([.status, .value] | join(" "))),
	info: ($raw.info.decoded // {} | del(.mrseam)),
	seaminfo: ($raw.seaminfo.decoded // {} | del(.tot_num_lps)),
	msrs: ($raw.msrs // {}),
	vmcs: ([$raw.cpus[]? | "\(.before), \(.during), \(.after), \(.status)"] | set),
	refusals: ([$steps[] | select(.kind == "refuse") | { (.name): .result }] | add // {}),
	updates: ([$steps[] | select(.kind == "update") | .result // .error // "no answer"] | set),
	phases: ([$steps[] | select(.kind == "update") | .trace.phases[].phase] | set),
	calls: ([$steps[] | select(.kind == "update") | .trace.calls[] |
		"\(.leaf) \(.status) \(.raw)"] | set) };

# Leaf values by path. A part that a report has not reached is left out of the comparison.
def flat: [paths(type != "object" and type != "array" or length == 0) as $path | select($path | length > 1) |
	{ ($path | map(tostring) | join(".")): getpath($path) }] | add // {};
def reached($part): .[$part] | length > 0;
def only($other): with_entries(.key as $key | select($other | reached($key)));

def common($other): with_entries(select(.key | in($other)));

def compare($told): comparable as $all |
	# Which refusals could be tried depends on the images.
	($all | .refusals |= common($told.refusals)) as $here |
	($told | .refusals |= common($all.refusals)) as $emulator |
	([.facts[] | select(.verdict == "contradicted") |
		"\(.id): docs/firmware.md, \(.section): \(.fact); seen: \(.seen | tojson)"] |
		if . == [] then "No fact is contradicted." else "Contradicted:", .[] end),
	(($here | only($emulator) | flat) as $a | ($emulator | only($here) | flat) as $b |
		[($a + $b | keys[]) | select($a[.] != $b[.]) |
			"\(.): emulator \($b[.] | tojson), report \($a[.] | tojson)"] |
		if . == [] then "The emulator answers the same." else "The emulator answers otherwise:", .[] end);
