#!/bin/sh
# The guest's part of `make try`: sets up a TDX host with four images and a running TD, then starts
# a shell. tests/cases/tool/try.sh types the three lines that it suggests.
tdx=/sys/firmware/tdx
td=/sys/kernel/debug/tdx_td
emu=/sys/kernel/debug/tdx_emu
images=/lib/firmware/intel/tdx

modprobe tdx_emu
modprobe tdx_td
modprobe tdx_update signer="$(cat /lib/firmware/test/signer)"
mkdir -p $images
for image in same=1.5.24 a=1.5.25 v2=1.5.26 b=1.5.27; do
	cp "/lib/firmware/test/${image%=*}.blob" "$images/tdx_module_${image#*=}.blob"
done
for cmd in "new 1" "add 1 3" "finalize 1" "enter 1"; do
	echo "$cmd" >$td/cmd
done
cat >/root.profile <<END
export tdx=$tdx td=$td emu=$emu images=$images
# The last LP's call closes the session and fails once. It leaves the handoff data.
export fault="SEAMLDR.INSTALL any $(nproc) 0x8000000000010002"
PS1='tdx-host# '
END

cat <<'END'

A host with an emulated TDX module 1.5.24, four images in $images, one TD in $td/tds.
Type an update, one while a TD is being built, and one whose install fails past the shutdown:
  tdx-update apply $images/tdx_module_1.5.25.blob
  echo new 2 >$td/cmd; tdx-update apply --latest $images
  echo destroy 2 >$td/cmd; echo $fault >$emu/inject; tdx-update apply --latest $images
Faults: tests/emu/README.md, "Injected answers". TDs: tests/td/README.md. exit powers off.
END
cd /
ENV=/root.profile sh -i
