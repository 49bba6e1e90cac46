#!/bin/sh
# tdx_update and mainline's own driver update in turn, and TDs live on. Our version file shows the
# TDX module that runs. Mainline's shows the one that its own last update installed.
# SMP: 1 2 4
# NEEDS: KERNEL=7.3|7.3-td
. /tests/lib.sh
. /tests/mainline.sh
setup_beside
load
td_build 1

# expect_versions WHEN OURS MAINLINES
expect_versions() {
	expect "our version $1" "$2" "$(tdx version)"
	expect "the emulator's version $1" "$2" "$(emu_get state version)"
	expect "mainline's version $1" "$3" "$(cat "$HOST/version")"
	expect "updates left $1" "$(emu_get state remaining)" "$(cat "$HOST/num_remaining_updates")"
	expect "our updates left $1" "$(emu_get state remaining)" "$(tdx num_remaining_updates)"
	expect_tds_alive 1
}

expect_versions "at first" 1.5.24 1.5.24
expect_update test/a.blob 0 success
expect_versions "after ours" 1.5.25 1.5.24
upload test/v2.blob
expect "error of mainline's update" '' "$ERROR"
expect_versions "after mainline's" 1.5.26 1.5.26
expect last/from 1.5.24 "$(tdx last/from)"
expect_update test/b.blob 0 success
expect last/from 1.5.26 "$(tdx last/from)"
expect_versions "after ours again" 1.5.27 1.5.26
expect_update test/a.blob 0 success
expect_versions "after ours twice" 1.5.25 1.5.26
upload test/b.blob
expect "error of mainline's second update" '' "$ERROR"
expect_versions "after mainline's again" 1.5.27 1.5.27
expect updates 5 "$(emu_get state updates)"
