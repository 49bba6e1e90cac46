#!/bin/sh
# The firmware refuses the same images as tdx_update, with the status of the specification, but
# after the running TDX module was shut down. TDs survive a refusal by tdx_update.
# KERNEL: any
. /tests/lib.sh
setup
cp /lib/firmware/test/v2.blob /lib/firmware/test/bad-signature.blob
set_byte /lib/firmware/test/v2.blob 4700 $(($(byte_at /lib/firmware/test/v2.blob 4700) ^ 1)) \
	/lib/firmware/test/bad-signature.blob

# image, errno and result of tdx_update, status of the firmware
while read -r image ours result status; do
	emu_set reset 1
	td_build 1
	expect_refused "test/$image.blob" "$ours" "$result"
	expect_tds_alive 1
	td install "test/$image.blob"
	expect "errno of the firmware for $image" EIO "$ERRNO"
	expect "status of the firmware for $image" "SEAMLDR.INSTALL $status" "$(td_file last_status)"
	td destroy all
done <<END
pages-497 EFBIG too-large 0x8000000000000000
bad-header EINVAL bad-image 0x8000000000020000
bad-hv-order EINVAL bad-image 0x8000000000020000
bad-gdt-align EINVAL bad-image 0x8000000000020000
bad-gdt-zero EINVAL bad-image 0x8000000000020000
bad-wrapper-zero EINVAL bad-image 0x8000000000020000
bad-signer EKEYREJECTED bad-signature 0x8000000000020000
bad-debug EKEYREJECTED bad-signature 0x8000000000020000
bad-series EXDEV wrong-series 0x8000000000000006
bad-series-0 EXDEV wrong-series 0x8000000000000006
bad-svn ESTALE older 0x8000000000020000
bad-gdt EINVAL bad-image 0x8000000000020000
bad-wrapper EINVAL bad-image 0x8000000000020000
bad-cpu ENODEV wrong-cpu 0x8000000000010004
bad-no-cpu EINVAL bad-image 0x8000000000020000
bad-signature EKEYREJECTED bad-signature 0x8000000000020000
bad-room ENOBUFS no-room 0x8000000000010002
bad-hv EPROTO bad-handoff 0x8000000000000004
bad-hash EBADMSG corrupt 0x8000000000020001
END

emu_set platform remaining=0
emu_set reset 1
td_build 1
expect_refused test/v2.blob ENOSPC no-updates-left
expect_tds_alive 1
td install test/v2.blob
expect "errno of the firmware without updates left" EIO "$ERRNO"
expect "its status" "SEAMLDR.INSTALL 0x8000000000000003" "$(td_file last_status)"
td destroy all
