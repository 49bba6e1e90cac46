#!/bin/sh
# The guest's part of `make try`: sets up a TDX host with three images and a running TD, then starts
# a shell.
tdx=/sys/firmware/tdx
td=/sys/kernel/debug/tdx_td
emu=/sys/kernel/debug/tdx_emu
images=/lib/firmware/intel/tdx

modprobe tdx_emu
modprobe tdx_td
modprobe tdx_update signer="$(cat /lib/firmware/test/signer)"
mkdir -p $images
cp /lib/firmware/test/same.blob $images/tdx_module_1.5.24.blob
cp /lib/firmware/test/a.blob $images/tdx_module_1.5.25.blob
cp /lib/firmware/test/v2.blob $images/tdx_module_1.5.26.blob
for cmd in "new 1" "add 1 3" "finalize 1" "enter 1"; do
	echo "$cmd" >$td/cmd
done
cat >/root.profile <<END
export tdx=$tdx td=$td emu=$emu images=$images
PS1='tdx-host# '
END

cat <<'END'

This is a host with an emulated TDX module 1.5.24 and one TD. $tdx, $td, $emu and $images are set.
Try:
  tdx-update status; tdx-update apply --latest $images
  echo "new 2" >$td/cmd; tdx-update apply --latest $images     # a TD is being built: refused
  echo "finalize 2" >$td/cmd; cat $td/tds                      # now it can be updated
  echo "SEAMLDR.INSTALL any 1 ENOENTROPY 0 1" >$emu/inject     # the next install fails once
Faults: tests/emu/README.md, "Injected answers"; TDs: tests/td/README.md. exit powers off.
END
cd /
ENV=/root.profile sh -i
