#!/bin/bash
# `make demo`: installs what this machine lacks, boots a guest, and shows on the terminal how the
# guest updates its TDX module while TDs are alive. `make try`: the same guest with a shell for you.
#
#	tests/vm/demo.sh [try]		KERNEL=, see scripts/kernel.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

step() {
	printf '==> %s\n' "$*"
}

[ -z "${KERNEL:-}" ] || scripts/kernel.sh --suite "$KERNEL" >/dev/null
step "Installing what is missing on this machine"
scripts/deps.sh build
step "Fetching the packaged kernel (once)"
assignments=$(scripts/kernel.sh ${KERNEL:+"$KERNEL"})
eval "$assignments"
export KERNEL KVER KROOT KDIR BUILD_ROOT MAKE_ARGS
step "Building module, emulator and images for $KVER"
built=$("$here/build.sh" demo)
mapfile -t guest <<<"$built"

out=build/demo
mkdir -p "$out"
"$here/initramfs.sh" "$out/initramfs.cpio" "${guest[@]}"
if [ "${1:-}" = try ]; then
	step "Booting it in QEMU on 4 CPUs; exit or Ctrl-D powers the guest off"
	exec "$here/boot.sh" --kernel "$KROOT/boot/vmlinuz-$KVER" --initrd "$out/initramfs.cpio" \
		--dir "$out" --smp 4 --live console --append "quiet guest.console=/tests/try.sh"
fi
step "Booting it in QEMU on 4 CPUs, without hardware virtualisation; the firmware is the emulator"
"$here/boot.sh" --kernel "$KROOT/boot/vmlinuz-$KVER" --initrd "$out/initramfs.cpio" --dir "$out" --smp 4 \
	--timeout 120 --live work --append guest.script=/tests/demo.sh </dev/null
if ! grep -q '^All of it held' "$out/work.log"; then
	echo "The demo did not end as it should: see $out/work.log and $out/console.log" >&2
	exit 1
fi
