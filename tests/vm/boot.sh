#!/bin/bash
# Boots one guest without hardware virtualisation and waits for its end. judge.sh judges the boot.
#
#	tests/vm/boot.sh --kernel FILE --initrd FILE --dir DIR [OPTION...]
#	tests/vm/boot.sh --firmware DIR --dir DIR [OPTION...]
#
#	--firmware DIR		boot from the disks by UEFI: DIR has code.fd, which enforces Secure
#				Boot, and vars.fd. The boot loader sets the kernel command line
#	--disk FILE		a virtio-blk disk; nothing is written to FILE. May be repeated
#	--ssh PORT		a network with only the guest; the host's PORT leads to its SSH
#	--smp N			CPUs (2)
#	--thread single|multi	run all CPUs in one host thread, or each in its own (single). CPUs
#				that spin starve each other unless they take turns in one thread
#				or have a host CPU each
#	--memory SIZE		as QEMU takes it (1G)
#	--cpu PROPERTIES	CPU properties as QEMU takes them, besides those below
#	--plugin FILE,ARGUMENTS	a QEMU plugin
#	--timeout S		seconds until the guest is stopped from outside (none)
#	--live console|work	also connect ttyS0 or ttyS1 to standard output and input
#	--counts FILE		a third serial port, ttyS2, that writes to FILE: a kernel with gcov
#				sends its line counts there
#	--append WORDS		append WORDS to the kernel command line; init lists the parameters
#
# Writes DIR/console.log (ttyS0), DIR/work.log (ttyS1), DIR/qemu.log, and DIR/exit with QEMU's exit
# status (124: timeout) and the seconds that it ran.
set -euo pipefail

smp=2 thread=single memory=1G timeout=0 live='' append=''
disks=() properties='' plugin=() network=() counts=()
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
	--counts) counts=(-chardev "file,id=counts,path=$2" -serial chardev:counts) ;;
	--append) append=$2 ;;
	*) echo "boot.sh: unknown option $1" >&2; exit 2 ;;
	esac
	shift 2
done

mkdir -p "$dir"
rm -f "$dir"/{console.log,work.log,qemu.log,exit}

# port NAME: prints a serial port's chardev. It logs to a file; the live port also has the terminal.
port() {
	if [ "$live" = "$1" ]; then
		echo "stdio,id=$1,signal=off,logfile=$dir/$1.log"
	else
		echo "file,id=$1,path=$dir/$1.log"
	fi
}

# A CPU model that TDX images list. TCG emulates neither SEAM nor VMX. CMPXCHG16B is off: QEMU 7.2
# leaves half of RAX in the flags after it. An interrupt right then, in the slab allocator, returned
# with these flags, and Linux 6.12 died of a double fault in two boots of five.
cpu=max,-cx16,vendor=GenuineIntel,family=6,model=143,stepping=8$properties

words=(
	console=ttyS0 loglevel=7 printk.time=1 log_buf_len=1M
	panic=-1 panic_on_warn=1 oops=panic
	"slub_debug=FZPU,kmalloc-*"	# finds stray writes; U: who made each allocation, for leaks()
	mitigations=off random.trust_cpu=on no_timer_check
)
# A busy host may pause a guest for half a minute, and hundreds of CPUs that share one take that
# long for a step of the kernel's own start. A real lockup lasts, so it is still found.
words+=("watchdog_thresh=$((${smp%%,*} > 64 ? 60 : 30))")

if [ -n "${firmware:-}" ]; then
	# Only code in system management mode may write the UEFI variables; by default, any may.
	boot=(
		-machine smm=on -global "driver=cfi.pflash01,property=secure,value=on"
		-drive "if=pflash,format=raw,readonly=on,file=$firmware/code.fd"
		-drive "if=pflash,format=raw,snapshot=on,file=$firmware/vars.fd"
	)
else
	boot=(-kernel "$kernel" -initrd "$initrd" -append "${words[*]} $append")
fi

# APIC IDs above 254 need x2APIC, which software emulation has from QEMU 9.0 on, and interrupt
# remapping.
emulator=(qemu-system-x86_64) machine=()
if [ "${smp%%,*}" -gt 255 ]; then
	scripts=$(cd "$(dirname "$0")/../../scripts" && pwd)
	root=$("$scripts/root.sh" trixie qemu-system-x86 seabios)
	emulator=("$scripts/root.sh" --in "$root" "${emulator[@]}")
	machine=(-device "intel-iommu,intremap=on,eim=on")
fi

# On an idle host QEMU's thread for timers has a CPU of its own, and keeps taking the lock from
# the thread that runs hundreds of guest CPUs in turn: 16 of them started in 8 minutes, against 180
# in 15 seconds without that. So both threads share one of the CPUs that this process may use.
pin=()
if [ "${smp%%,*}" -gt 64 ] && [ "$thread" = single ]; then
	mapfile -t allowed < <(sed -n 's/^Cpus_allowed_list:\t//p' /proc/self/status | tr , '\n' |
		sed 's/-/ /; s/^[0-9]*$/& &/' | xargs -n 2 seq)
	pin=(taskset -c "${allowed[${smp%%,*} % ${#allowed[@]}]}")
fi

# In the background: bash handles a signal during "wait" at once, but not during a command.
start=$SECONDS status=0
timeout --foreground -k 10 "$timeout" "${pin[@]}" "${emulator[@]}" \
	-machine q35 "${machine[@]}" -accel "tcg,thread=$thread" -cpu "$cpu" -smp "$smp" -m "$memory" \
	-nodefaults -no-user-config -display none -monitor none -no-reboot \
	-chardev "$(port console)" -serial chardev:console \
	-chardev "$(port work)" -serial chardev:work "${counts[@]}" \
	"${boot[@]}" "${disks[@]}" "${network[@]}" "${plugin[@]}" \
	<&0 2>"$dir/qemu.log" &
qemu=$!
trap 'kill "$qemu" 2>/dev/null' EXIT
trap 'exit 143' INT TERM
wait "$qemu" || status=$?
trap - EXIT
echo "$status $((SECONDS - start))" >"$dir/exit"
