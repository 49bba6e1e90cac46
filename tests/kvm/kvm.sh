# shellcheck shell=dash
# Helpers shared by the cases that run KVM guests during updates; sourced after lib.sh.
# "Guest" means here a virtual machine of tests/kvm/guests.c, inside the machine that runs the case.

NMI=/sys/module/tdx_nmi/parameters
CPUS=$(nproc)
# One guest a CPU. With more, KVM usually loads another guest's VMCS before it runs the guest whose
# VMCS is gone. Then nothing breaks: with two guests a CPU the control did not fail.
PER_CPU=1
# How a guest's line ends after it has ended by itself: a Linux ends with a reset.
ENDED=' end=\(hlt\|reset\)$'
# Further arguments for the guests' program: a Linux for the first guest.
LINUX=''

# Counts for the cases; small ones with GUEST_SHORT, or guest.short=1 on the kernel command line.
# shellcheck disable=SC2034 # for the cases
if [ -n "${GUEST_SHORT:-}" ] || grep -qw guest.short=1 /proc/cmdline; then
	UPDATES=3 NMIS=1000 READS=20 HOTPLUGS=2
else
	UPDATES=20 NMIS=5000 READS=200 HOTPLUGS=10
fi

# setup_kvm [KEY=VALUE...]: starts guests on every CPU, then does what setup does. The guests come
# first because before Linux 6.12 KVM turns VMX on with the first guest.
setup_kvm() {
	guests_begin
	setup_firmware setup "$@"
	expect "state of the TDX module" ready "$(tdx state)"
	expect "calls that left the VMCS in place" 0 "$(emu_get state vmcs_kept)"
}

# setup_firmware COMMAND [KEY=VALUE...]: runs setup or setup_emu for a platform that suits the
# images.
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
	# shellcheck disable=SC2086 # a list of arguments
	guests $PER_CPU $LINUX <"$TMP/ask" >"$TMP/answer" &
	GUESTS=$!
	exec 8>"$TMP/ask" 9<"$TMP/answer"
	expect_guests "after the start"
}

# guests_ask COMMAND: sends a command to the guests' program; its answer is in $TMP/guests.
guests_ask() {
	local line

	echo "$1" >&8
	while IFS= read -r line <&9 && [ "$line" != . ]; do
		echo "$line"
	done >"$TMP/guests"
}

# guests_with CONDITION: prints how many guests fulfil a condition of awk. In it $1 is a guest's
# count in the answer in $TMP/guests, $2 how it ends, $3 its count in $TMP/counts.
guests_with() {
	sed 's/.* count=\([0-9]*\) .* end=\(.*\)$/\1 \2/' "$TMP/guests" | paste - "$TMP/counts" |
		awk "$1" | wc -l
}

# Has every guest counted on?
guests_counted() {
	# shellcheck disable=SC2016 # awk's own
	[ "$(guests_with '$1 > $3')" = $((CPUS * PER_CPU)) ]
}

# Has every guest counted on, or ended? A broken one ends only when it runs again.
guests_settled() {
	guests_ask show
	# shellcheck disable=SC2016 # awk's own
	[ "$(guests_with '$1 > $3 || $2 != "running"')" = $((CPUS * PER_CPU)) ]
}

# expect_guests WHEN: all guests run and count on.
expect_guests() {
	guests_ask show
	sed 's/.* count=\([0-9]*\) .*/\1/' "$TMP/guests" >"$TMP/counts"
	wait_for 20 guests_settled
	if ! guests_counted; then
		fail "not every guest counts on $1:"
		cat "$TMP/guests"
		sed 's/^/count before: /' "$TMP/counts"
	fi
	expect "guests that run $1" $((CPUS * PER_CPU)) "$(grep -c ' end=running$' "$TMP/guests")"
}

# Prints the longest time between two exits of a guest since the last reset, in microseconds.
guests_gap() {
	guests_ask show
	sed 's/.* gap_us=\([0-9]*\) .*/\1/' "$TMP/guests" | sort -n | tail -n 1
}

# Stops the guests. Each has to end by itself.
guests_stop() {
	guests_ask stop
	expect "guests that ended by themselves" $((CPUS * PER_CPU)) \
		"$(grep -c "$ENDED" "$TMP/guests")"
	grep -v "$ENDED" "$TMP/guests"
	exec 8>&- 9<&-
	wait "$GUESTS"
	expect "exit status of the guests' program" 0 $?
}

# Prints the number of P-SEAMLDR calls that unset a CPU's current VMCS.
vmcs_lost() {
	emu_get state vmcs_lost
}

nmi() {
	cat "$NMI/$1"
}
