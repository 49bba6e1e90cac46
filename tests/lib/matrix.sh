# shellcheck shell=dash
# The failure matrix: one row is one fault at one call of one leaf, with or without a recovery image. What
# must come of it follows here from SPEC.md and DESIGN.md section 3, not from the module. Sourced by cases.
#
# Rows are many, so nothing is forked that a shell can do itself.

MATRIX_LAST=$(($(nproc) - 1))
MATRIX_MIDDLE=$(($(nproc) / 2))
rows=0 beyond=0 alive=0 seen_results=''

# want ERRNO RESULT TDS NEXT: the outcome expected. TDS: alive or gone. NEXT: errno of the next update.
want() {
	want_errno=$1 want_result=$2 want_tds=$3 want_next=$4
}

is_transient_of_module() {
	case $1 in
	0x8000020000000000 | 0x8000020200000000 | 0x8000020300000000) return 0 ;;
	esac
	return 1
}

# A failure past the point of no return that leaves the handoff data whole.
want_repair() {
	beyond=$((beyond + 1))
	if [ "$1" = yes ]; then
		want ECANCELED recovered alive 0
	else
		want ENOTRECOVERABLE lost still 0
	fi
}

# expectation LEAF STATUS RDX CPU NTH RECOVERY: what SPEC.md sections 1 to 4 make of it.
expectation() {
	want 0 success alive 0
	fired=yes
	# The second call of a leaf by one CPU does not come in an attempt that goes well, and
	# what one LP does is done by the first.
	[ "$5" = 1 ] || fired=no
	case $1 in
	TDH.SYS.SHUTDOWN | TDH.SYS.INIT | TDH.SYS.UPDATE) [ "$4" = 0 ] || fired=no ;;
	esac
	[ "$fired" = yes ] || return 0
	case $1 in
	TDH.SYS.SHUTDOWN)
		case $2 in
		0x80000512*) want EBUSY update-race alive 0 ;;
		*) want EIO firmware-error alive 0 ;;
		esac
		;;
	SEAMLDR.INSTALL)
		case $2 in
		vmfail | ud | gp)
			# The LP has not called, and calls again.
			beyond=$((beyond + 1))
			return 0
			;;
		esac
		if [ "$4" != "$MATRIX_LAST" ]; then
			# Only the closing call can fail: this one did not count.
			beyond=$((beyond + 1))
		elif [ "$3" = 1 ]; then
			beyond=$((beyond + 1))
			want ENOTRECOVERABLE lost gone ENOTRECOVERABLE
		else
			case $2 in
			0x8000000000030000 | 0x8000000000030001) beyond=$((beyond + 1)) ;;
			*) want_repair "$6" ;;
			esac
		fi
		;;
	*)
		if is_transient_of_module "$2"; then
			beyond=$((beyond + 1))
		else
			want_repair "$6"
		fi
		;;
	esac
}

# check_row: the attempt just made, against what was wanted.
check_row() {
	local what="$leaf $status rdx=$rdx cpu=$cpu nth=$nth recovery=$recovery" seen

	[ "$ERRNO" = "$want_errno" ] || fail "$what: expected errno $want_errno, saw $ERRNO"
	read -r seen <"$TDX/last/result"
	[ "$seen" = "$want_result" ] || fail "$what: expected result $want_result, saw $seen"
	seen_results="$seen_results $seen"
	if [ "$want_errno" != 0 ]; then
		read -r seen <"$TDX/last/leaf"
		[ "$seen" = "$leaf" ] || fail "$what: expected last/leaf $leaf, saw $seen"
		read -r seen <"$TDX/last/cpu"
		[ "$seen" = "$cpu" ] || fail "$what: expected last/cpu $cpu, saw $seen"
		read -r seen <"$TDX/last/status"
		case $status in
		vmfail) [ "$seen" = 0x8000ff00ffff0000 ] ;;
		ud) [ "$seen" = 0x8000ff0000000006 ] ;;
		gp) [ "$seen" = 0x8000ff000000000d ] ;;
		*) [ "$seen" = "$status" ] ;;
		esac || fail "$what: last/status is $seen"
	fi
	grep -qx session=0 "$EMU/state" || fail "$what: a session is open"
	[ "$(cat "$EMU/vmcs")" = "$vmcs" ] || fail "$what: VMCS pointers have changed"
}

# check_next: a further update, without a fault, and what has become of the TD.
check_next() {
	local what="after $leaf $status rdx=$rdx cpu=$cpu nth=$nth recovery=$recovery"

	[ "$want_tds" != alive ] || td_lives || fail "$what: the TD is not what it was"
	store "$EMU/inject" clear
	update test/a.blob
	[ "$ERRNO" = "$want_next" ] || fail "$what: expected errno $want_next of the next update, saw $ERRNO"
	if [ "$want_tds" = gone ]; then
		! td_lives || fail "$what: the TD is alive"
	elif td_lives; then
		alive_now=yes
	else
		fail "$what: the TD is not what it was in the end"
	fi
}

td_lives() {
	echo "enter 1" >"$TD/cmd" && grep -q '^id=1 .* state=runnable .* verdict=good' "$TD/tds"
} 2>/dev/null

row() {
	leaf=$1 status=$2 rdx=$3 cpu=$4 nth=$5 recovery=$6
	rows=$((rows + 1))
	before=$beyond alive_now=no
	expectation "$@"

	# As after a boot, but for a module that has not been lost.
	store "$EMU/reset" 1
	for cmd in "new 1" "add 1 1" "finalize 1"; do echo "$cmd" >"$TD/cmd"; done
	case $recovery in
	yes) store "$TDX/recovery_image" test/same.blob ;;
	*) store "$TDX/recovery_image" "" ;;
	esac
	store "$EMU/inject" "$leaf $cpu $nth $status $rdx 1"
	update test/v2.blob
	check_row
	check_next
	[ $beyond = $before ] || [ $alive_now = no ] || alive=$((alive + 1))
	echo "destroy all" >"$TD/cmd" 2>/dev/null
	# What is lost for good takes the module along.
	[ "$want_tds" != gone ] || setup_again
}

# tally LEAF STATUS: a line of the table, how often each result was seen with that status.
tally() {
	note "$(echo "$seen_results" | xargs -n 1 | sort | uniq -c | awk -v row="| $1 | $2 |" '
		{ row = row (NR > 1 ? ", " : " ") $1 " " $2 }
		END { print row " |" }')"
	seen_results=''
}

# matrix LEAF STATUS...: of one leaf, all rows.
matrix() {
	leaf_of_matrix=$1
	shift
	[ $rows != 0 ] || {
		setup remaining=1000
		td_load
		vmcs=$(cat "$EMU/vmcs")
	}
	for s; do
		for c in 0 $MATRIX_MIDDLE $MATRIX_LAST; do
			for n in 1 2; do
				for r in no yes; do
					row "$leaf_of_matrix" "$s" 0 "$c" $n $r
					[ "$leaf_of_matrix:$c:$n" != "SEAMLDR.INSTALL:$MATRIX_LAST:1" ] ||
						case $s in
						0x*) row "$leaf_of_matrix" "$s" 1 "$c" $n $r ;;
						esac
				done
			done
		done
		tally "$leaf_of_matrix" "$s"
	done
}

# matrix_end: the sum, as a line of a table.
matrix_end() {
	note "| $1 | all | $rows rows | $beyond failed past the point of no return | TDs survive in $alive | if each were final: 0 |"
}
