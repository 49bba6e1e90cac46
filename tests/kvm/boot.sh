#!/bin/bash
# Boots one guest in Bochs, whose CPUs have VMX, and waits for its end. Does not judge the result.
#
#	tests/kvm/boot.sh --kernel FILE --initrd FILE --dir DIR [OPTION...]
#
#	--timeout S		stop the guest after so many seconds (0: never)
#	--append WORDS		further words of the kernel command line, see tests/vm/init
#
# Leaves the same files as tests/vm/boot.sh, for tests/vm/judge.sh: DIR/console.log (ttyS0),
# DIR/work.log (ttyS1), and of Bochs DIR/qemu.log and DIR/exit.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

timeout=0 append=''
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=$2 ;;
	--initrd) initrd=$2 ;;
	--dir) dir=$2 ;;
	--timeout) timeout=$2 ;;
	--append) append=$2 ;;
	*) echo "boot.sh: unknown option $1" >&2; exit 2 ;;
	esac
	shift 2
done

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
rm -f "$dir"/{console.log,work.log,bochs.log,qemu.log,exit,cd.iso}

# shellcheck disable=SC2054 # a comma is part of a word
words=(
	console=ttyS0 loglevel=5 printk.time=1 log_buf_len=1M
	panic=-1 oops=panic
	mitigations=off random.trust_cpu=on no_timer_check
	tsc_early_khz=20000	# a tick is an instruction, whatever CPUID says: ips in bochsrc
	# The tests do not need these, and they take long in Bochs.
	cryptomgr.notests apparmor=0 audit=0 rodata=off 8250.nr_uarts=2
	noxsave			# Linux warns of the XSAVE sizes that Bochs 2.7 reports
	idle=halt		# a CPU that waits by MWAIT loses its timer, and others wait for it
)

cd=$(mktemp -d)
trap 'rm -rf "$cd"' EXIT
modules=/usr/lib/syslinux/modules/bios
cp /usr/lib/ISOLINUX/isolinux.bin "$modules"/{ldlinux,libcom32,mboot}.c32 "$cd/"
"$here/image.sh" "$kernel" "$cd/kernel"
cp "$initrd" "$cd/initrd"
cat >"$cd/isolinux.cfg" <<END
default linux
prompt 0
label linux
	kernel mboot.c32
	append kernel ${words[*]} $append --- initrd
END
genisoimage -quiet -o "$dir/cd.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
	-boot-info-table "$cd"
rm "$cd/kernel" "$cd/initrd"

sed "s|DIR|$dir|" "$here/bochsrc" >"$cd/bochsrc"
# Debian's Bochs has a debugger, which waits for the command to continue.
printf 'c\n%.0s' {1..1000} >"$cd/commands"

# Bochs needs a terminal. It runs in the background, so that this script handles signals at once.
start=$SECONDS status=0
TERM=vt100 timeout --foreground -k 10 "$timeout" \
	script -qc "exec bochs-bin -q -f $cd/bochsrc -rc $cd/commands" /dev/null \
	<&0 >"$dir/screen.log" 2>&1 &
bochs=$!
trap 'kill "$bochs" 2>/dev/null || true; rm -rf "$cd"' EXIT
trap 'exit 143' INT TERM
wait "$bochs" || status=$?
rm "$dir/cd.iso"
# Bochs has succeeded only if the guest powered off.
grep -E 'PANIC|ERROR' "$dir/bochs.log" >"$dir/qemu.log" || true
if [ "$status" != 124 ] && [ "$status" != 137 ]; then
	status=1
	! grep -q 'ACPI control: soft power off' "$dir/bochs.log" || status=0
fi
echo "$status $((SECONDS - start))" >"$dir/exit"
