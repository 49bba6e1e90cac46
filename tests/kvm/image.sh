#!/bin/bash
# Makes an image of a packaged kernel that a multiboot loader can start without unpacking it.
#
#	tests/kvm/image.sh VMLINUZ OUT
#
# The image has the kernel's code and data at the addresses in its ELF headers, and loader.c below.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
vmlinuz=$1 out=$2

die() {
	echo "image.sh: $*" >&2
	exit 1
}

# number FILE OFFSET BYTES: prints the unsigned little-endian number there.
number() {
	od -An -v -t "u$3" -j "$2" -N "$3" "$1" | tr -d ' '
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# setup_sects, payload_offset and payload_length of Linux's boot protocol. The payload's last four
# bytes are its unpacked size.
offset=$((($(number "$vmlinuz" 0x1f1 1) + 1) * 512 + $(number "$vmlinuz" 0x248 4)))
size=$(($(number "$vmlinuz" 0x24c 4) - 4))
tail -c "+$((offset + 1))" "$vmlinuz" | head -c "$size" >"$dir/payload" || true
case $(od -An -t x1 -N 4 "$dir/payload" | tr -d ' ') in
fd377a58) xz -dc --single-stream <"$dir/payload" >"$dir/vmlinux" ;;
28b52ffd) zstd -qdc <"$dir/payload" >"$dir/vmlinux" ;;
*) die "$vmlinuz is packed by something unknown" ;;
esac

# Xen's ELF note 0x12 has the address of the PVH entry as its descriptor.
entry=$(readelf -nW "$dir/vmlinux" | sed -n 's/.*(0x00000012).*description data: //p' |
	awk '{ print "0x" $4 $3 $2 $1 }')
[ -n "$entry" ] || die "$vmlinuz has no PVH entry"
# Physical addresses of the first byte and of the byte after the last one.
read -r first end < <(readelf -lW "$dir/vmlinux" | awk '
	$1 == "LOAD" { print $4, $6 }' | while read -r paddr memory; do
		echo "$((paddr)) $((paddr + memory))"
	done | awk 'NR == 1 { first = $1 } $2 > end { end = $2 } END { print first, end }')

objcopy -O binary "$dir/vmlinux" "$dir/kernel"
rest=$((end - first - $(stat -c %s "$dir/kernel")))
[ "$rest" -ge 0 ] || die "the kernel is larger than its headers say"
cat >"$dir/kernel.s" <<END
.section .kernel, "awx"
.incbin "$dir/kernel"
.section .note.GNU-stack, "", @progbits
END
gcc -m32 -c -o "$dir/kernel.o" "$dir/kernel.s"
gcc -m32 -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic -fno-stack-protector \
	-fcf-protection=none -mno-sse -c -o "$dir/loader.o" "$here/loader.c"
cat >"$dir/script" <<END
ENTRY(start)
PHDRS { loader PT_LOAD; kernel PT_LOAD; }
SECTIONS {
	kernel_entry = $entry;
	. = 0x100000;
	.loader : { *(.multiboot) *(.text* .rodata* .data* .bss*) } :loader
	. = $first;
	.kernel : { *(.kernel) } :kernel
	.memory (NOLOAD) : { . += $rest; } :kernel
	/DISCARD/ : { *(.note* .comment .eh_frame) }
}
END
ld -m elf_i386 -z max-page-size=4096 --no-warn-rwx-segments -T "$dir/script" -o "$out" \
	"$dir/loader.o" "$dir/kernel.o"
