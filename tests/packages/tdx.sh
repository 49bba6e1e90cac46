# shellcheck shell=dash
# Controls the emulator, TDs and faults in a guest of the packages' tests. guest.sh and host.sh
# source it; $here is the directory of all three.
# shellcheck disable=SC2034,SC2154 # some are read, and $here is set, where this is sourced

TDX=/sys/firmware/tdx
EMU=/sys/kernel/debug/tdx_emu
TD=/sys/kernel/debug/tdx_td
IMAGES=$here/images
SIGNER=$(cat "$IMAGES/signer")

# begin [KEY=VALUE...]: resets the firmware as a reboot does, and loads the module under test. The
# settings are those of the emulator's file "platform".
begin() {
	# After a loss the module cannot be unloaded until it has seen TDX run again. Nothing may be
	# loaded yet.
	{ echo 1 >$EMU/reset && cat $TDX/state; } >/dev/null 2>&1 || true
	modprobe -rq tdx_td tdx_update tdx_emu || true
	modprobe tdx_emu && echo "signer=$SIGNER $*" >$EMU/platform && echo 1 >$EMU/reset &&
		modprobe tdx_td && modprobe tdx_update "signer=$SIGNER"
}

# td COMMAND...: runs commands of tdx_td in order, up to the first that fails.
td() {
	for command; do
		echo "$command" >$TD/cmd || return
	done
}

# build_td ID: builds a TD and enters it.
build_td() {
	td "new $1" "add $1 2" "finalize $1" "enter $1"
}

# td_is_alive ID: the TD must still run, and its measurement must be good.
td_is_alive() {
	td "enter $1" && grep -q "^id=$1 .*verdict=good" $TD/tds
}

# fail_install RDX: the closing call of the next install fails. With RDX 0 the handoff data stays
# whole, with 1 it is cleared.
fail_install() {
	echo "SEAMLDR.INSTALL any $(nproc) $((0x8000000000020000 | $1)) $1 1" >$EMU/inject
}
