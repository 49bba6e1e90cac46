# shellcheck shell=dash
# SEAMCALLs by hand, for cases about the emulator itself: sourced after lib.sh, in the guest.

# raw COMMAND...: one command of the TD client's file raw; its answer is in ANSWER.
raw() {
	td_load
	store_text "$TD/raw" "$*" || die "TD client refuses '$*'"
	read -r ANSWER <"$TD/raw"
}

# call CPU LEAF [OPERAND...]: RCX, RDX, R8 to R11; "buffer" and "params" are addresses.
call() {
	raw call "$@"
}

# answer KEY: of the last call, status (its name), rax, rcx, rdx, r8 ...
answer() {
	local word
	for word in $ANSWER; do
		case $word in
		"$1="*) echo "${word#*=}" ;;
		esac
	done
}

# expect_call STATUS CPU LEAF [OPERAND...]: that is the status's name.
expect_call() {
	local status=$1
	shift
	call "$@"
	expect "call $*" "$status" "$(answer status)"
}

# expect_answer KEY VALUE: an output of the last call.
expect_answer() {
	expect "$1 of the last call" "$2" "$(answer "$1")"
}


# buffer_u32 OFFSET, buffer_u64 OFFSET: a number in the buffer, decimal.
buffer_u32() {
	od -An -v -tu4 -j "$1" -N 4 "$TD/buffer" | tr -d ' '
}

buffer_u64() {
	od -An -v -tu8 -j "$1" -N 8 "$TD/buffer" | tr -d ' '
}

# cpus: the numbers of all CPUs, one a line.
cpus() {
	seq 0 $(($(nproc) - 1))
}

# install_all: SEAMLDR.INSTALL of the loaded image on every CPU; the last one's answer is in ANSWER.
install_all() {
	local cpu
	for cpu in $(cpus); do
		call "$cpu" SEAMLDR.INSTALL params
	done
}
