#!/bin/bash
# Packs a guest's initramfs: busybox, kmod, the modules that are needed of the packaged kernel, our
# modules and the tests.
#
#	KROOT= KVER= MODULES= tests/vm/initramfs.sh OUT [SOURCE=DESTINATION]...
#
# SOURCE is a file or directory on the host, DESTINATION its path in the guest. A *.ko always goes
# to the kernel's updates directory, together with the modules that it depends on. A file that goes
# to a directory sbin is a program; its libraries are packed, too. MODULES names further modules of
# the packaged kernel.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$1
shift

# The emulator and its TD client request SHA-384 at run time, so no symbol dependency leads to it.
extra_modules="crypto-sha384 ${MODULES:-}"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"	# mktemp -d makes it 700, and the guest has an unprivileged user
modules=lib/modules/$KVER
mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,etc,tests/cases,tests/plans} \
	"$root/$modules/updates" "$root/lib/firmware"

cp /bin/busybox "$root/bin/busybox"
ln -s busybox "$root/bin/sh"
cp "$(readlink -f /sbin/modprobe)" "$root/bin/kmod"
for tool in depmod insmod lsmod modinfo modprobe rmmod; do
	ln -s ../bin/kmod "$root/sbin/$tool"
done
# libraries PROGRAM: packs its shared libraries.
libraries() {
	ldd "$1" | grep -o '/[^ ]*' | while read -r library; do
		install -D "$library" "$root$library"
	done
}
libraries "$root/bin/kmod"

printf '%s\n' 'root::0:0:root:/:/bin/sh' 'nobody::65534:65534:nobody:/:/bin/sh' >"$root/etc/passwd"
printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$root/etc/group"
cp "$here/init" "$root/init"
install -D -m 644 "$KROOT/boot/config-$KVER" "$root/boot/config"
cp "$here"/../lib/* "$root/tests/"

# shellcheck disable=SC2206 # a list of words
names=($extra_modules)
for pair; do
	from=${pair%%=*} to=$root${pair#*=}
	if [[ $from == *.ko ]]; then
		cp "$from" "$root/$modules/updates/"
		# shellcheck disable=SC2207 # lists of words
		names+=($(modinfo -F depends "$from" | tr ',' ' ')
			$(modinfo -F softdep "$from" | sed 's/\(pre\|post\)://g'))
	elif [ -d "$from" ]; then
		mkdir -p "$to"
		cp -r -T "$from" "$to"
	elif [[ $to == */sbin/* ]]; then
		install -D -m 755 "$from" "$to"
		libraries "$from"
	else
		install -D -m 644 "$from" "$to"
	fi
done

# Our modules may depend on one another. KROOT does not have those, but they are packed already.
for name in "${names[@]}"; do
	modprobe -d "$KROOT" -S "$KVER" -D "$name" 2>/dev/null ||
		[ -e "$root/$modules/updates/$name.ko" ]
done | sed -n "s|^insmod $KROOT/*||p" | awk '{ print $1 }' | sort -u | while read -r module; do
	install -D -m 644 "$KROOT/$module" "$root/$module"
done
cp "$KROOT/$modules"/modules.{builtin,builtin.modinfo,order} "$root/$modules/"
depmod -b "$root" "$KVER"

mkdir -p "$(dirname "$out")"
(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) >"$out.new"
mv "$out.new" "$out"
