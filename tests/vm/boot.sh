#!/bin/bash
# Boots one guest without hardware virtualisation and waits for its end. Judges nothing.
#
#	tests/vm/boot.sh --kernel FILE --initrd FILE --dir DIR [OPTION...]
#	tests/vm/boot.sh --firmware DIR --dir DIR [OPTION...]
#
#	--firmware DIR		boot from the disks by UEFI: DIR has code.fd, which enforces Secure
#				Boot, and vars.fd. The command line is the boot loader's
#	--disk FILE		a disk for the guest, virtio-blk; nothing is written to the file.
#				Can be given again
#	--ssh PORT		a network with only the guest, whose SSH is this machine's PORT
#	--smp N			CPUs (2)
#	--thread single|multi	all of them in one host thread, or one each (single): CPUs that spin
#				starve one another unless they take turns or have a host CPU each
#	--memory SIZE		as QEMU takes it (1G)
#	--cpu PROPERTIES	of the guest's CPUs, as QEMU takes them, besides those below
#	--plugin FILE,ARGUMENTS	a plugin of QEMU's
#	--timeout S		seconds until the guest is stopped from outside (none)
#	--live console|work	ttyS0 or ttyS1 is also shown on standard output, and reads standard
#				input
#	--append WORDS		further words of the kernel command line, see init
#
# Leaves DIR/console.log (ttyS0), DIR/work.log (ttyS1), DIR/qemu.log and DIR/exit: QEMU's exit
# status (124: the time was up) and the seconds it took.
set -euo pipefail

smp=2 thread=single memory=1G timeout=0 live='' append='' disks=() properties='' plugin=() network=()
while [ $# -gt 0 ]; do
	case $1 in
	--kernel) kernel=$2 ;;
	--initrd) initrd=$2 ;;
	--firmware) firmware=$2 ;;
	--disk) disks+=(-drive "if=virtio,format=raw,snapshot=on,file=$2") ;;
	--ssh) network=(-netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$2-:22"
		-device "virtio-net-pci,netdev=net,romfile=") ;;
	--dir) dir=$2 ;;
	--smp) smp=$2 ;;
	--thread) thread=$2 ;;
	--memory) memory=$2 ;;
	--cpu) properties=,$2 ;;
	--plugin) plugin=(-plugin "$2") ;;
	--timeout) timeout=$2 ;;
	--live) live=$2 ;;
	--append) append=$2 ;;
	*) echo "boot.sh: unknown option $1" >&2; exit 2 ;;
	esac
	shift 2
done

mkdir -p "$dir"
rm -f "$dir"/{console.log,work.log,qemu.log,exit}

# A serial port: its file, and the terminal too if it is the live one.
port() {
	if [ "$live" = "$1" ]; then
		echo "stdio,id=$1,signal=off,logfile=$dir/$1.log"
	else
		echo "file,id=$1,path=$dir/$1.log"
	fi
}

# A CPU of the generation that TDX images name; it has no SEAM and, so emulated, no VMX. And no
# CMPXCHG16B: QEMU 7.2 leaves half of RAX in the flags after one. An interrupt that comes there, in
# the slab allocator, returns with them, and Linux 6.12 died of a double fault in two boots of five.
cpu=max,-cx16,vendor=GenuineIntel,family=6,model=143,stepping=8$properties

words=(
	console=ttyS0 loglevel=7 printk.time=1 log_buf_len=1M
	panic=-1 panic_on_warn=1 oops=panic
	"slub_debug=U,kmalloc-*"	# who made each allocation: see leaks() in lib.sh
	mitigations=off random.trust_cpu=on no_timer_check
)

if [ -n "${firmware:-}" ]; then
	# The variables can be written only from system management mode, or else by anyone.
	boot=(
		-machine smm=on -global "driver=cfi.pflash01,property=secure,value=on"
		-drive "if=pflash,format=raw,readonly=on,file=$firmware/code.fd"
		-drive "if=pflash,format=raw,snapshot=on,file=$firmware/vars.fd"
	)
else
	boot=(-kernel "$kernel" -initrd "$initrd" -append "${words[*]} $append")
fi

# In the background, so that a signal to this script reaches it at once.
start=$SECONDS status=0
timeout --foreground -k 10 "$timeout" qemu-system-x86_64 \
	-machine q35 -accel "tcg,thread=$thread" -cpu "$cpu" -smp "$smp" -m "$memory" \
	-nodefaults -no-user-config -display none -monitor none -no-reboot \
	-chardev "$(port console)" -serial chardev:console \
	-chardev "$(port work)" -serial chardev:work \
	"${boot[@]}" "${disks[@]}" "${network[@]}" "${plugin[@]}" \
	<&0 2>"$dir/qemu.log" &
qemu=$!
trap 'kill "$qemu" 2>/dev/null' EXIT
trap 'exit 143' INT TERM
wait "$qemu" || status=$?
trap - EXIT
echo "$status $((SECONDS - start))" >"$dir/exit"
