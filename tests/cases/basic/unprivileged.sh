#!/bin/sh
# Without CAP_SYS_ADMIN, update can neither be opened nor written through a descriptor that root has
# opened.
. /tests/lib.sh
setup

with_errno unprivileged "echo test/v2.blob >$TDX/update"
expect "errno of opening update" EACCES "$ERRNO"
with_errno unprivileged 'echo test/v2.blob >&3' 3>"$TDX/update"
expect "errno of writing" EPERM "$ERRNO"
for file in check recovery_image; do
	with_errno unprivileged 'echo test/v2.blob >&3' 3>"$TDX/$file"
	expect "errno of writing $file" EPERM "$ERRNO"
done
expect recovery_image "" "$(tdx recovery_image)"
for file in seamldr_version num_remaining_updates; do
	with_errno unprivileged "cat $TDX/$file"
	expect "errno of reading $file" EACCES "$ERRNO"
done
expect "version for everyone" 1.5.24 "$(unprivileged "cat $TDX/version")"
expect last/result none "$(tdx last/result)"
expect shutdowns 0 "$(counter TDH.SYS.SHUTDOWN)"
