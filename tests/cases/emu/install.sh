#!/bin/sh
# The emulator's SEAMLDR.INSTALL accepts and refuses the same images as Intel's P-SEAMLDR, and each
# failure leaves the same state.
# SMP: 1 2 4
# KERNEL: any
. /tests/lib.sh
. /tests/firmware.sh

setup_emu
last=$(($(nproc) - 1))

# try_install IMAGE [SCENARIO]: after a reset, call SHUTDOWN, and INSTALL on all CPUs.
try_install() {
	emu_set reset 1
	raw load "test/$1.blob" "${2:-1}"
	call 0 TDH.SYS.SHUTDOWN 0
	install_all
}

# expect_install STATUS: expect it of the last CPU's INSTALL. Any failure has to be recoverable.
expect_install() {
	expect "INSTALL of $image" "$1" "$(answer status)"
	expect_answer rdx 0x0
	expect "open session after $image" 0 "$(emu_get state session)"
	expect "seam_ready after $image" 1 "$(emu_get state seam_ready)"
	case $1 in
	SUCCESS) expect "state after $image" sysinit_pending "$(emu_get state module)" ;;
	*) expect "state after $image" shutdown "$(emu_get state module)" ;;
	esac
}

# bring_up: initialize the new TDX module, up to UPDATE; ANSWER is that of UPDATE.
bring_up() {
	local cpu
	expect_call SUCCESS 0 TDH.SYS.INIT 0
	for cpu in $(cpus); do
		expect_call SUCCESS "$cpu" TDH.SYS.LP.INIT
	done
	call 0 TDH.SYS.UPDATE
}

info_u8() {
	call 0 SEAMLDR.INFO buffer
	od -An -v -tu1 -j "$1" -N 1 "$TD/buffer" | tr -d ' '
}

while read -r image status; do
	try_install "$image"
	expect_install "$status"
done <<END
v1 SUCCESS
good-1-page SUCCESS
good-offsets SUCCESS
good-no-tables SUCCESS
good-rip SUCCESS
good-bytes SUCCESS
good-handoff-pages SUCCESS
bad-header EBADSIG
bad-hv-order EBADSIG
bad-gdt-align EBADSIG
bad-gdt-zero EBADSIG
bad-wrapper-zero EBADSIG
bad-gdt EBADSIG
bad-wrapper EBADSIG
bad-signer EBADSIG
bad-debug EBADSIG
bad-no-cpu EBADSIG
bad-svn EBADSIG
bad-series EUNSUPPORTED
bad-cpu EUNSUPCPU
bad-room ENOMEM
bad-hv EBADHANDOFF
END

note "After memory is cleared nothing is left to go back to."
try_install bad-hash
expect "INSTALL of bad-hash" EBADHASH "$(answer status)"
expect_answer rdx 0x1
expect "module after bad-hash" none "$(emu_get state module)"
expect "valid after bad-hash" 0 "$(info_u8 32)"

note "So it is with page tables and relocation, which fail only by injection."
for status in ENOMEM EBADPARAM; do
	emu_set reset 1
	raw load test/v2.blob
	expect_call SUCCESS 0 TDH.SYS.SHUTDOWN 0
	emu_set inject "SEAMLDR.INSTALL $last 1 $status 1"
	install_all
	expect "INSTALL" $status "$(answer status)"
	expect_answer rdx 0x1
	expect "open session after $status" 0 "$(emu_get state session)"
	expect "module after $status" none "$(emu_get state module)"
	expect "valid after $status" 0 "$(info_u8 32)"
done

# The rest does not depend on signature and hash.
emu_set platform crypto=0

note "The version in the sigstruct is reserved bytes to loader 1.5.02, which has none itself."
emu_set platform seamldr=1.5.02
image=v2
try_install $image
expect_install EBADSIG
expect "update of loader 1.5.02" 0 "$(info_u8 22)"
image=good-no-version
try_install $image
expect_install SUCCESS
emu_set platform seamldr=1.5.12
emu_set reset 1
expect "update of loader 1.5.12" 12 "$(info_u8 22)"
expect "valid, low byte" 255 "$(info_u8 32)"
expect "valid, next byte" 1 "$(info_u8 33)"
expect "features0" 2 "$(info_u8 168)"

note "A debug-signed image is for a platform that is debug-unlocked, whatever build the loader is."
image=good-debug
emu_set platform debug=1 unlocked=0
try_install $image
expect_install EBADSIG
expect "attributes, high byte" 128 "$(info_u8 7)"
emu_set platform debug=0 unlocked=1
try_install $image
expect_install SUCCESS
emu_set platform unlocked=0

note "Every package has to be in the CPU table."
emu_set platform cpu=0x806F8,0xC06F2
image=v2
try_install $image
expect_install EUNSUPCPU
image=good-two-cpus
try_install $image
expect_install SUCCESS
emu_set platform cpu=0x806F8

note "The room is enough to the page."
image=v2
try_install $image
needed=$(emu_get state needed)
expect_ge "pages needed" 512 "$needed"
emu_set platform room="$needed"
try_install $image
expect_install SUCCESS
emu_set platform room=$((needed - 1))
try_install $image
expect_install ENOMEM
emu_set platform room=8192
emu_set platform sockets=2
try_install $image
expect_ge "pages needed by two packages" $((needed + 1)) "$(emu_get state needed)"
emu_set platform sockets=1

