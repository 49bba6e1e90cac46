#!/bin/bash
# Makes the images that the cases install, signed with a new key.
#
#	tests/tools/images.sh OUT
#
# Images are made again only if this file or mkimage has changed. The emulator starts with TDX
# module 1.5.24, SVN 1.5, handoff version 0, on CPU 0x806F8; mkimage's defaults suit that. Cases
# damage copies of these images themselves.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
mkimage=$top/build/tools/mkimage
out=$1

# name, options. OTHER: an unknown key. After the good images come images with one fault, with two
# faults, with a signature that is wrong in one place, and unusual but good ones; last the originals
# of mutants.
images='
v1		--version 1.5.26 --container 1
v2		--version 1.5.26 --container 2
same		--version 1.5.24
a		--version 1.5.25 --seed 1
b		--version 1.5.27 --seed 2
no-compat	--version 1.5.16 --features0 0x40002
no-rbp		--version 1.5.26 --features0 0x0000800000000002
hv-0-0		--version 1.5.26 --hv 0-0
hv-1-3		--version 1.5.26 --hv 1-3
hv-2-2		--version 1.5.26 --hv 2-2
pages-150	--version 1.5.26 --pages 150
pages-496	--version 1.5.26 --pages 496
pages-497	--version 1.5.26 --pages 497
pages-497-v1	--version 1.5.26 --pages 497 --container 1

bad-header	--signed-byte 0=7
bad-signer	--key OTHER
bad-debug	--debug-signed
bad-series	--svn 2.5
bad-series-0	--svn 0.5
bad-svn		--svn 1.4
bad-hv-order	--hv 2-1
bad-gdt		--gdt-idt-offset 0x8000
bad-gdt-align	--gdt-idt-offset 0x6010
bad-gdt-zero	--gdt-idt-offset 0
bad-wrapper	--fault-wrapper-offset 0x7E01
bad-wrapper-zero	--fault-wrapper-offset 0
bad-cpu		--cpu 0xA06D0
bad-no-cpu	--no-cpu
bad-room	--global-data-pages 9000
bad-hv		--hv 1-1
bad-handoff-pages	--version 1.5.26 --handoff-pages 12 --seed 3
bad-rd-hv	--version 1.5.26 --hv 0-0 --rd-hv 0-1
bad-hash	--version 1.5.27 --signed-byte 900=1
bad-hash-last	--signed-byte 947=1

header-signer	--signed-byte 0=7 --key OTHER
signer-series	--key OTHER --svn 2.5
debug-svn	--debug-signed --svn 1.4
series-svn	--svn 2.4
svn-gdt		--svn 1.4 --gdt-idt-offset 0x8000
gdt-cpu		--gdt-idt-offset 0x8000 --cpu 0xA06D0
cpu-hv		--cpu 0xA06D0 --hv 1-1
hv-hash		--hv 1-1 --signed-byte 900=1

wrong-type	--pages 1 --encoded-flip 1=3
wrong-fill	--pages 1 --encoded-flip 200=1
wrong-end	--pages 1 --encoded-flip 316=255
wrong-info	--pages 1 --encoded-flip 317=1
wrong-info-last	--pages 1 --encoded-flip 335=1
wrong-last	--pages 1 --encoded-flip 383=1
wrong-0		--pages 1 --signature 0
wrong-1		--pages 1 --signature 1
wrong-2		--pages 1 --signature 2
wrong-max	--pages 1 --signature -1

good-1-page	--pages 1
good-255-cpus	CPUS
good-stepping	--cpu 0x806F0
good-svn-255	--svn 1.255
good-bytes	--signed-byte 1006=255 --signed-byte 1023=255
good-offsets	--gdt-idt-offset 0x7000 --fault-wrapper-offset 0x7E00
good-no-tables	--gdt-idt-offset 0 --fault-wrapper-offset 0
good-rip	--rip-offset 0x1000000
good-two-cpus	--cpu 0xC06F0 --cpu 0x806F0
good-handoff-pages	--version 1.5.26 --handoff-pages 24 --seed 4
good-rd-hv	--version 1.5.26 --hv 1-2 --rd-hv 0-2
good-no-version	--no-sigstruct-version
good-same-24	--version 1.5.24 --handoff-pages 24 --seed 5
good-debug	--debug-signed
good-debug-any	--debug-signed --no-cpu

mutant-v1	--pages 2 --container 1
mutant-v2	--pages 2 --container 2
'

env -u MAKEFLAGS make -s -C "$top" build/tools/mkimage
made="$(sha256sum <"$mkimage") $(sha256sum <"$0")"
[ "$(cat "$out/.made" 2>/dev/null)" != "$made" ] || exit 0

rm -rf "$out"
mkdir -p "$out"
"$mkimage" key -o "$out/key.pem"
other=$out/other.pem
"$mkimage" key -o "$other"
"$mkimage" signer "$out/key.pem" >"$out/signer"
# The longest possible CPU table; the platform's CPU is last and has another stepping.
cpus=$(printf -- '--cpu 0xC06F0 %.0s' {1..254})"--cpu 0x806FF"
while read -r name options; do
	[ -n "$name" ] || continue
	options=${options//OTHER/$other}
	options=${options//CPUS/$cpus}
	# shellcheck disable=SC2086 # a list of words
	"$mkimage" make --key "$out/key.pem" -o "$out/$name.blob" $options
done <<<"$images"
rm "$out/key.pem" "$other"
echo "$made" >"$out/.made"
