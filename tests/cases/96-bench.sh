#!/bin/sh
# What `make bench` rests on: it finds the code of either driver; mainline's blackout has the SEAMCALLs that its path is
# made of; the table is whole, and a bound that is missed makes it fail.
# SMP: 1 4
. /tests/lib.sh
. /tests/mainline.sh
. /tests/blackout.sh
setup_beside remaining=1000
load
td_build 1

for driver in $DRIVERS; do
	code=$(say_code "$driver")
	note "$code"
	expect_match "where $driver is" "^code $driver( [0-9a-f]{16}){5} [0-9]+ [0-9]+$" "$code"
	one_update "$driver"
	emu_set log 1
	one_update "$driver"
	expect_tds_alive 1
done

# Those in the blackout are all of mainline's update; the case entered the TD afterwards.
all() {
	seq "$(nproc)" | sed "s/.*/$1/"
}
expect "mainline's SEAMCALLs" "$(echo TDH.SYS.RD TDH.SYS.SHUTDOWN "$(all SEAMLDR.INSTALL)" TDH.SYS.INIT \
	"$(all TDH.SYS.LP.INIT)" TDH.SYS.UPDATE TDH.SYS.RD TDH.SYS.RD TDH.SYS.RD | xargs)" \
	"$(emu log | awk '$3 != "TDH.VP.ENTER" && $3 != "TDH.MNG.RD" { print $3 }' | xargs)"

# figures CPUS OURS MAINLINES: the plugin's lines of two blackouts of each driver, with so much time beyond the path.
figures() {
	for driver in tdx_update mainline_tdx; do
		[ $driver = tdx_update ] && beyond=$2 || beyond=$3
		for more in 0 1; do
			echo "blackout driver=$driver cpus=$1 calls=9 ns=$((100000 + beyond + more)) path=100000" \
				"quiesce=1 to_install=1 install=1 to_init=1 to_update=1 leave=1 overflows=0"
		done
	done
}
table() {
	awk -v updates=2 -f /tests/blackout.awk "$TMP/figures" >"$TMP/table"
}
{ figures 4 2000 2500; figures 8 1700 2500; } >"$TMP/figures"
expect_ok table
cat "$TMP/table"
expect "rows by number of columns" "4 10" \
	"$(awk -F '|' '/^\|/ { n[NF]++ } END { for (c in n) print n[c], c }' "$TMP/table")"
while read -r cpus ours mainlines; do
	figures "$cpus" "$ours" "$mainlines" >"$TMP/figures"
	expect_fails table
done <<'END'
4 2600 2500
8 1800 2500
4 3100 5000
END
figures 4 2000 2500 | sed 1d >"$TMP/figures"
expect_fails table
figures 4 2000 2500 | sed 's/ path=[0-9]*//' >"$TMP/figures"
expect_fails table
