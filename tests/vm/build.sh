#!/bin/bash
# Builds what a guest needs of the project: the modules for one kernel, the operator's command, the
# tools, the test images. script gives cases a terminal.
#
#	KERNEL= KVER= KDIR= BUILD_ROOT= tests/vm/build.sh [demo]
#
# demo: without what only cases need, the mutants.
#
# Prints what to put where in the guest, as initramfs.sh takes it.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"

# One at a time in a tree: a demo may be shown while the tests run.
mkdir -p build
exec 7>build/.lock
flock 7

modules=build/modules/$KVER
dirs=(tests/emu tests/td tests/slow tests/vendor)
# NMIs for the kernels that run KVM guests, see tests/kvm.
kvm=''
if [[ $KERNEL == *-kvm ]]; then
	kvm=yes
	dirs+=(tests/kvm/nmi)
	env -u MAKEFLAGS make -s build/kvm/guests >&2
fi
# Mainline's update driver beside ours, where its source is the kernel's own.
mainline=''
if [ "$KERNEL" = 7.3 ]; then
	mainline=yes
	tests/mainline/derive.sh "$modules/tests/mainline"
	dirs+=(tests/mainline)
fi
scripts/modules.sh "$KDIR" "$modules" "${dirs[@]}" >&2
env -u MAKEFLAGS make -s build/tool/tdx-update >&2
tests/tools/images.sh build/images >&2
# The sample for the guest is made anew when an image has changed, or what judges it.
if [ "${1:-}" != demo ] && [ -n "$(find build/images/.made src/image.c src/plan.c include \
	tests/pure/mutants.* tests/pure/user_verify.* -newer build/mutants/made -print -quit 2>&1)" ]; then
	tests/pure/mutants.sh >&2
fi

updates=/lib/modules/$KVER/updates
printf '%s\n' \
	"$modules/tdx_update.ko=$updates/tdx_update.ko" \
	"$modules/tests/emu/tdx_emu.ko=$updates/tdx_emu.ko" \
	"$modules/tests/td/tdx_td.ko=$updates/tdx_td.ko" \
	"$modules/tests/slow/tdx_slow.ko=$updates/tdx_slow.ko" \
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
	"build/images=/lib/firmware/test"
[ "${1:-}" = demo ] || echo build/mutants=/lib/firmware/mutants
