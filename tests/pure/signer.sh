#!/bin/bash
# Compares the copies of the hash of Intel's signer. No other test can check them, because only
# Intel can sign an image. Prints the copies that differ, or one line.
set -euo pipefail
cd "$(dirname "$0")/../.."

# digits FILE: print the hash in a file: an array of bytes, a string in parts, or a row of a table.
digits() {
	sed -n '/intel_signer\[TDX_SHA384_SIZE\] = {/,/};/{s/.*{//; s/0x//g; s/[^0-9a-f]//g; p}
		s/^| Intel.s production signer: \([^ ]*\) |.*/\1/p
		/#define INTEL_SIGNER/,/[^\\]$/{s/^[^"]*"//; s/[^0-9a-f]//g; p}' "$1" | tr -d '\n'
}

first='' wrong=0
for file in src/verify.c tool/container.c docs/firmware.md; do
	seen=$(digits "$file")
	first=${first:-$seen}
	if [ ${#seen} != 96 ] || [ "$seen" != "$first" ]; then
		echo "$file: Intel's signer is '$seen', ${#seen} digits; in src/verify.c '$first'"
		wrong=1
	fi
done
[ "$wrong" = 0 ] || exit 1
echo "verify.c: Intel's signer is the command's and the documentation's"
