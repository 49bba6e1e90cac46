#!/bin/sh
# What an attempt holds of the kernel's memory at most, in sizes of its image: one CPU looks, as often as it
# can, while the other checks images. A check takes the same memory as an update, and ends before the blackout.
# What is less than an image, a page for each here and there, is not in these figures.
set -u
export TMP=/tmp
. /tests/lib.sh

IMAGE=test/pages-496.blob
kib=$(($(wc -c </lib/firmware/$IMAGE) / 1024))
setup_emu remaining=1000000 >&2
emu_set platform crypto=0
modprobe tdx_update "signer=$(cat "$SIGNER")" || die "tdx_update does not load"

# Until /tmp/over is there: the least and the most that vmalloc() had given out, in KiB, and how often it
# looked. The firmware loader's copy is in that, and kernel stacks, which is why nothing is started meanwhile.
look() {
	awk '
		function vmalloc(line) {
			while ((getline line <"/proc/meminfo") > 0)
				if (line ~ /^VmallocUsed:/)
					break
			close("/proc/meminfo")
			split(line, words)
			return words[2] + 0
		}
		BEGIN {
			least = most = vmalloc()
			while ((getline line <"/tmp/over") < 0) {
				now = vmalloc()
				looks++
				if (now < least)
					least = now
				if (now > most)
					most = now
			}
			print least, most, looks
		}' >/tmp/seen
}

# held WHAT: while IMAGE is checked forty times.
held() {
	local i=0
	rm -f /tmp/over /tmp/seen
	look &
	sleep 1
	while [ $((i += 1)) -le 40 ]; do
		echo $IMAGE >"$TDX/check" || die "check failed: $(tdx last/result)"
	done
	: >/tmp/over
	wait
	[ -s /tmp/seen ] || die "no one looked"
	awk -v kib="$kib" -v what="$1" '{
		printf "memory held, %s: %.2f sizes of an image of %d KiB at most (%d looks)\n",
			what, ($2 - $1) / kib, kib, $3 }' /tmp/seen
}

held "one image"
echo $IMAGE >"$TDX/recovery_image" || die "no recovery image"
held "with a recovery image of the same size"
: >"$TMP/ended"
[ -s "$TMP/failures" ] || echo "done"
