# shellcheck shell=dash
# The failure matrix; cases source it. A row is one fault of one leaf on one CPU, injected often
# enough to fail a call, an image, or every image, with or without a recovery image. The expected
# outcomes come from docs/firmware.md and docs/design.md, not from the module.
#
# There are many rows, so the shell does itself whatever it can do without a fork.

MATRIX_LAST=$(($(nproc) - 1))
MATRIX_MIDDLE=$(($(nproc) / 2))
rows=0 beyond=0 alive=0 seen_results=''

# Answers that SEAMLDR.INSTALL gives before it counts the call, even the one that would close the
# session.
EBADCALL=0x8000000000000003 EUNSPECERR=0x8000000000010003

# want ERRNO RESULT TDS NEXT: set the expected outcome. TDS is alive, still (alive once a further
# update succeeds) or gone. NEXT is the errno of that update.
want() {
	want_errno=$1 want_result=$2 want_tds=$3 want_next=$4
}

is_transient_of_module() {
	case $1 in
	0x8000020000000000 | 0x8000020200000000 | 0x8000020300000000) return 0 ;;
	esac
	return 1
}

# repeats LEAF STATUS CPU: set $repeats to how often the fault has to occur to fail an image; set it
# to '' if that is not worth trying.
repeats() {
	case $1:$2 in
	SEAMLDR.INSTALL:0x8000000000030001) repeats=8 ;;
	SEAMLDR.INSTALL:"$EBADCALL" | SEAMLDR.INSTALL:"$EUNSPECERR") repeats='' ;;
	SEAMLDR.INSTALL:0x*) repeats=1 ;;
	SEAMLDR.INSTALL:*) repeats='' ;;
	TDH.SYS.LP.INIT:*) repeats=3 ;;
	*) repeats=2 ;;
	esac
	# A failed call does not count unless it closes the session, and is repeated: the LP makes
	# two calls a session.
	case $1:$2:$3 in
	SEAMLDR.INSTALL:0x*:"$MATRIX_LAST") ;;
	SEAMLDR.INSTALL:0x*) [ -z "$repeats" ] || repeats=$((repeats * 2)) ;;
	esac
	! is_transient_of_module "$2" || repeats=''
}

# expectation LEAF STATUS RDX CPU HOW RECOVERY: set the outcome that the firmware's rules and the
# order of repairs lead to.
expectation() {
	want 0 success alive 0
	if [ "$1" = TDH.SYS.SHUTDOWN ]; then
		case $2 in
		0x80000512*) want EBUSY update-race alive 0 ;;
		*) want EIO firmware-error alive 0 ;;
		esac
		return 0
	fi
	beyond=$((beyond + 1))
	case $1:$5:$2:$3 in
	SEAMLDR.INSTALL:*:*:1)
		want ENOTRECOVERABLE lost gone ENOTRECOVERABLE ;;
	*:always:*)
		want ESHUTDOWN shut-down still 0 ;;
	SEAMLDR.INSTALL:once:0x8000000000030001:*) ;;
	SEAMLDR.INSTALL:once:"$EBADCALL":* | SEAMLDR.INSTALL:once:"$EUNSPECERR":*) ;;
	*:image:* | SEAMLDR.INSTALL:once:0x*)
		# A single failure fails the image only if it is that of the closing call.
		if [ "$5:$4" != "once:$MATRIX_LAST" ] && [ "$5" = once ]; then
			return 0
		fi
		# Without a recovery image the same image is installed once more.
		[ "$6" = no ] || want ECANCELED recovered alive 0
		;;
	esac
}

# check_row: compare the last attempt with the expected outcome.
check_row() {
	local what="$leaf $status rdx=$rdx cpu=$cpu $how recovery=$recovery" seen

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
	# If an LP's call never counts, only a further update can close the session. If that LP is
	# the first, it never opens one.
	case $leaf:$how:$cpu:$status in
	SEAMLDR.INSTALL:always:0:*) grep -qx session=0 "$EMU/state" ;;
	SEAMLDR.INSTALL:always:*:"$EBADCALL" | SEAMLDR.INSTALL:always:*:"$EUNSPECERR")
		! grep -qx session=0 "$EMU/state" ;;
	SEAMLDR.INSTALL:always:*:0x* | SEAMLDR.INSTALL:[io]* | T*) grep -qx session=0 "$EMU/state" ;;
	*) ! grep -qx session=0 "$EMU/state" ;;
	esac || fail "$what: $(grep session= "$EMU/state")"
	[ "$(cat "$EMU/vmcs")" = "$vmcs" ] || fail "$what: VMCS pointers have changed"
}

