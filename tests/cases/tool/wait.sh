#!/bin/sh
# apply --wait outlasts a race, or gives up when its time is over. It shows what it waits for on a
# terminal only.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
setup remaining=100

# The race outlasts the command.
td_ok new 1
mark_dmesg
before=$(uptime_s)
expect_tool 75 apply /lib/firmware/test/a.blob --recovery none --wait 2 --json
took=$(($(uptime_s) - before))
expect_ge "seconds waited" 2 $took
expect_le "seconds waited" 5 $took
expect result update-race "$(json .result)"
expect_ge tries 3 "$(json .tries)"
expect_le tries 4 "$(json .tries)"
expect tries "$(counter TDH.SYS.SHUTDOWN)" "$(json .tries)"
expect "log lines" 1 "$(dmesg_since_mark | grep -c tdx_update:)"
expect "on a pipe" '' "$ERR"
on_terminal 75 apply /lib/firmware/test/a.blob --recovery none --wait 1
expect_match "on a terminal" 'waiting for a TD that is being built or migrated: [0-9]+ tries, [0-9]+ of 1 s' "$OUT"
expect version 1.5.24 "$(tdx version)"

# The race ends.
td_ok add 1 2
before=$(counter TDH.SYS.SHUTDOWN)
refused() {
	[ "$(counter TDH.SYS.SHUTDOWN)" -gt "$before" ]
}
(wait_for 60 refused; echo "finalize 1" >"$TD/cmd") &
expect_tool 0 apply /lib/firmware/test/a.blob --recovery none --wait 60 --json
expect "with success" "success 1.5.25" "$(json '"\(.result) \(.to)"')"
expect_ge tries 2 "$(json .tries)"
td_ok enter 1
td_build 2
td_ok export 2
before=$(counter TDH.SYS.SHUTDOWN)
(wait_for 60 refused; echo "export-end 2" >"$TD/cmd") &
expect_tool 0 apply /lib/firmware/test/v2.blob --recovery none --wait 60 --json
expect "with success after an export" "success 1.5.26" "$(json '"\(.result) \(.to)"')"
expect_ge tries 2 "$(json .tries)"
td_ok destroy 2

# The command waits for nothing else.
before=$(uptime_s)
expect_tool 1 apply /lib/firmware/test/bad-svn.blob --recovery none --allow-downgrade --wait 60 --json
expect "tries" 1 "$(json .tries)"
expect_le "seconds waited" 5 $(($(uptime_s) - before))

# A real builder, which leaves gaps between its TDs.
td_set pace_us 100
td_set pages 1
td_set threads builders=1
before=$(counter TDH.SYS.SHUTDOWN)
expect_tool 0 apply /lib/firmware/test/b.blob --recovery none --wait 60
expect_tool 0 apply /lib/firmware/test/a.blob --recovery none --allow-downgrade --wait 60
td_set threads builders=0
note "2 updates took $(($(counter TDH.SYS.SHUTDOWN) - before)) tries"
expect_ge "TDs built" 1 "$(td_stat built)"
expect "wrong measurements" 0 "$(td_stat wrong)"
expect "spoiled builds" 0 "$(emu_get state spoiled)"
expect_tds_alive 1

# A builder outlasts the command: its TD takes a minute and a half to build.
td_set pages 64
td_set pace_us 100000
td_set stats clear
td_set threads builders=1
adds_pages() {
	td_file stats | grep -q 'TDH.MEM.PAGE.ADD 0x0 '
}
wait_for 60 adds_pages || fail "the builder does not begin"
version=$(tdx version)
expect_tool 75 apply /lib/firmware/test/b.blob --recovery none --wait 1 --json
expect "race with a builder" "update-race nothing" "$(json '"\(.result) \(.changed)"')"
expect_ge "tries against a builder" 2 "$(json .tries)"
expect "version after it" "$version" "$(tdx version)"
td_set threads builders=0
expect "wrong measurements" 0 "$(td_stat wrong)"
expect_tds_alive 1
expect_nothing_left waits
