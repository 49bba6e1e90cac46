#!/bin/sh
# Writing 1 installs the image that parameter image names. Default: intel/tdx/tdx_module.blob.
. /tests/lib.sh
setup
image=/sys/module/tdx_update/parameters/image

expect "parameter image" intel/tdx/tdx_module.blob "$(cat "$image")"
mkdir -p /lib/firmware/intel/tdx
rm -f /lib/firmware/intel/tdx/tdx_module.blob
expect_update 1 ENOENT no-image
cp /lib/firmware/test/v2.blob /lib/firmware/intel/tdx/tdx_module.blob
expect_update 1 0 success
rm /lib/firmware/intel/tdx/tdx_module.blob
expect last/image intel/tdx/tdx_module.blob "$(tdx last/image)"

echo test/b.blob >"$image"
expect_update 1 0 success
expect last/image test/b.blob "$(tdx last/image)"
# Only the name 1 alone stands for the parameter.
expect_update 1.blob ENOENT no-image
expect last/image 1.blob "$(tdx last/image)"
printf 1 >"$TDX/update" || fail "1 without a newline is refused"
echo /etc/passwd >"$image"
expect_update 1 EINVAL bad-name
