#!/bin/sh
# The image's file is rewritten all the time: each attempt installs one of two images or is refused
# for what it read, and never installs a mixture.
# SMP: 2 4
# THREADS: multi
. /tests/lib.sh
setup remaining=1000000
td_build 1
dir=/lib/firmware
cp $dir/test/a.blob $dir/file.blob

# Replace the file in both ways: move the new one over it, and write into it, in pieces.
rewrite() {
	until [ -e "$TMP/enough" ]; do
		cp $dir/test/b.blob $dir/new.blob
		mv $dir/new.blob $dir/file.blob
		usleep 20000
		dd if=$dir/test/a.blob of=$dir/file.blob bs=65536 conv=notrunc
		usleep 20000
		cat $dir/test/b.blob >$dir/file.blob
		usleep 20000
		cp $dir/test/a.blob $dir/new.blob
		mv $dir/new.blob $dir/file.blob
	done 2>/dev/null
}
rewrite &
rewrite=$!

i=0 a=0 b=0 refused=0
while [ $i -lt 1000 ] && { [ $a -lt 5 ] || [ $b -lt 5 ] || [ $refused -lt 3 ]; }; do
	i=$((i + 1))
	version=$(tdx version)
	update file.blob
	case $ERRNO/$(tdx last/result) in
	0/success)
		version=$(tdx last/to)
		case $version in
		1.5.25) a=$((a + 1)) ;;
		1.5.27) b=$((b + 1)) ;;
		*) fail "attempt $i: version $version" ;;
		esac
		;;
	# The file was open for writing, cut off, or half of each image.
	ENOENT/no-image | EINVAL/bad-image | EBADMSG/corrupt)
		refused=$((refused + 1))
		;;
	*)
		fail "attempt $i: $ERRNO, $(tdx last/result)"
		;;
	esac
	expect "version after attempt $i" "$version" "$(tdx version)"
done
: >"$TMP/enough"
wait $rewrite
rm -f $dir/file.blob $dir/new.blob
note "$i attempts: $a with the one, $b with the other, $refused refused"
expect_ge "updates with the one" 5 $a
expect_ge "updates with the other" 5 $b
expect_ge "attempts refused" 3 $refused
expect "updates in the firmware" $((a + b)) "$(emu_get state updates)"
expect "open session" 0 "$(emu_get state session)"
expect_tds_alive 1
