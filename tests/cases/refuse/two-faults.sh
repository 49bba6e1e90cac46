#!/bin/sh
# If an image has two faults, tdx_update reports the one that the firmware would report.
# KERNEL: any
. /tests/lib.sh
setup

# image, errno and result of tdx_update, status of the firmware
while read -r image ours result status; do
	emu_set reset 1
	expect_refused "test/$image.blob" "$ours" "$result"
	td install "test/$image.blob"
	expect "status of the firmware for $image" "SEAMLDR.INSTALL $status" "$(td_file last_status)"
done <<END
header-signer EINVAL bad-image 0x8000000000020000
signer-series EKEYREJECTED bad-signature 0x8000000000020000
debug-svn EKEYREJECTED bad-signature 0x8000000000020000
series-svn EXDEV wrong-series 0x8000000000000006
svn-gdt ESTALE older 0x8000000000020000
gdt-cpu EINVAL bad-image 0x8000000000020000
cpu-hv ENODEV wrong-cpu 0x8000000000010004
hv-hash EPROTO bad-handoff 0x8000000000000004
END
