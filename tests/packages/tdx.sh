# shellcheck shell=dash
# In a guest of the packages' tests: the emulator, a TD and what may go wrong. Sourced by guest.sh
# and host.sh, which are beside it; $here is where they are.
# shellcheck disable=SC2034,SC2154 # some are read, and $here is set, where this is sourced

TDX=/sys/firmware/tdx
EMU=/sys/kernel/debug/tdx_emu
TD=/sys/kernel/debug/tdx_td
IMAGES=$here/images
SIGNER=$(cat "$IMAGES/signer")

# begin [KEY=VALUE...]: firmware as it is after a reboot, and the module under test. The settings
# are those of the emulator's file platform.
begin() {
	# What is loaded, if anything. A module that remembers a loss stays until it sees TDX run
	# again.
	{ echo 1 >$EMU/reset && cat $TDX/state; } >/dev/null 2>&1 || true
	modprobe -rq tdx_td tdx_update tdx_emu || true
	modprobe tdx_emu && echo "signer=$SIGNER $*" >$EMU/platform && echo 1 >$EMU/reset &&
		modprobe tdx_td && modprobe tdx_update "signer=$SIGNER"
}

# td COMMAND...: of TDs. They are done in order; one that fails ends it.
td() {
	for command; do
		echo "$command" >$TD/cmd || return
	done
}

# A TD that has been built and runs.
build_td() {
	td "new $1" "add $1 2" "finalize $1" "enter $1"
}

# Does it still run, and would its quote be believed?
td_is_alive() {
	td "enter $1" && grep -q "^id=$1 .*verdict=good" $TD/tds
}

# fail_install RDX: the next install of an image fails in its closing call; so RDX 0 leaves the
# handoff data whole, 1 has it cleared.
fail_install() {
	echo "SEAMLDR.INSTALL any $(nproc) $((0x8000000000020000 | $1)) $1 1" >$EMU/inject
}
