#!/bin/sh
# P-SEAMLDR 1.5.02 refuses an image that has its version in the sigstruct, so such an image is
# refused before the shutdown. A later P-SEAMLDR accepts it.
# KERNEL: any
. /tests/lib.sh
setup seamldr=1.5.02
td_build 1

# Images where the first or the last of the bytes that have to be zero is not.
for image in v2 good-bytes; do
	expect_refused test/$image.blob EINVAL bad-image
	expect "reason of $image" "sigstruct: P-SEAMLDR 1.5.02 requires bytes 1000 to 1023 to be zero" \
		"$(tdx last/reason)"
done
expect_update test/good-no-version.blob 0 success
# The image has no version, but the TDX module reports one.
expect last/to "$(tdx version)" "$(tdx last/to)"
expect_match version '^[0-9]+\.[0-9]+\.[0-9]+$' "$(tdx version)"
store "$TDX/recovery_image" test/v2.blob
expect "errno of such a recovery image" EINVAL "$ERRNO"
expect_tds_alive 1
td destroy all

emu_set platform seamldr=1.5.03
reboot_firmware
expect_update test/v2.blob 0 success
