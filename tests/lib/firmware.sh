# shellcheck shell=dash
# Single SEAMCALLs for cases about the emulator itself; sourced after lib.sh, in the guest.

# raw COMMAND...: write one command to the TD client's file raw, and set ANSWER.
raw() {
	td_load
	store_text "$TD/raw" "$*" || die "TD client refuses '$*'"
	read -r ANSWER <"$TD/raw"
}

# call CPU LEAF [OPERAND...]: make a SEAMCALL. The operands are RCX, RDX, R8 to R11; "buffer" and
# "params" stand for addresses.
call() {
	raw call "$@"
}

# answer KEY: print a value of the last answer: status (its name), rax, rcx, rdx, r8 ...
answer() {
	local word
	for word in $ANSWER; do
		case $word in
		"$1="*) echo "${word#*=}" ;;
		esac
	done
}

# expect_call STATUS CPU LEAF [OPERAND...]: make a SEAMCALL and expect the status of this name.
expect_call() {
	local status=$1
	shift
	call "$@"
	expect "call $*" "$status" "$(answer status)"
}

# expect_answer KEY VALUE: expect this output of the last call.
expect_answer() {
	expect "$1 of the last call" "$2" "$(answer "$1")"
}


# buffer_u32 OFFSET, buffer_u64 OFFSET: print a number in the buffer, decimal.
buffer_u32() {
	od -An -v -tu4 -j "$1" -N 4 "$TD/buffer" | tr -d ' '
}

buffer_u64() {
	od -An -v -tu8 -j "$1" -N 8 "$TD/buffer" | tr -d ' '
}

# cpus: print the numbers of all CPUs, one a line.
cpus() {
	seq 0 $(($(nproc) - 1))
}

# install_all: call SEAMLDR.INSTALL for the loaded image on every CPU; ANSWER is that of the last.
install_all() {
	local cpu
	for cpu in $(cpus); do
		call "$cpu" SEAMLDR.INSTALL params
	done
}
