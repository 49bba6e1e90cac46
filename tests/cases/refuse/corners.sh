#!/bin/sh
# Unusual images that the firmware installs are installed: the fewest and most pages, the longest
# CPU table, another stepping, equal and highest SVN, either end of the handoff range, bytes without
# a meaning.
# KERNEL: any
. /tests/lib.sh
setup
set_byte /lib/firmware/test/v2.blob 6144 255 /lib/firmware/test/good-padding.blob
set_byte /lib/firmware/test/v1.blob 8191 255 /lib/firmware/test/good-padding-v1.blob

good() {
	emu_set reset 1
	td install "test/$1.blob" "${2:-0}"
	expect "errno of the firmware for $1" 0 "$ERRNO"
	emu_set reset 1
	td_build 1
	expect_check "test/$1.blob" 0 success
	expect_update "test/$1.blob" 0 success
	expect_tds_alive 1
	td destroy all
}

for image in good-1-page pages-496 good-255-cpus good-stepping same good-svn-255 good-bytes good-offsets \
	good-no-version good-padding good-padding-v1; do
	good $image
done
emu_set module hv=0-2
good hv-0-0 0
good hv-2-2 2
good hv-1-3 1
emu_set platform "debug=1 unlocked=1"
good good-debug
good good-debug-any
