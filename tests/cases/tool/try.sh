#!/bin/sh
# The three lines that `make try` suggests do what it says of them: an update, a refusal while a TD
# is being built, and a failed install after which the recovery image runs. The first TD lives on.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
setup_none
# The shell reads the lines once it has printed them; exit ends it.
mkfifo "$TMP/typed"
sh /tests/try.sh <"$TMP/typed" >"$TMP/try" 2>&1 &
exec 3>"$TMP/typed"
wait_for 60 grep -q 'exit powers off' "$TMP/try" || die "no shell: $(cat "$TMP/try")"
lines=$(sed -n 's/^  //p' "$TMP/try")
expect "lines" 3 "$(echo "$lines" | wc -l)"
{ echo "$lines"; echo exit; } >&3
exec 3>&-
wait $!
said=$(cat "$TMP/try")
note "$said"
expect_match "the update" 'installed, TDs live; 1\.5\.24 -> 1\.5\.25;' "$said"
expect_match "the race" 'update-race \(EBUSY\)' "$said"
expect_match "the fault" 'recovered \(ECANCELED\)' "$said"
expect version 1.5.25 "$(tdx version)"
td_ok enter 1
expect verdict good "$(td_get 1 verdict)"
rm -r /lib/firmware/intel /root.profile
