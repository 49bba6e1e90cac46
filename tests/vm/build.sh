#!/bin/bash
# Builds the project's files for a guest: the modules for one kernel, tdx-update and the test
# images. Some of the host's tools go along, such as script, which gives cases a terminal.
#
#	KERNEL= KVER= KDIR= BUILD_ROOT= tests/vm/build.sh [demo]
#
# demo: leaves out the mutants, which only cases need.
#
# Prints arguments for initramfs.sh: SOURCE=DESTINATION, one a line.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"

# One build at a time in a tree: someone may start a demo while the tests run.
mkdir -p build
exec 7>build/.lock
flock 7

modules=build/modules/$KVER
dirs=(hwtest tests/emu tests/td tests/slow tests/vendor)
# Only the kernels for tests/kvm get the KVM guests and tdx_nmi.ko, which sends NMIs.
kvm=''
if [[ $KERNEL == *-kvm ]]; then
	kvm=yes
	dirs+=(tests/kvm/nmi)
	env -u MAKEFLAGS make -s build/kvm/guests >&2
fi
# Mainline's update driver comes from the source of 7.3, so only its packaged kernels get it.
mainline=''
if [[ $KERNEL == 7.3?(-kvm) ]]; then
	mainline=yes
	tests/mainline/derive.sh "$modules/tests/mainline"
	dirs+=(tests/mainline)
fi
# The kernel with the emulator built in needs no module of it. It gets a VMM that builds TDs.
emulator=yes vmm=''
if [[ $KERNEL == *-td ]]; then
	emulator='' vmm=yes
	env -u MAKEFLAGS make -s build/tdx/vmm >&2
fi
[[ $KERNEL != *-gcov ]] || export COUNTS=1
scripts/modules.sh "$KDIR" "$modules" "${dirs[@]}" >&2
env -u MAKEFLAGS make -s build/tool/tdx-update build/hwtest/td build/hwtest/kvm.so >&2
tests/tools/images.sh build/images >&2
# Make the mutants again when an image, their generator or the code that judges images has changed.
if [ "${1:-}" != demo ] && [ -n "$(find build/images/.made src/image.c src/plan.c include \
	tests/pure/mutants.* tests/pure/user_verify.* -newer build/mutants/made -print -quit 2>&1)" ]; then
	tests/pure/mutants.sh >&2
fi

updates=/lib/modules/$KVER/updates
printf '%s\n' \
	"$modules/tdx_update.ko=$updates/tdx_update.ko" \
	"$modules/hwtest/tdx_hwtest.ko=$updates/tdx_hwtest.ko" \
	${emulator:+"$modules/tests/emu/tdx_emu.ko=$updates/tdx_emu.ko"} \
	${vmm:+"build/tdx/vmm=/sbin/vmm"} \
	"$modules/tests/td/tdx_td.ko=$updates/tdx_td.ko" \
	"$modules/tests/slow/tdx_slow.ko=$updates/tdx_slow.ko" \
	"$modules/tests/slow/tdx_nomem.ko=$updates/tdx_nomem.ko" \
	"$modules/tests/slow/tdx_petted.ko=$updates/tdx_petted.ko" \
	"$modules/tests/vendor/tdx_vendor.ko=$updates/tdx_vendor.ko" \
	${mainline:+"$modules/tests/mainline/mainline_tdx.ko=$updates/mainline_tdx.ko"} \
	${kvm:+"$modules/tests/kvm/nmi/tdx_nmi.ko=$updates/tdx_nmi.ko"} \
	${kvm:+"build/kvm/guests=/sbin/guests"} \
	"build/tool/tdx-update=/sbin/tdx-update" \
	"$(command -v jq)=/sbin/jq" \
	"$(command -v script)=/sbin/script" \
	"$(command -v chrt)=/sbin/chrt" \
	"$(command -v flock)=/sbin/flock" \
	"$(command -v env)=/sbin/coreutils-env" \
	"tests/vm/demo-guest.sh=/tests/demo.sh" \
	"tests/vm/try-guest.sh=/tests/try.sh" \
	"contrib/older-names=/tests/older-names" \
	"hwtest/tdx-update-hwtest=/tests/hwtest/tdx-update-hwtest" \
	"hwtest/lib=/tests/hwtest/lib" \
	"build/hwtest/td=/sbin/tdx-update-hwtest-td" \
	"build/hwtest/kvm.so=/lib/hwtest-kvm.so" \
	"tests/hwtest=/tests/hwtest/reports" \
	"build/images=/lib/firmware/test"
[ "${1:-}" = demo ] || echo build/mutants=/lib/firmware/mutants
