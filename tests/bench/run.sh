#!/bin/bash
# `make bench`: figures, all of them ratios measured in one run, in one guest. No test depends on them.
#
#	tests/bench/run.sh
#
#	SIZES="1 2 4 8 16 32 64" counts of CPUs	UPDATES=16 of each driver in a row of a table
#	REUSE=1 boots whose figures are there already are not made again, after an interruption
#	DOCS=1	puts them into docs/, too
#
# Wants two host CPUs to itself: guests with two CPUs are measured in real time. Runs the guest-*.sh
# beside this file, each time in a boot of its own, and shows tables of what they print.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

scripts/deps.sh build bench
assignments=$(scripts/kernel.sh ${KERNEL:+"$KERNEL"})
eval "$assignments"
export KERNEL KVER KROOT KDIR BUILD_ROOT MAKE_ARGS
built=$(tests/vm/build.sh)
mapfile -t guest <<<"$built"
out=build/bench
mkdir -p "$out"
env -u MAKEFLAGS make -s "$out/clock.so"
sizes=${SIZES:-1 2 4 8 16 32 64}
updates=${UPDATES:-16}

# What user space needs to come to verify.c's findings by itself: the three inputs, and the programs.
image=build/images/pages-150.blob
beside=()
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
	beside+=("$out/$file=/bench/$file")
done
for program in openssl sha384sum; do
	beside+=("$(command -v "$program")=/usr/bin/$program")
	while read -r library; do
		beside+=("$library=$library")
	done < <(ldd "$(command -v "$program")" | grep -o '/[^ ]*')
done

# measure NAME SCRIPT SMP THREAD WORD...: boots one guest that runs the script; its figures are then in
# $out/NAME/work.log.
measure() {
	local name=$1 script=$2 smp=$3 thread=$4
	shift 4

	if [ -n "${REUSE:-}" ] && grep -q '^done$' "$out/$name/work.log" 2>/dev/null; then
		return
	fi
	tests/vm/initramfs.sh "$out/$name.cpio" "${guest[@]}" "${more[@]}" "$here/$script=/tests/bench.sh"
	tests/vm/boot.sh --kernel "$KROOT/boot/vmlinuz-$KVER" --initrd "$out/$name.cpio" \
		--dir "$out/$name" --smp "$smp" --thread "$thread" --memory 2G --timeout 3600 \
		"${options[@]}" --append "guest.script=/tests/bench.sh $*" </dev/null
	rm "$out/$name.cpio"
	grep -q '^done$' "$out/$name/work.log" || {
		cat "$out/$name/work.log"
		echo "bench: $name did not end as it should, see $out/$name" >&2
		exit 1
	}
}

options=() more=("${beside[@]}")
measure verify guest-verify.sh 2 single
cat "$out/verify/work.log"
more=()
measure memory guest-memory.sh 2 multi

# All the rest without the CPUID bit of hypervisors, as on a host: its locks are queues, while a guest that
# knows what it is has simpler ones.

# On clocks of their own, whatever the host does.
for cpus in $sizes; do
	mkdir -p "$out/model-$cpus"
	options=(--cpu hypervisor=off --plugin
		"$out/clock.so,log=$out/model-$cpus/work.log,out=$out/model-$cpus/clocks")
	measure "model-$cpus" guest-blackout.sh "$cpus" single bench=model "bench.updates=$updates"
done
options=(--cpu hypervisor=off)
# Where guests' CPUs have host CPUs to themselves: real time.
for cpus in 1 2; do
	measure "wall-$cpus" guest-blackout.sh "$cpus" multi bench=wall "bench.updates=$updates"
done
measure tds guest-blackout.sh 2 multi bench=tds "bench.updates=$updates"
# Where they have not, they would wait for one another: by turns, time is then the work of all.
for cpus in $sizes; do
	measure "work-$cpus" guest-blackout.sh "$cpus" single bench=work "bench.updates=$updates"
done
{
	cat "$out"/{wall-1,wall-2,tds,memory}/work.log
	for cpus in $sizes; do
		cat "$out/work-$cpus/work.log" "$out/model-$cpus/clocks"
	done
} >"$out/raw"
awk -v data="$out/blackout.dat" -f tests/lib/blackout.awk "$out/raw" | tee "$out/blackout.md"
gnuplot -e "data='$out/blackout.dat'" tests/bench/blackout.gp >"$out/blackout.svg"
[ -z "${DOCS:-}" ] || {
	cp "$out/blackout.svg" docs/
	perl -0777 -pi -e 'BEGIN { open(TABLES, "<", shift) or die; $tables = <TABLES>; $tables =~ s/ +\|/ |/g }
		s/(<!-- begin -->\n).*(<!-- end -->)/$1$tables$2/s' "$out/blackout.md" docs/blackout.md
}
echo "The figure: $out/blackout.svg"
