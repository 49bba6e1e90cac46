#!/bin/sh
# Bad images and unfit platforms are refused before anything is shut down. A client of mainline's
# interface gets the error that comes closest.
# SMOKE: yes
# NEEDS: CONFIG_FW_UPLOAD !CONFIG_TDX_HOST_SERVICES
. /tests/lib.sh
. /tests/mainline.sh
need_node
setup
td_build 1

flip /lib/firmware/test/v2.blob 9000 /lib/firmware/flipped.blob
head -c 5000 /lib/firmware/test/v2.blob >/lib/firmware/short.blob
while read -r image error result; do
	expect_upload "$image" "$error" "$result"
done <<END
test/bad-header.blob transferring:$INVALID bad-image
short.blob transferring:$INVALID bad-image
flipped.blob transferring:$INVALID corrupt
test/bad-hash.blob transferring:$INVALID corrupt
test/bad-signer.blob transferring:$INVALID bad-signature
test/bad-debug.blob transferring:$INVALID bad-signature
test/bad-cpu.blob transferring:$INVALID wrong-cpu
test/bad-series.blob transferring:$INVALID wrong-series
test/bad-svn.blob transferring:$INVALID older
test/bad-hv.blob transferring:$INVALID bad-handoff
test/pages-497.blob preparing:invalid-file-size too-large
END
expect "remaining_size of what was refused" "$(stat -c %s /lib/firmware/test/pages-497.blob)" \
	"$(cat "$NODE/remaining_size")"
emu_set vmx all=0
begin_upload test/v2.blob
wait_for 30 idle
expect "error without VMX operation" transferring:hw-error "$(cat "$NODE/error")"
expect last/result vmx-off "$(tdx last/result)"
emu_set vmx all=1
cp /lib/firmware/test/same.blob /lib/firmware/gone.blob
store "$TDX/recovery_image" gone.blob
rm /lib/firmware/gone.blob
expect_upload test/v2.blob transferring:read-write-error no-image
store "$TDX/recovery_image" ""
expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)"
expect_tds_alive 1
# An upload that the client gives up half-way is not an attempt.
echo 1 >"$NODE/loading"
cat /lib/firmware/short.blob >"$NODE/data"
echo -1 >"$NODE/loading"
expect last/result no-image "$(tdx last/result)"
expect status idle "$(cat "$NODE/status")"
with_errno sh -c "echo 1 >$NODE/cancel"
expect "errno of cancelling nothing" ENODEV "$ERRNO"
expect_upload test/v2.blob '' success
