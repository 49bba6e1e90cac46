# shellcheck shell=dash
# Helper of the cases on many CPUs; sourced after lib.sh.

# expect_update_on CPUS: with so many online, expect a refused update and one that succeeds.
expect_update_on() {
	local installs inits

	[ "$(nproc)" = "$1" ] || skip "$(nproc) CPUs are online"
	setup
	td_build 1
	td_ok new 2
	expect_update test/v2.blob EBUSY update-race
	td_ok destroy 2
	installs=$(counter SEAMLDR.INSTALL) inits=$(counter TDH.SYS.LP.INIT)
	expect_update test/v2.blob 0 success
	expect version 1.5.26 "$(tdx version)"
	expect "calls of SEAMLDR.INSTALL" "$1" $(($(counter SEAMLDR.INSTALL) - installs))
	expect "calls of TDH.SYS.LP.INIT" "$1" $(($(counter TDH.SYS.LP.INIT) - inits))
	expect_tds_alive 1
	note "$(dmesg | grep -o 'CPUs stopped for [0-9]* us') on $1 CPUs"
}
