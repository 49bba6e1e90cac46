#!/bin/sh
# A wrong command line changes nothing, calls no firmware, and exits with 64. help and explain need
# no host.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
expect_tool 0 help
help=$OUT
expect_tool 0 --help
expect "help and --help" "$help" "$OUT"
expect_tool 0 --version
version=$OUT
expect_tool 0 -V
expect "-V and --version" "$version" "$OUT"
expect --version "tdx-update $(modinfo -F version tdx_update)" "$version"
expect_tool 0 explain update-race
expect_match explain '^update-race \(EBUSY, 16\)$' "$OUT"
expect_match explain '^  exit +75$' "$OUT"
race=$OUT
for name in EBUSY ebusy 16 -16; do
	expect_tool 0 explain $name
	expect "explain $name" "$race" "$OUT"
done
expect_tool 0 explain EINVAL
expect "results of EINVAL" "bad-name bad-image" "$(echo "$OUT" | sed -n 's/ (EINVAL.*//p' | tr '\n' ' ' | sed 's/ $//')"
expect_tool 0 explain EPERM
on_terminal 0 explain lost

setup
image=/lib/firmware/test/v2.blob
before="$(emu counters) $(tdx last/result)"
while read -r words; do
	# shellcheck disable=SC2086 # words
	expect_tool 64 $words
	expect "output of $words" '' "$OUT"
	expect_match "complaint about $words" '^tdx-update: ' "$ERR"
done <<END

update $image
Apply $image
--apply $image
status $image
status --jsn
status --json --json
status --json --prometheus
status --latest
list
list /lib/firmware/test /lib/firmware/test
list /lib/firmware/test --wait 5
check
check $image $image
check --dry-run $image
apply
apply $image $image
apply $image --wiat 5
apply $image --wait
apply $image --wait 5s
apply $image --wait -5
apply $image --wait=
apply $image --dry-run=yes
apply $image --dryrun
apply $image -n
apply $image --recovery
apply $image --latest /lib/firmware/test
apply --latest
apply --latest /lib/firmware/test $image
apply -- $image --json
explain
explain EBUSY lost
help apply
--version --json
END
expect_tool 64 explain no-such
expect_tool 64 apply ''
on_terminal 64 apply $image --wiat 5
expect "calls and last result" "$before" "$(emu counters) $(tdx last/result)"
expect version 1.5.24 "$(tdx version)"
expect_nothing_left typos
