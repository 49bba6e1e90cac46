#!/bin/sh
# apply --online-cpus on a host that was booted with nosmt: SMT is switched on for the update, and
# off again.
# SMP: 4
# BOOT: nosmt
# SANITIZERS: no
. /tests/lib.sh
. /tests/tool.sh
CPUS=/sys/devices/system/cpu
expect "SMT" off "$(cat $CPUS/smt/control)"
[ "$(cat $CPUS/online)" = 0,2 ] || die "CPUs $(cat $CPUS/online) are online, not one of each core"
setup
expect_fails store_text $CPUS/cpu1/online 1

expect_tool 1 apply /lib/firmware/test/a.blob --recovery none
expect_match "without the option" "'apply --online-cpus' brings them online" "$ERR"
td_build 1
# A core whose first thread is offline as well.
echo 0 >$CPUS/cpu2/online
expect_tool 0 apply /lib/firmware/test/a.blob --recovery none --online-cpus --json
expect "brought online" "1-3 1.5.25" "$(json '"\(.cpus_brought_online) \(.to)"')"
expect "CPUs afterwards" 0 "$(cat $CPUS/online)"
expect "SMT afterwards" off "$(cat $CPUS/smt/control)"
echo 1 >$CPUS/cpu2/online
expect_tds_alive 1

expect_tool 1 apply /lib/firmware/test/bad-hash.blob --recovery none --online-cpus
expect "CPUs after a refusal" 0,2 "$(cat $CPUS/online)"
expect "SMT after a refusal" off "$(cat $CPUS/smt/control)"

# SMT is forced off: the command reports that, and the module refuses.
echo forceoff >$CPUS/smt/control
expect_tool 1 apply /lib/firmware/test/b.blob --recovery none --online-cpus
expect_match "what it says" 'SMT is forced off' "$ERR"
expect_match "result" 'cpu-offline' "$ERR"
expect "CPUs" 0,2 "$(cat $CPUS/online)"
expect_nothing_left "nosmt"
