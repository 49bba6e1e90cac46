#!/bin/sh
# The driver that `make bench` compares ours with carries updates out and refuses races, and the
# tables are whole.
# SMP: 2 4
. /tests/lib.sh
. /tests/blackout.sh
setup_emu remaining=1000
emu_set platform crypto=0
td_build 1

compare 1 2 mode=wall >"$TMP/raw"
expect_tds_alive 1
expect "updates of each driver that were measured" "2 tdx_update 2 tdx_update_locked" \
	"$(sed -n 's/^figures driver=\([a-z_]*\) .*/\1/p' "$TMP/raw" | sort | uniq -c | xargs)"
expect "SEAMCALLs in a blackout" "$((2 * $(nproc) + 3))" \
	"$(sed -n 's/.* calls=//p' "$TMP/raw" | sort -u)"

# It is the other one, and not ours once more.
expect_match "functions of the comparison" " acknowledge.\[tdx_update_locked\]$" \
	"$(grep -F '[tdx_update_locked]' /proc/kallsyms)"
td_ok new 2
measured_update EBUSY "figures driver=tdx_update_locked cpus=$(nproc) mode=refused" >>"$TMP/raw"
expect last/result update-race "$(tdx last/result)"
expect "SEAMCALLs before a refusal" 1 "$(tail -n 1 "$TMP/raw" | sed -n 's/.* calls=//p')"
td_ok finalize 2
measured_update 0 unused >/dev/null
expect_tds_alive 1 2

# Each row has a cell for each head, and nothing is left empty.
awk -f /tests/blackout.awk "$TMP/raw" >"$TMP/table"
cat "$TMP/table"
expect "rows of the table, by number of columns" "4 11" \
	"$(awk -F '|' '/^\|/ { n[NF - 2]++ } END { for (c in n) print n[c], c }' "$TMP/table")"
expect "empty cells" "" "$(grep -E '\| +\|' "$TMP/table")"
