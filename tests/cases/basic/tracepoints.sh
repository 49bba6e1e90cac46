#!/bin/sh
# Tracepoints show an attempt's phases, the SEAMCALLs that decided it, and its end: by name, in the
# order in which they happened. The formats have the names.
# SMP: 1 2 4
# SMOKE: yes
. /tests/lib.sh
setup
TRACE=/sys/kernel/tracing
EVENTS=$TRACE/events/tdx_update
cpus=$(nproc)

for name in phase seamcall 'done'; do
	format=$(cat $EVENTS/$name/format)
	expect_no_match "format of $name: values without a number" 'TDXU_' "$format"
	case $name in
	phase) words='name platform shutdown install update' ;;
	seamcall) words='TDH.SYS.SHUTDOWN SEAMLDR.INSTALL UPDATE_COMPAT_SENSITIVE EBADSIG VMfailInvalid' ;;
	done) words='update-race EBUSY lost ENOTRECOVERABLE shut-down ESHUTDOWN shutdown' ;;
	esac
	for word in $words; do
		expect_match "format of $name" "\"$word\"" "$format"
	done
done

# traced COMMAND...: run it and write its events to $TMP/trace: name and fields.
traced() {
	: >$TRACE/trace
	echo 1 >$EVENTS/enable
	"$@"
	echo 0 >$EVENTS/enable
	sed -n 's/^[^#].*: \(\(phase\|seamcall\|done\): .*\)/\1/p' $TRACE/trace >"$TMP/trace"
}

# of NAME FIELD: print the field's values in these events, in order.
of() {
	sed -n "s/^$1: \(.* \)\?$2=\([^ ]*\).*/\2/p" "$TMP/trace" | xargs
}

# Print each call as LEAF:STATUS:CPU.
calls() {
	sed -n 's/^seamcall: leaf=\([^ ]*\) status=\([^ ]*\) .* cpu=\(.*\)/\1:\2:\3/p' "$TMP/trace" | xargs
}

# each LEAF STATUS LAST_STATUS: print a call by every CPU in turn; the last CPU has LAST_STATUS.
each() {
	local cpu=0 line=''
	while [ $cpu -lt "$cpus" ]; do
		if [ $((cpu + 1)) = "$cpus" ]; then
			line="$line $1:$3:$cpu"
		else
			line="$line $1:$2:$cpu"
		fi
		cpu=$((cpu + 1))
	done
	echo "${line# }"
}

asked="TDH.SYS.RD:SUCCESS:-1 SEAMLDR.INFO:SUCCESS:[0-9]+ SEAMLDR.SEAMINFO:SUCCESS:[0-9]+"
lives="$(each SEAMLDR.INSTALL SUCCESS SUCCESS) TDH.SYS.INIT:SUCCESS:0 $(each TDH.SYS.LP.INIT SUCCESS SUCCESS) TDH.SYS.UPDATE:SUCCESS:0"

td_build 1
traced expect_update test/v2.blob 0 success
expect phases 'name image verify platform plan quiesce shutdown install init update done' "$(of phase phase)"
expect_match calls "^$asked TDH.SYS.SHUTDOWN:SUCCESS:0 $lives\$" "$(calls)"
expect "times in order" "$(of phase ns | tr ' ' '\n' | sort -n | xargs)" "$(of phase ns)"
for field in result=success errno=0 phase='done' from=1.5.24 to=1.5.26 sessions=1 image=test/v2.blob \
	"blackout_ns=$(tdx last/blackout_ns)" "total_ns=$(tdx last/total_ns)"; do
	expect "done: ${field%%=*}" "${field#*=}" "$(of 'done' "${field%%=*}")"
done

td_ok new 2
traced expect_update test/v2.blob EBUSY update-race
expect phases 'name image verify platform plan quiesce shutdown' "$(of phase phase)"
expect_match calls "^$asked TDH.SYS.SHUTDOWN:UPDATE_COMPAT_SENSITIVE:0\$" "$(calls)"
expect_match "raw statuses" ' 0x8000051200010000$' "$(of seamcall raw)"
expect result "update-race EBUSY shutdown" "$(of 'done' result) $(of 'done' errno) $(of 'done' phase)"
td_ok destroy 2

# Both images have events. Event done has the failure of the first one.
store "$TDX/recovery_image" test/v2.blob
emu_set inject "SEAMLDR.INSTALL any $cpus 0x8000000000020000 0 1"
traced expect_update test/b.blob ECANCELED recovered
expect phases 'name image verify image verify platform plan quiesce shutdown install install init update' \
	"$(of phase phase)"
expect_match calls "^$asked TDH.SYS.SHUTDOWN:SUCCESS:0 $(each SEAMLDR.INSTALL SUCCESS EBADSIG) $lives\$" "$(calls)"
expect result "recovered ECANCELED install" "$(of 'done' result) $(of 'done' errno) $(of 'done' phase)"
store "$TDX/recovery_image" ""
expect_tds_alive 1

# Eight sessions of the image and eight of the image again; with a recovery image, eight of that in
# between.
one=$(each SEAMLDR.INSTALL SUCCESS ENOENTROPY)
eight="$one $one $one $one $one $one $one $one"
emu_set inject "SEAMLDR.INSTALL $((cpus - 1)) 1 ENOENTROPY 0 0"
traced expect_update test/b.blob ESHUTDOWN shut-down
expect_match calls "^$asked TDH.SYS.SHUTDOWN:SUCCESS:0 $eight $eight\$" "$(calls)"
expect result "shut-down ESHUTDOWN 16" "$(of 'done' result) $(of 'done' errno) $(of 'done' sessions)"
setup_again
store "$TDX/recovery_image" test/same.blob
emu_set inject "SEAMLDR.INSTALL $((cpus - 1)) 1 ENOENTROPY 0 0"
traced expect_update test/b.blob ESHUTDOWN shut-down
expect_match calls "^$asked TDH.SYS.SHUTDOWN:SUCCESS:0 $eight $eight $eight\$" "$(calls)"
expect result "shut-down 24" "$(of 'done' result) $(of 'done' sessions)"
setup_again

# Each of the two events is complete when it is enabled alone.
for event in phase seamcall; do
	: >$TRACE/trace
	echo 1 >$EVENTS/$event/enable
	expect_update test/same.blob 0 success
	echo 0 >$EVENTS/$event/enable
	expect_ge "events of $event alone, in the blackout" 1 \
		"$(grep -cE ': (phase: phase=done|seamcall: leaf=TDH.SYS.UPDATE) ' $TRACE/trace)"
done
# RDX is that of the failing call.
emu_set inject "TDH.SYS.SHUTDOWN any 1 0xc000010000000001 0x1234 1"
traced expect_update test/b.blob EIO firmware-error
expect "RDX of the shutdown" 0x1234 "$(of seamcall rdx | sed 's/.* //')"

# A check that fails has no calls beyond reading the platform.
traced expect_check test/bad-cpu.blob ENODEV wrong-cpu
expect result "wrong-cpu ENODEV check" "$(of 'done' result) $(of 'done' errno) $(of 'done' phase)"
expect_match calls "^$asked\$" "$(calls)"
traced expect_check test/none.blob ENOENT no-image
expect result "no-image none" "$(of 'done' result) $(of 'done' from)"
expect calls "" "$(calls)"
# Events that are not enabled do not appear.
: >$TRACE/trace
expect_update test/v2.blob 0 success
expect "events when they are off" 0 "$(grep -vc '^#' $TRACE/trace)"
