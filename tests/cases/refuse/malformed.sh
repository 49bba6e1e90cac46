#!/bin/sh
# Containers and sigstructs with a wrong field are refused.
# SMOKE: kasan
# KERNEL: any
. /tests/lib.sh
setup

# image, offset, value of the byte there
while read -r image offset value; do
	set_byte "/lib/firmware/test/$image.blob" "$offset" "$value" /lib/firmware/bad.blob
	expect_refused bad.blob EINVAL bad-image
done <<END
v1 1 3
v2 1 0
v1 8 0
v2 4 0
v1 4 1
v1 5 255
v1 6 255
v1 16 1
v1 20 1
v1 4095 1
v2 12 0
v2 12 2
v2 15 255
v2 16 0
v2 19 255
v2 20 1
v2 4095 1
v1 4096 7
v2 4100 0
v2 4106 2
v2 4108 1
v2 4112 0
v2 4121 0
v2 4124 1
v2 4128 1
v2 4132 2
v2 4136 1
v2 4223 1
v2 4608 3
v2 5046 1
v2 5053 128
v2 5074 1
v2 5085 1
v2 5121 1
END

# Two pages of sigstruct and one page less of the TDX module: the checksum stays the same.
cp /lib/firmware/test/v2.blob /lib/firmware/bad.blob
put_bytes /lib/firmware/bad.blob 12 2
put_bytes /lib/firmware/bad.blob 16 $(($(byte_at /lib/firmware/bad.blob 16) - 1))
expect_refused bad.blob EINVAL bad-image
expect last/reason "container: not exactly one sigstruct page" "$(tdx last/reason)"

# No page of the TDX module. The checksum lacks that page and its number.
dd if=/lib/firmware/test/good-1-page.blob of=/lib/firmware/bad.blob bs=4096 count=2 2>/dev/null
put_bytes /lib/firmware/bad.blob 16 0
sum=$(od -An -v -tu1 /lib/firmware/bad.blob | awk '
	{ for (i = 1; i <= NF; i++) sum += n++ % 2 ? $i * 256 : $i }
	END { print sum % 65536 }')
old=$(bytes_at /lib/firmware/bad.blob 2 2)
sum=$((${old% *} + (${old#* } << 8) - sum & 0xffff))
put_bytes /lib/firmware/bad.blob 2 $((sum & 0xff)) $((sum >> 8))
expect_refused bad.blob EINVAL bad-image
expect last/reason "container: no module pages" "$(tdx last/reason)"
rm /lib/firmware/bad.blob
