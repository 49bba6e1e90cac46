#!/bin/bash
# `make bench`: figures, all of them ratios measured in one run, in one guest. No test depends on them.
#
#	tests/bench/run.sh
#
# Runs each guest-*.sh beside this file in a boot of its own and shows what it prints.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

scripts/deps.sh build
assignments=$(scripts/kernel.sh ${KERNEL:+"$KERNEL"})
eval "$assignments"
export KERNEL KVER KROOT KDIR BUILD_ROOT MAKE_ARGS
built=$(tests/vm/build.sh)
mapfile -t guest <<<"$built"
out=build/bench
mkdir -p "$out"

# What user space needs to come to verify.c's findings by itself: the three inputs, and the programs.
image=build/images/pages-150.blob
cp build/images/key.pub "$out/"
# part OFFSET SIZE: of the image
part() {
	dd if="$image" iflag=skip_bytes,count_bytes skip="$1" count="$2" status=none
}
part 8192 $((150 * 4096)) >"$out/module"
{ part 4096 128; part 4996 1148; } >"$out/signed"
# Little endian in the image, big endian for openssl.
part 4612 384 | perl -0777 -ne 'print scalar reverse $_' >"$out/signature"
for file in key.pub module signed signature; do
	guest+=("$out/$file=/bench/$file")
done
for program in openssl sha384sum; do
	guest+=("$(command -v "$program")=/usr/bin/$program")
	while read -r library; do
		guest+=("$library=$library")
	done < <(ldd "$(command -v "$program")" | grep -o '/[^ ]*')
done

for script in "$here"/guest-*.sh; do
	name=$(basename "$script" .sh)
	tests/vm/initramfs.sh "$out/$name.cpio" "${guest[@]}" "$script=/tests/bench.sh"
	tests/vm/boot.sh --kernel "$KROOT/boot/vmlinuz-$KVER" --initrd "$out/$name.cpio" \
		--dir "$out/$name" --smp 2 --timeout 300 --append guest.script=/tests/bench.sh </dev/null
	cat "$out/$name/work.log"
	grep -q '^done$' "$out/$name/work.log" || {
		echo "bench: $name did not end as it should, see $out/$name" >&2
		exit 1
	}
done