note "The old TDX module's pages bound the handoff data at INSTALL."
emu_set module handoff_size=57337
try_install $image
expect_install EBADHANDOFF
emu_set module handoff_size=57336
try_install $image
expect_install SUCCESS

note "The new one's bound it at UPDATE, where it is too late."
image=bad-handoff-pages
try_install $image
expect_install SUCCESS
bring_up
expect "UPDATE of $image" VMfailInvalid "$(answer status)"
expect "leaf that stopped its LP" TDH.SYS.UPDATE "$(emu_get state fatal)"
expect_call VMfailInvalid "$last" TDH.SYS.RD 0 0x0800000100000003
expect_call VMfailInvalid "$last" SEAMLDR.INFO buffer
emu_set module handoff_size=53240
try_install $image
expect_install SUCCESS
bring_up
expect "UPDATE of $image with little data" SUCCESS "$(answer status)"
emu_set module handoff_size=0

note "UPDATE closes the handoff data, and tells no more of it than its version."
emu_set module hv=0-2
image=hv-1-3
emu_set reset 1
raw load test/$image.blob
call 0 TDH.SYS.SHUTDOWN 2
install_all
expect_install SUCCESS
expect_call SUCCESS 0 TDH.SYS.INIT 0
for cpu in $(cpus); do
	expect_call SUCCESS "$cpu" TDH.SYS.LP.INIT
done
expect_call SUCCESS 0 TDH.SYS.RD 0 0x8900000000000004
expect_answer r8 0x1
expect_call SUCCESS 0 TDH.SYS.RD 0 0x8900000100000005
expect_answer r8 0x2
expect_call SUCCESS 0 TDH.SYS.UPDATE
expect_call SUCCESS 0 TDH.SYS.RD 0 0x8900000000000004
expect_answer r8 0x0
emu_set module hv=0-0

note "What TDH.SYS.RD tells of handoff versions is the build's; what is accepted is the sigstruct's."
emu_set module hv=1-2 rd_hv=0-2
emu_set reset 1
expect_call SUCCESS 0 TDH.SYS.RD 0 0x8900000100000001
expect_answer r8 0x0
expect_call OPERAND_INVALID 0 TDH.SYS.SHUTDOWN 0
expect_answer rax 0xc000010000000001
expect "state after a SHUTDOWN refused" ready "$(emu_get state module)"
raw load test/good-rd-hv.blob
expect_call SUCCESS 0 TDH.SYS.SHUTDOWN 1
install_all
bring_up
expect "UPDATE of good-rd-hv" SUCCESS "$(answer status)"
expect_call SUCCESS 0 TDH.SYS.RD 0 0x8900000100000001
expect_answer r8 0x0
emu_set module hv=0-0 rd_hv=same
image=bad-rd-hv
try_install $image
expect_install SUCCESS
expect_call SYS_INCOMPATIBLE_SIGSTRUCT 0 TDH.SYS.INIT 0

note "Without entropy for the addresses the session is repeated; without entropy for the log all is gone."
emu_set reset 1
raw load test/good-svn-255.blob
expect_call SUCCESS 0 TDH.SYS.SHUTDOWN 0
emu_set inject "SEAMLDR.INSTALL $last 1 ENOENTROPY 0"
install_all
expect "first INSTALL" ENOENTROPY "$(answer status)"
expect_answer rdx 0x0
expect "seam_ready" 1 "$(emu_get state seam_ready)"
expect "SVN minor" 5 "$(info_u8 40)"
emu_set inject "SEAMLDR.INSTALL $last 1 ENOENTROPY 1"
install_all
expect "second INSTALL" ENOENTROPY "$(answer status)"
expect_answer rdx 0x1
expect "SVN minor of an image without a log entry" 255 "$(info_u8 40)"
expect "seam_ready of it" 0 "$(info_u8 160)"
expect "updates left" 20 "$(emu_get state remaining)"
install_all
expect "update of what does not run" EBADPARAM "$(answer status)"
expect_answer rdx 0x0
emu_set inject "SEAMLDR.INSTALL $last 1 ENOENTROPY 1"
raw load test/bad-cpu.blob 0
install_all
expect "an image's own failure comes first" ECLEANUPREQ "$(answer status)"
expect_answer rdx 0x0

note "A load begins anew: log, handoff data, TDs. It takes no lower SVN than was there."
emu_set inject clear
raw load test/v2.blob 0
install_all
expect "load of a lower SVN" ECLEANUPREQ "$(answer status)"
raw load test/good-svn-255.blob 0
install_all
expect "load" SUCCESS "$(answer status)"
expect "updates left after a load" 19 "$(emu_get state remaining)"
expect "handoff data after a load" none "$(emu_get state handoff)"

note "Two answers are not counted in the session, at the closing call either."
image=v2
for status in EBADCALL EUNSPECERR; do
	emu_set reset 1
	raw load test/$image.blob
	expect_call SUCCESS 0 TDH.SYS.SHUTDOWN 0
	emu_set inject "SEAMLDR.INSTALL $last 1 $status 0"
	install_all
	expect "closing INSTALL" $status "$(answer status)"
	expect "LPs that have called" "$last" "$(emu_get state session)"
	call "$last" SEAMLDR.INSTALL params
	expect_install SUCCESS
done

note "No updates left."
emu_set platform remaining=0
try_install $image
expect_install EBADCALL
