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

# vmm_start ID PAGES: start a VMM for TD ID, 1 to 7.
vmm_start() {
	mkfifo "$TMP/vmm.$1.in"
	: >"$TMP/vmm.$1.out"
	vmm "$2" "$1" <"$TMP/vmm.$1.in" >>"$TMP/vmm.$1.out" 2>"$TMP/vmm.$1.err" &
	echo $! >"$TMP/vmm.$1.pid"
	eval "exec $(($1 + 2))>'$TMP/vmm.$1.in'"
}

# vmm_pin ID CPU: enter the TD on that CPU from now on.
vmm_pin() {
	taskset -p $((1 << $2)) "$(cat "$TMP/vmm.$1.pid")" >/dev/null
}

# vmm_answers ID NUMBER: whether the VMM has printed more lines than that.
vmm_answers() {
	[ "$(wc -l <"$TMP/vmm.$1.out")" -gt "$2" ]
}

# vmm_do ID COMMAND...: have it done, and set ANSWER.
vmm_do() {
	local id=$1 lines

	shift
	lines=$(wc -l <"$TMP/vmm.$id.out")
	echo "$*" >&$((id + 2))
	ANSWER=
	if wait_for 60 vmm_answers "$id" "$lines"; then
		ANSWER=$(tail -n 1 "$TMP/vmm.$id.out")
	else
		fail "the VMM of TD $id does not answer: $(cat "$TMP/vmm.$id.err")"
	fi
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
	vmm_end "$1"
}

# vmm_end ID: end its VMM as it is.
vmm_end() {
	eval "exec $(($1 + 2))>&-"
	rm "$TMP/vmm.$1.in"
}

# builders_begin: for each CPU a process that has KVM build, run and destroy one TD after another.
builders_begin() {
	builders=''
	for number in $(seq 1 "$(nproc)"); do
		builder "$number" &
		builders="$builders $!"
	done
}

builder() {
	local seed=$1

	while [ ! -e "$TMP/over" ]; do
		printf '%s\n' create vcpu 'add 4' finalize verify 'run 3' close |
			vmm 4 "$seed" >>"$TMP/built.$1" 2>&1
		seed=$((seed + 10))
	done
}

# builders_end: end them, and set GOOD and WRONG to how many TDs have that measurement.
# shellcheck disable=SC2034 # for the cases
builders_end() {
	: >"$TMP/over"
	# shellcheck disable=SC2086 # a list of processes
	wait $builders
	cat "$TMP"/built.* >"$TMP/built"
	GOOD=$(grep -c '^verified good' "$TMP/built")
	WRONG=$(grep -c '^verified wrong' "$TMP/built")
	expect "steps of builds that failed" '' \
		"$(grep -vE '^(created|vcpu|added|finalized|verified|ran|closed)' "$TMP/built" | head -n 3)"
}

# quiet_begins: from here on KVM may warn. The console does not show it, as the judge would take it
# for a fault, and it does not stop the kernel.
quiet_begins() {
	mark_dmesg
	dmesg -n 1
	echo 0 >/proc/sys/kernel/panic_on_warn
}

# quiet_ends PATTERN: each warning since quiet_begins has to match, and there has to be one.
quiet_ends() {
	dmesg_since_mark >"$TMP/quiet"
	dmesg -n 7
	echo 1 >/proc/sys/kernel/panic_on_warn
	expect_match "KVM's warnings" "WARNING: .*$1" "$(cat "$TMP/quiet")"
	expect "other warnings" '' "$(grep -E 'WARNING: |BUG: |Oops' "$TMP/quiet" | grep -vE "WARNING: .*$1")"
}
