#!/bin/sh
# Each LP calls SEAMLDR.INSTALL once a session and LP.INIT once; the leaves are called in order.
# SMP: 1 2 4 8
. /tests/lib.sh
setup
cpus=$(seq 0 $(($(nproc) - 1)) | xargs)

# callers LEAF: print the CPUs that called it, in numerical order.
callers() {
	emu log | awk -v leaf="$1" '$3 == leaf { print $2 }' | sort -n | xargs
}

emu_set log clear
expect_update test/v2.blob 0 success
expect "LPs that called INSTALL" "$cpus" "$(callers SEAMLDR.INSTALL)"
expect "LPs that called LP.INIT" "$cpus" "$(callers TDH.SYS.LP.INIT)"
expect "order of leaves" \
	"TDH.SYS.SHUTDOWN SEAMLDR.INSTALL TDH.SYS.INIT TDH.SYS.LP.INIT TDH.SYS.UPDATE" \
	"$(emu log | awk '{ print $3 }' | grep -vE 'TDH.SYS.RD|TDH.PHYMEM.PAGE.RDMD|SEAMLDR.(SEAM)?INFO' | uniq | xargs)"
expect "LPs initialised" "$(nproc)" "$(emu_get state lp_init)"
