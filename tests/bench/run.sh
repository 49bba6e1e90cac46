#!/bin/bash
# `make bench`: measures blackouts of tdx_update and of mainline's own driver on clocks that do not
# depend on the machine. No test depends on the figures.
#
#	SIZES="1 2 4 8 16 32 64"	counts of CPUs
#	UPDATES=16			updates by each driver on each count
#	DOCS=1				also write the figures to docs/
#
# Boots one guest of 7.3 for each count of CPUs, with plugin/clock.c.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

scripts/deps.sh build bench
assignments=$(scripts/kernel.sh 7.3)
eval "$assignments"
export KERNEL KVER KROOT KDIR BUILD_ROOT MAKE_ARGS
built=$(tests/vm/build.sh)
mapfile -t guest <<<"$built"
out=build/bench
mkdir -p "$out"
env -u MAKEFLAGS make -s "$out/clock.so"
tests/vm/initramfs.sh "$out/guest.cpio" "${guest[@]}" "$here/guest-blackout.sh=/tests/bench.sh"

figures=()
for cpus in ${SIZES:-1 2 4 8 16 32 64}; do
	dir=$out/$cpus
	echo "Booting $KVER on $cpus CPUs"
	mkdir -p "$dir"
	# A guest that sees its hypervisor uses simpler locks than a host does.
	tests/vm/boot.sh --kernel "$KROOT/boot/vmlinuz-$KVER" --initrd "$out/guest.cpio" \
		--dir "$dir" --smp "$cpus" --memory 2G --timeout 3600 --cpu hypervisor=off \
		--plugin "$out/clock.so,log=$dir/work.log,out=$dir/figures" \
		--append "guest.script=/tests/bench.sh bench.updates=${UPDATES:-16}" </dev/null
	grep -q '^done' "$dir/work.log" || {
		tail -n 20 "$dir/work.log"
		echo "bench: $cpus CPUs did not end as they should, see $dir" >&2
		exit 1
	}
	figures+=("$dir/figures")
done
awk -v data="$out/blackout.dat" -f tests/lib/blackout.awk "${figures[@]}" >"$out/blackout.md"
cat "$out/blackout.md"
gnuplot -e "data='$out/blackout.dat'" "$here/blackout.gp" >"$out/blackout.svg"
[ -z "${DOCS:-}" ] || {
	cp "$out/blackout.svg" docs/
	perl -0777 -pi -e 'BEGIN { open(TABLES, "<", shift) or die; $tables = <TABLES> }
		s/(<!-- begin -->\n).*(<!-- end -->)/$1$tables$2/s or die "no marks"' \
		"$out/blackout.md" docs/blackout.md
}
echo "The figure: $out/blackout.svg"
