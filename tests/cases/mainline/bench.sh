#!/bin/sh
# `make bench` can rely on this: both drivers update in turn, their blackouts have the SEAMCALLs
# that it counts as the firmware's path, say_code prints where their code is, and the tables are
# complete.
# NEEDS: KERNEL=7.3
# SMP: 2 4
. /tests/lib.sh
. /tests/mainline.sh
. /tests/blackout.sh
setup_drivers
td_build 1
cpus=$(nproc)

# calls_of DRIVER: make one update by it and print its SEAMCALLs, as LEAF COUNT LEAF COUNT...
calls_of() {
	emu_set log 1
	update_by "$1"
	emu log | awk '
		leaf != $3 {
			text = text (leaf ? n " " : "") $3 " "
			leaf = $3
			n = 0
		}
		{ n++ }
		END { print text n }'
}

blackout="TDH.SYS.SHUTDOWN 1 SEAMLDR.INSTALL $cpus TDH.SYS.INIT 1 TDH.SYS.LP.INIT $cpus"
blackout="$blackout TDH.SYS.UPDATE 1"
for round in 1 2; do
	expect_match "our SEAMCALLs, $round" " $blackout( |$)" "$(calls_of tdx_update)"
	expect "mainline's SEAMCALLs, $round" "TDH.SYS.RD 1 $blackout TDH.SYS.RD 3" \
		"$(calls_of mainline_tdx)"
done
expect updates 4 "$(emu_get state updates)"
expect_tds_alive 1

# The emulator's code lies outside the driver's, so the plugin can tell a trap from the driver.
emulator=$(sort /proc/kallsyms | awk '$4 == "[tdx_emu]" && $2 ~ /[tT]/ { print $1; exit }')
say_code >"$TMP/code"
expect "drivers whose code is known" 2 "$(wc -l <"$TMP/code")"
for driver in tdx_update mainline_tdx; do
	expect_match "code of $driver" "^code $driver( [0-9a-f]{16}){5}$" "$(cat "$TMP/code")"
	expect "order of the addresses of $driver" yes "$(awk -v name=$driver -v emulator="$emulator" '
		$2 == name {
			print $3 <= $5 && $5 <= $4 && $6 < $7 && ($7 < $3 || $6 > $4) &&
				(emulator < $3 || emulator > $4) ? "yes" : "no"
		}' "$TMP/code")"
done

# figure DRIVER CPUS CALLS PATH SHARE: print the plugin's line for an update.
figure() {
	echo "blackout driver=$1 cpus=$2 calls=$3 ns=$(($4 + $5)) path=$4"
}

# figures CPUS SHARE MAINLINES: print the lines for an update by each driver.
figures() {
	figure tdx_update "$1" $((2 * $1 + 3)) $((($1 + 4) * 20000)) "$2"
	figure mainline_tdx "$1" $((2 * $1 + 7)) $((($1 + 8) * 20000)) "$3"
}

# expect_tables WHAT REACHED: make the tables of $TMP/figures. REACHED is the last column of the
# goals.
expect_tables() {
	expect_ok awk -f /tests/blackout.awk "$TMP/figures" >"$TMP/tables"
	cat "$TMP/tables"
	expect "goals reached, $1" "$2" "$(awk -F '|' '
		goals && NF { print $4 }
		/ goal / { getline; goals = 1 }' "$TMP/tables" | xargs)"
}

{ figures 1 1000 1100; figures 8 5000 8000; } >"$TMP/figures"
expect_tables "all" "yes yes yes"
expect "rows" "1 100 101.0 1.010 1000 (1000 to 1000) 180 181.1 1100 (1100 to 1100) 0.91
8 240 245.0 1.021 5000 (5000 to 5000) 320 328.0 8000 (8000 to 8000) 0.62" \
	"$(sed -n '3,/^$/p' "$TMP/tables" | tr -s '| ' ' ' | sed 's/^ //; s/ $//')"
{ figures 1 3100 3000; figures 8 5000 6000; } >"$TMP/figures"
expect_tables "none" "no no no"
figures 4 1000 1100 >"$TMP/figures"
expect_tables "without a large count" "yes yes"

# An update that is incomplete, or made by one driver only, makes no table.
figures 4 1000 1100 | sed 's/calls=11/calls=5/' >"$TMP/figures"
expect_fails awk -f /tests/blackout.awk "$TMP/figures"
figures 4 1000 1100 | sed 1d >"$TMP/figures"
expect_fails awk -f /tests/blackout.awk "$TMP/figures"
