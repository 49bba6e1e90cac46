#!/bin/sh
# `make compare` tells a TD that survives from one that does not, with mainline's own driver and with ours, and its
# tables are whole. It sees a row in which ours does worse.
# SMP: 2 4
. /tests/lib.sh
. /tests/mainline.sh
. /tests/matrix.sh
. /tests/compare.sh
setup_beside remaining=1000
td_load

rows() {
	row TDH.SYS.LP.INIT 0x8000020300000000 0 1 once "$with_recovery"
	row TDH.SYS.UPDATE 0xc000050900000000 0 0 once "$with_recovery"
	row SEAMLDR.INSTALL 0x8000000000020001 1 "$MATRIX_LAST" once "$with_recovery"
	row TDH.SYS.INIT 0xc000050000000000 0 0 image "$with_recovery"
	compare_image bad-cpu
	compare_race
	compare_platforms
	emu_set platform remaining=1000
}

# Mainline's alone, as in `make compare`.
for way in mainline ours recovery; do
	compare_way $way
	rows
done >"$TMP/rows"
while read -r way what name open alive back; do
	line=$(grep "^row way=$way .*what=$what " "$TMP/rows")
	expect "lines of $way, $what" 1 "$(echo "$line" | grep -c .)"
	expect "$way, $what" "$name $open $alive $back" \
		"$(for key in name open alive back; do echo "$line" | value_of $key; done | xargs)"
done <<'END'
mainline TDH.SYS.LP.INIT none 0 1 1
mainline TDH.SYS.UPDATE transferring:firmware-invalid 0 0 0
mainline SEAMLDR.INSTALL transferring:firmware-invalid 0 0 0
mainline TDH.SYS.INIT transferring:firmware-invalid 0 0 0
mainline bad-cpu transferring:firmware-invalid 0 0 0
mainline race none 0 0 1
mainline cpu-offline transferring:firmware-invalid 1 0 0
mainline no-updates-left transferring:firmware-invalid 0 0 0
ours TDH.SYS.LP.INIT none 0 1 1
ours TDH.SYS.UPDATE none 0 1 1
ours SEAMLDR.INSTALL lost 0 0 0
ours TDH.SYS.INIT shut-down 0 0 1
ours bad-cpu wrong-cpu 0 1 1
ours race update-race 0 1 1
ours cpu-offline cpu-offline 0 1 1
ours vmx-off vmx-off 0 1 1
ours no-updates-left no-updates-left 0 1 1
recovery TDH.SYS.UPDATE none 0 1 1
recovery TDH.SYS.INIT recovered 0 1 1
END

# Each row of a table has a cell for each head.
expect_ok awk -v version=test -f /tests/compare.awk "$TMP/rows" >"$TMP/tables"
cat "$TMP/tables"
expect "rows with a number of columns of their own" '' "$(awk -F '|' '
	!/^\|/ { columns = 0; next }
	!columns { columns = NF }
	NF != columns' "$TMP/tables")"
expect_match "sum of single faults" '^\| all \| 3 \| 1 / 2 / 2 \| 0 / 0 / 0 \| 1 / 2 / 2 \|$' "$(cat "$TMP/tables")"
# As if the TD had not survived with ours.
sed '/way=ours.*LP.INIT/s/alive=1/alive=0/' "$TMP/rows" >"$TMP/worse"
expect_fails awk -v version=test -f /tests/compare.awk "$TMP/worse" >"$TMP/tables"
expect_match "the row" '^- ours: once TDH.SYS.LP.INIT 0x8000020300000000 0 1$' "$(cat "$TMP/tables")"
