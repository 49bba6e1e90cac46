#!/bin/sh
# On a kernel with an update driver of its own tdx_update loads, logs that once, and works. On other
# kernels it does not log it.
. /tests/lib.sh

case $(grep CONFIG_TDX_HOST_SERVICES= /boot/config) in
*=[my]) want=1 ;;
*) want=0 ;;
esac
mark_dmesg
setup
expect "lines about a driver of the kernel's own" $want \
	"$(dmesg_since_mark | grep -c 'an update driver of its own')"
td_build 1
expect_update test/a.blob 0 success
expect_update test/b.blob 0 success
expect_tds_alive 1
expect "lines about it in the end" $want \
	"$(dmesg_since_mark | grep -c 'an update driver of its own')"
