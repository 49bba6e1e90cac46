#!/bin/bash
# `make compare`: makes updates fail in the same ways with mainline's own driver and with
# tdx_update, in guests, and compares what becomes of TDs. Writes the tables of docs/comparison.md.
# Fails if tdx_update does worse in a row.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

scripts/deps.sh build
assignments=$(scripts/kernel.sh 7.3)
eval "$assignments"
export KERNEL KVER KROOT KDIR BUILD_ROOT MAKE_ARGS
built=$(tests/vm/build.sh)
mapfile -t guest <<<"$built"
out=build/compare
mkdir -p "$out"
tests/vm/initramfs.sh "$out/guest.cpio" "${guest[@]}" tests/cases=/tests/cases \
	"$here/guest-compare.sh=/tests/compare.sh"

ways='mainline ours recovery'
echo "Booting $KVER on 4 CPUs for each of: $ways"
for way in $ways; do
	tests/vm/boot.sh --kernel "$KROOT/boot/vmlinuz-$KVER" --initrd "$out/guest.cpio" \
		--dir "$out/$way" --smp 4 --timeout 3600 \
		--append "guest.script=/tests/compare.sh compare.way=$way" </dev/null &
done
wait
for way in $ways; do
	grep -q '^done' "$out/$way/work.log" || {
		tail -n 20 "$out/$way/work.log"
		echo "compare: $way did not end as it should, see $out/$way" >&2
		exit 1
	}
	tr -d '\r' <"$out/$way/work.log"
done >"$out/rows"

status=0
awk -v version="$KVER" -f "$here/compare.awk" "$out/rows" >"$out/tables" || status=$?
cat "$out/tables"
perl -0777 -pi -e 'BEGIN { open(TABLES, "<", shift) or die; $tables = <TABLES> }
	s/(<!-- begin -->\n).*(<!-- end -->)/$1$tables$2/s or die "no marks"' "$out/tables" docs/comparison.md
exit "$status"
