#!/bin/sh
# Makes updates fail, in one way of updating, and prints a line of each for compare.awk. The kernel
# command line names the way:
#
#	compare.way=mainline	mainline's own driver
#	compare.way=ours	tdx_update without a recovery image
#	compare.way=recovery	tdx_update with the image of the running version as recovery image
#
# A line says what was wrong (kind= what=, and for a fault leaf= status= rdx= cpu=), and how it
# ended:
#
#	name	result or error that the caller gets; none after a success
#	open	1: an install session is open
#	alive	1: the TD can be entered and has its measurement, and so has a TD under construction
#	back	1: the TDX module runs after one more update, made without the fault
set -u
export TMP=/tmp
. /tests/lib.sh
. /tests/mainline.sh
. /tests/matrix.sh

way=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^compare.way=//p')
case $way in
recovery) wanted=yes ;;
*) wanted=no ;;
esac

# is COMMAND...: print 1 if it succeeds, else 0.
is() {
	if "$@"; then echo 1; else echo 0; fi
}

# begin: reset the firmware as a boot does, and start TD 1.
begin() {
	store "$EMU/reset" 1
	for cmd in "new 1" "add 1 1" "finalize 1"; do echo "$cmd" >"$TD/cmd"; done
	[ "$wanted" = no ] || store "$TDX/recovery_image" test/same.blob
}

# attempt IMAGE: make one update; set $name to its result or error.
attempt() {
	if [ "$way" = mainline ]; then
		begin_upload "$1"
		until idle; do usleep 5000; done
		read -r name <"$NODE/error" || name=none
	elif update "$1" && [ "$ERRNO" = 0 ]; then
		name=none
	else
		read -r name <"$TDX/last/result"
	fi
}

clear_faults() {
	store "$EMU/inject" clear
}

# Return whether the TD under construction can be finished and has the right measurement.
is_complete() {
	{
		echo "finalize 2" >"$TD/cmd" && echo "enter 2" >"$TD/cmd"
	} 2>/dev/null && [ "$(td_get 2 verdict)" = good ]
}

# compare HEAL WORDS [IMAGE]: make an update, run the command HEAL, make another update. Print a
# line that begins with WORDS.
compare() {
	local heal=$1 words=$2 image=${3:-test/v2.blob} figures

	attempt "$image"
	figures="name=$name open=$(is grep -q '^session=[1-9]' "$EMU/state")"
	eval "$heal"
	alive=$(is td_lives)
	case $words in
	*what=race) is_complete || alive=0 ;;
	esac
	attempt test/a.blob
	echo "row way=$way $words $figures alive=$alive back=$(is grep -qx module=ready "$EMU/state")"
	echo "destroy all" >"$TD/cmd" 2>/dev/null
}

# Replaces the function of matrix.sh and makes the same rows. A fault occurs once, or whenever the
# image is tried. In each way it hits the same SEAMLDR.INSTALL of a session: tdx_update calls in the
# order of the CPUs, mainline's driver in any order.
row() {
	local leaf=$1 status=$2 rdx=$3 cpu=$4 how=$5 recovery=$6 place

	[ "$recovery" = "$wanted" ] || return 0
	case $how in
	once) repeats=1 ;;
	image)
		# Without a recovery image the image is tried again, so repeat without end.
		repeats "$leaf" "$status" "$cpu"
		[ "$recovery" = yes ] || repeats=0
		;;
	*) return 0 ;;
	esac
	case $way:$leaf in
	mainline:SEAMLDR.INSTALL) place="any $((cpu + 1))" ;;
	mainline:TDH.SYS.INIT) place="any 1" ;;
	*) place="$cpu 1" ;;
	esac
	begin
	store "$EMU/inject" "$leaf $place $status $rdx ${repeats:-0}"
	compare clear_faults "kind=$how what=$leaf leaf=$leaf status=$status rdx=$rdx cpu=$cpu"
}

tally() { :; }
matrix_end() { :; }

setup_beside remaining=1000 >&2
[ "$way" = mainline ] || load
td_load
last=$(($(nproc) - 1))

# The emulator's RSA takes time, and faults do not need it.
emu_set platform crypto=0
# Rows that are not 0 keep matrix() from its setup.
# shellcheck disable=SC2034
rows=1
for file in $(find /tests/cases -name '*matrix-*.sh' | sort); do
	eval "$(sed '/^\. /d' "$file")"
done
emu_set platform crypto=1

for image in /lib/firmware/test/bad-*.blob; do
	begin
	image=${image##*/}
	compare : "kind=refused what=${image%.blob}" "test/$image"
done

begin
echo "new 2" >"$TD/cmd" && echo "add 2 1" >"$TD/cmd"
compare : "kind=platform what=race"

begin
echo 0 >"/sys/devices/system/cpu/cpu$last/online"
compare "echo 1 >/sys/devices/system/cpu/cpu$last/online" "kind=platform what=cpu-offline"

begin
emu_set vmx "$last=0"
compare 'emu_set vmx all=1' "kind=platform what=vmx-off"

emu_set platform remaining=0
begin
compare : "kind=platform what=no-updates-left"
: >"$TMP/ended"
[ -s "$TMP/failures" ] || echo "done"
