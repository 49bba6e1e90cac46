#!/bin/bash
# Makes the root file system of a small server of one Debian suite, without tdx-update: systemd, the
# suite's cloud kernel with headers, the suite's own dkms, and what an administrator's tools need.
#
#	tests/packages/base.sh SUITE	bookworm, trixie, trixie-backports (trixie with it)
#
# Makes build/packages/SUITE/base/ once; remove "made" beside it for a system of today. apt's cache
# there has the packages of a second kernel, whose name is in build/packages/SUITE/second-kernel
# (empty if the archive has none). It is the next older kernel, and plays the part of a new one,
# because the archive has no newer kernel.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
suite=$1
dir=build/packages/$suite
kernel=(linux-image-cloud-amd64 linux-headers-cloud-amd64)
[[ $suite != *-backports ]] || kernel=("${kernel[@]/%//$suite}")
# dkms signs modules with openssl.
packages=(dkms openssl "${kernel[@]}" systemd-sysv dbus udev kmod initramfs-tools
	openssh-server python3 jq)

recipe() {
	echo "${packages[*]}"
	cat "$dir/sources.list"
}

mkdir -p "$dir"
scripts/root.sh --apt "$suite" "$dir"
[ "$(recipe)" != "$(cat "$dir/made" 2>/dev/null)" ] || exit 0

start=$SECONDS log=$dir/base.log
rm -rf "$dir"/{base,base.new,made}
# mmdebstrap leaves its apt settings in the root, where the root's own apt uses them.
mmdebstrap --mode=root --variant=apt --format=directory --skip=cleanup/apt/lists \
	--aptopt="$dir/apt.conf" --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt=force-unsafe-io \
	--include="$(IFS=,; echo "${packages[*]}")" \
	"${suite%-backports}" "$dir/base.new" "$dir/sources.list" >"$log" 2>&1 || {
	tail -n 30 "$log" >&2
	exit 1
}

release=$(ls "$dir/base.new/lib/modules")
second=$(
	{
		echo "$release"
		chroot "$dir/base.new" apt-cache pkgnames linux-headers- |
			sed -n 's/^linux-headers-\([0-9].*-cloud-amd64\)$/\1/p'
	} | sort -Vu | grep -Fxm 1 -B 1 "$release" | grep -Fvx "$release"
) || true
echo "$second" >"$dir/second-kernel"
[ -z "$second" ] || chroot "$dir/base.new" env DEBIAN_FRONTEND=noninteractive apt-get -q=2 install \
	--download-only -y "linux-image-$second" "linux-headers-$second" >>"$log" 2>&1 || {
	tail -n 30 "$log" >&2
	exit 1
}
# shim and GRUB, with which the machine boots under Secure Boot. They are only unpacked, because
# their installation needs a disk.
mkdir -p "$dir/base.new/tmp/efi"
chroot "$dir/base.new" env -C /tmp/efi apt-get -q=2 download shim-signed grub-efi-amd64-signed \
	>>"$log" 2>&1
rm -rf "$dir/efi"
for deb in "$dir"/base.new/tmp/efi/*.deb; do
	dpkg -x "$deb" "$dir/efi"
done
rm -r "$dir/base.new/tmp/efi"
mv "$dir/base.new" "$dir/base"
recipe >"$dir/made"
echo "$suite: root file system made in $((SECONDS - start)) s" >&2
