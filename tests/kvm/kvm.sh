# shellcheck shell=dash
# What cases have in common that run KVM guests under updates; sourced after lib.sh, in the guest.
# "guest" is here a virtual machine of tests/kvm/guests.c, one level further down.

NMI=/sys/module/tdx_nmi/parameters
CPUS=$(nproc)
# With more on a CPU, KVM as a rule loads the VMCS of another guest before it runs the one whose
# VMCS is gone. Nothing breaks then: the control was green with two.
PER_CPU=1

# How much of everything: little where the kernel command line says so.
# shellcheck disable=SC2034 # for the cases
if [ -n "${GUEST_SHORT:-}" ] || grep -qw guest.short=1 /proc/cmdline; then
	UPDATES=3 NMIS=1000 READS=20
else
	UPDATES=20 NMIS=5000 READS=200
fi

# setup_kvm [KEY=VALUE...]: guests run on every CPU, and then all that setup does. Before Linux 6.12
# KVM turns VMX on with the first guest, so they come first.
setup_kvm() {
	guests_begin
	setup_firmware setup "$@"
	expect "state of the TDX module" ready "$(tdx state)"
	expect "calls that left the VMCS in place" 0 "$(emu_get state vmcs_kept)"
}

# setup_firmware COMMAND [KEY=VALUE...]: setup or setup_emu, of a platform that the images are for.
setup_firmware() {
	local command=$1

	shift
	$command cpu=0x806F8 room=65536 remaining=1000 "$@"
}

guests_begin() {
	[ -d /sys/module/kvm_intel ] || modprobe kvm_intel || die "kvm_intel does not load"
	expect "EPT" Y "$(cat /sys/module/kvm_intel/parameters/ept)"
	guests_start
}

guests_start() {
	[ -p "$TMP/ask" ] || mkfifo "$TMP/ask" "$TMP/answer"
	guests $PER_CPU <"$TMP/ask" >"$TMP/answer" &
	GUESTS=$!
	exec 8>"$TMP/ask" 9<"$TMP/answer"
	expect_guests "after the start"
}

# guests_ask COMMAND: the answer, a line a guest, is in $TMP/guests.
guests_ask() {
	local line

	echo "$1" >&8
	while IFS= read -r line <&9 && [ "$line" != . ]; do
		echo "$line"
	done >"$TMP/guests"
}

# Has each guest counted since the counts in $TMP/counts?
guests_counted() {
	guests_ask show
	[ "$(sed 's/.* count=\([0-9]*\) .*/\1/' "$TMP/guests" | paste - "$TMP/counts" |
		awk '$1 > $2' | wc -l)" = $((CPUS * PER_CPU)) ]
}

# expect_guests WHEN: all of them run, and count on.
expect_guests() {
	guests_ask show
	sed 's/.* count=\([0-9]*\) .*/\1/' "$TMP/guests" >"$TMP/counts"
	if ! wait_for 20 guests_counted; then
		fail "not every guest counts on $1:"
		cat "$TMP/guests"
		sed 's/^/count before: /' "$TMP/counts"
	fi
	expect "guests that run $1" $((CPUS * PER_CPU)) "$(grep -c ' end=running$' "$TMP/guests")"
}

# The longest time that a guest did not count, since the last reset of it, in microseconds.
guests_gap() {
	guests_ask show
	sed 's/.* gap_us=\([0-9]*\) .*/\1/' "$TMP/guests" | sort -n | tail -n 1
}

# Each of them ends by itself.
guests_stop() {
	guests_ask stop
	expect "guests that ended by themselves" $((CPUS * PER_CPU)) \
		"$(grep -c ' end=hlt$' "$TMP/guests")"
	grep -v ' end=hlt$' "$TMP/guests"
	exec 8>&- 9<&-
	wait "$GUESTS"
	expect "exit status of the guests' program" 0 $?
}

# Calls of P-SEAMLDR that took a current VMCS from a CPU.
vmcs_lost() {
	emu_get state vmcs_lost
}

nmi() {
	cat "$NMI/$1"
}
