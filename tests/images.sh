#!/bin/bash
# Makes the images that the cases install, signed with a key of this tree's own.
#
#	tests/images.sh OUT
#
# Anew only if this file or the tool has changed. The emulator begins with module 1.5.24, SVN 1.5,
# handoff version 0, on CPU 0x806F8; an option that is not given is mkimage's default, which fits
# that. Damaged images are made of these by the cases, which know the damage.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
mkimage=$top/build/tools/mkimage
out=$1

# name, what distinguishes it
images='
v1		--version 1.5.26 --container 1
v2		--version 1.5.26 --container 2
same		--version 1.5.24
a		--version 1.5.25 --seed 1
b		--version 1.5.27 --seed 2
1		--version 1.5.25 --seed 3
2		--version 1.5.26 --seed 4
no-compat	--version 1.5.16 --features0 0x40002
hv-0-0		--version 1.5.26 --hv 0-0
hv-1-3		--version 1.5.26 --hv 1-3
hv-2-2		--version 1.5.26 --hv 2-2
pages-496	--version 1.5.26 --pages 496
pages-497	--version 1.5.26 --pages 497
pages-497-v1	--version 1.5.26 --pages 497 --container 1
'

env -u MAKEFLAGS make -s -C "$top" build/tools/mkimage
made="$(sha256sum <"$mkimage") $(sha256sum <"$0")"
[ "$(cat "$out/.made" 2>/dev/null)" != "$made" ] || exit 0

rm -rf "$out"
mkdir -p "$out"
"$mkimage" key -o "$out/key.pem"
"$mkimage" signer "$out/key.pem" >"$out/signer"
while read -r name options; do
	[ -n "$name" ] || continue
	# shellcheck disable=SC2086 # a list of words
	"$mkimage" make --key "$out/key.pem" -o "$out/$name.blob" $options
done <<<"$images"
rm "$out/key.pem"
echo "$made" >"$out/.made"
