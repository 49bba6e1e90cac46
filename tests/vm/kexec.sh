#!/bin/bash
# Packs the initramfs of a guest that starts a new kernel: INITRAMFS and, in /kexec, the kernel,
# INITRAMFS once more, and the tool that loads and starts both.
#
#	KROOT= KVER= tests/vm/kexec.sh OUT INITRAMFS
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
out=$1 initramfs=$2

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir "$root/kexec"
cc -O2 -Wall -Wextra -Werror -static -o "$root/kexec/kexec" "$top/tests/tools/kexec.c"
cp "$KROOT/boot/vmlinuz-$KVER" "$root/kexec/vmlinuz"
cp "$initramfs" "$root/kexec/initramfs"
(
	cat "$initramfs"
	cd "$root"
	find kexec | cpio --quiet -o -H newc -R 0:0
) >"$out.new"
mv "$out.new" "$out"
