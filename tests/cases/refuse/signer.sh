#!/bin/sh
# Parameter signer adds one signer; without it only Intel is accepted. A value that is not a SHA-384
# is refused.
. /tests/lib.sh
setup
parameter=/sys/module/tdx_update/parameters/signer
key=$(cat "$SIGNER")

expect "signer" "$key" "$(cat $parameter)"
expect_check test/v2.blob 0 success
for value in x 00 "${key}00" "${key%?}g" "0x$key"; do
	store $parameter "$value"
	expect "errno of signer $value" EINVAL "$ERRNO"
done
expect "signer after those" "$key" "$(cat $parameter)"

# A change of the first or the last digit makes another signer.
next_digit() {
	echo "$1" | tr 0-9a-f 1-9a-f0
}
for other in "$(next_digit "${key%"${key#?}"}")${key#?}" "${key%?}$(next_digit "${key#"${key%?}"}")"; do
	store $parameter "$other"
	expect "errno of another signer" 0 "$ERRNO"
	expect_refused test/v2.blob EKEYREJECTED bad-signature
done
store $parameter ""
expect "errno of no signer" 0 "$ERRNO"
expect "no signer" "" "$(cat $parameter)"
expect_refused test/v2.blob EKEYREJECTED bad-signature
store $parameter "$(echo "$key" | tr a-f A-F)"
expect "errno of the signer in capitals" 0 "$ERRNO"
expect_update test/v2.blob 0 success

# A debug-signed image needs both a debug platform and the parameter.
emu_set platform "debug=1 unlocked=1"
emu_set reset 1
expect_check test/bad-debug.blob 0 success
store $parameter ""
expect_refused test/bad-debug.blob EKEYREJECTED bad-signature
rmmod tdx_update
with_errno modprobe tdx_update signer=12
expect "modprobe with a bad signer" EINVAL "$ERRNO"