# check_next: make a further update without a fault, and check the TD.
check_next() {
	local what="after $leaf $status rdx=$rdx cpu=$cpu $how recovery=$recovery"

	[ "$want_tds" != alive ] || td_lives || fail "$what: the TD is not what it was"
	store "$EMU/inject" clear
	update test/a.blob
	[ "$ERRNO" = "$want_next" ] || fail "$what: expected errno $want_next of the next update, saw $ERRNO"
	if [ "$want_tds" = gone ]; then
		! td_lives || fail "$what: the TD is alive"
	elif td_lives; then
		# A TD that only a further update saved does not count: KVM would have given it up.
		[ "$want_tds" = still ] || alive_now=yes
	else
		fail "$what: the TD is not what it was in the end"
	fi
}

td_lives() {
	echo "enter 1" >"$TD/cmd" && grep -q '^id=1 .* state=runnable .* verdict=good' "$TD/tds"
} 2>/dev/null

row() {
	leaf=$1 status=$2 rdx=$3 cpu=$4 how=$5 recovery=$6
	case $how in
	once) count=1 ;;
	always) count=0 ;;
	image)
		repeats "$leaf" "$status" "$cpu"
		[ -n "$repeats" ] && [ "$repeats" != 1 ] || return 0
		count=$repeats
		;;
	esac
	rows=$((rows + 1))
	before=$beyond alive_now=no
	expectation "$@"

	# Reset the firmware as a boot does. Reading the state makes the module see it.
	store "$EMU/reset" 1
	read -r seen <"$TDX/state"
	[ "$seen" = ready ] || fail "state after a reset is $seen"
	for cmd in "new 1" "add 1 1" "finalize 1"; do echo "$cmd" >"$TD/cmd"; done
	case $recovery in
	yes) store "$TDX/recovery_image" test/same.blob ;;
	*) store "$TDX/recovery_image" "" ;;
	esac
	store "$EMU/inject" "$leaf $cpu 1 $status $rdx $count"
	update test/v2.blob
	check_row
	check_next
	[ $beyond = $before ] || [ $alive_now = no ] || alive=$((alive + 1))
	echo "destroy all" >"$TD/cmd" 2>/dev/null
}

# tally LEAF STATUS: print a line of the table: how often each result was seen with that status.
tally() {
	note "$(echo "$seen_results" | xargs -n 1 | sort | uniq -c | awk -v row="| $1 | $2 |" '
		{ row = row (NR > 1 ? ", " : " ") $1 " " $2 }
		END { print row " |" }')"
	seen_results=''
}

# matrix LEAF STATUS...: run all rows of one leaf.
matrix() {
	leaf_of_matrix=$1
	shift
	[ $rows != 0 ] || {
		setup remaining=1000
		td_load
		vmcs=$(cat "$EMU/vmcs")
	}
	case $leaf_of_matrix in
	SEAMLDR.INSTALL | TDH.SYS.LP.INIT) cpus_of_matrix="0 $MATRIX_MIDDLE $MATRIX_LAST" ;;
	*) cpus_of_matrix=0 ;;	# the lead CPU's
	esac
	for s; do
		for c in $cpus_of_matrix; do
			for r in no yes; do
				row "$leaf_of_matrix" "$s" 0 "$c" once $r
				[ "$leaf_of_matrix" != TDH.SYS.SHUTDOWN ] || continue
				row "$leaf_of_matrix" "$s" 0 "$c" image $r
				row "$leaf_of_matrix" "$s" 0 "$c" always $r
				[ "$leaf_of_matrix:$c" != "SEAMLDR.INSTALL:$MATRIX_LAST" ] || case $s in
				0x*) row "$leaf_of_matrix" "$s" 1 "$c" once $r ;;
				esac
			done
		done
		tally "$leaf_of_matrix" "$s"
	done
}

# matrix_end LEAF: print the sum as a line of the table.
matrix_end() {
	note "| $1 | all | $rows rows | $beyond failed past the point of no return | TDs survive in $alive | if each were final: 0 |"
}
