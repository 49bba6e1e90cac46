# shellcheck shell=dash
# Helpers of the cases in which KVM builds TDs (tests/tdx); sourced after lib.sh, in the guest. Each
# TD has a VMM (tests/tdx/vmm.c), which takes its commands through a pipe.

# It goes at the end of the case, too.
OUR_MODULES="$OUR_MODULES kvm_intel"

# setup_kvm [KEY=VALUE...]: reset the firmware with these settings and load KVM with TDX.
setup_kvm() {
	setup_emu erratum=0 "$@"
	load_kvm
}

load_kvm() {
	modprobe kvm_intel tdx=1 || die "kvm_intel does not load"
	expect "kvm_intel's parameter tdx" Y "$(cat /sys/module/kvm_intel/parameters/tdx)"
}

# vmm_start ID PAGES: start a VMM for TD ID, 1 to 3.
vmm_start() {
	mkfifo "$TMP/vmm.$1.in" "$TMP/vmm.$1.out"
	vmm "$2" "$1" <"$TMP/vmm.$1.in" >"$TMP/vmm.$1.out" 2>"$TMP/vmm.$1.err" &
	eval "exec $((2 * $1 + 1))>'$TMP/vmm.$1.in' $((2 * $1 + 2))<'$TMP/vmm.$1.out'"
}

# vmm_do ID COMMAND...: have it done, and set ANSWER.
vmm_do() {
	local id=$1
	shift
	echo "$*" >&$((2 * id + 1))
	ANSWER=
	read -r ANSWER <&$((2 * id + 2)) || fail "the VMM of TD $id is gone: $(cat "$TMP/vmm.$id.err")"
}

# vmm_ok ID ANSWER COMMAND...: have it done, and expect an answer that matches.
vmm_ok() {
	local id=$1 answer=$2
	shift 2
	vmm_do "$id" "$@"
	expect_match "TD $id, $*" "^$answer" "$ANSWER"
	[ ! -s "$TMP/vmm.$id.err" ] || cat "$TMP/vmm.$id.err"
}

# vmm_build ID PAGES: have KVM build a TD with that many pages, and expect the right measurement.
vmm_build() {
	vmm_start "$1" "$2"
	vmm_ok "$1" created create
	vmm_ok "$1" vcpu vcpu
	vmm_ok "$1" "added $2" add "$2"
	vmm_ok "$1" finalized finalize
	vmm_ok "$1" 'verified good' verify
}

# vmm_stop ID: destroy the TD and end its VMM.
vmm_stop() {
	vmm_ok "$1" closed close
	eval "exec $((2 * $1 + 1))>&- $((2 * $1 + 2))<&-"
}
