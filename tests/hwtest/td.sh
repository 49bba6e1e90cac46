# shellcheck shell=bash
# The part of unit.sh about the TD that tdx-update-hwtest builds: its calls of KVM in their order,
# its code, its measurement, and what it says of each call that fails. kvm.c stands in for KVM. Its
# TD's code runs in user space, and it computes the measurement a second time.
# shellcheck disable=SC2154 # set where this is sourced

env -u MAKEFLAGS make -s build/hwtest/td build/hwtest/kvm.so

# td COMMANDS ARGUMENT...: runs the program; sets out and td_status. COMMANDS has a pause for each
# comma, as the program reads a command only while its TD runs.
td() {
	local commands=$1

	shift
	td_status=0
	rm -f "$dir/record"
	out=$(tr ',' '\n' <<<"$commands" | while read -r command; do
		[ -z "$command" ] && sleep 0.2 || echo "$command"
	done | KVM_RECORD=$dir/record LD_PRELOAD=$PWD/build/hwtest/kvm.so \
		timeout 20 build/hwtest/td "$@" 2>&1) || td_status=$?
}

td go,,count,,,,,,,count,
expect "exit status at the end of its input" 0 "$td_status"
expect "calls that KVM refused" '' "$(grep refused "$dir/record")"
expect "calls of KVM" "KVM_CHECK_EXTENSION
KVM_CREATE_VM
KVM_CHECK_EXTENSION
KVM_ENABLE_CAP
KVM_TDX_CAPABILITIES
KVM_GET_SUPPORTED_CPUID
KVM_TDX_INIT_VM
attributes 0x10000000 xfam 0x3 cpuid 3
KVM_CREATE_GUEST_MEMFD
KVM_SET_USER_MEMORY_REGION2
KVM_SET_MEMORY_ATTRIBUTES
KVM_CREATE_VCPU
KVM_TDX_GET_CPUID
KVM_SET_CPUID2
KVM_TDX_INIT_VCPU
KVM_GET_VCPU_MMAP_SIZE
$(for page in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do
	echo KVM_TDX_INIT_MEM_REGION
	echo "page 0xffff${page}000"
done)
KVM_TDX_FINALIZE_VM" "$(cat "$dir/record")"
expect "pages before it waits" 8 "$(sed '/^held 8$/,$d' <<<"$out" | grep -c KVM_TDX_INIT_MEM_REGION)"
expect "measurement of the TD" "$(sed -n 's/^expected //p' <<<"$out")" \
	"$(sed -n 's/^reported //p' <<<"$out")"
# Its pages do not change, so the measurement does not. Python's hash is a third opinion.
expect "measurement" "$(python3 - <<-'END'
	import hashlib, subprocess
	def pages():
	    for i in range(11):
	        yield bytes((n * 2654435761 & 0xffffffff) >> 24 for n in range(i * 4096, i * 4096 + 4096))
	    yield bytes(4096)
	    for index, entry in (0, 0xffffd000 | 0x23), (3, 0xffffe000 | 0x23), (511, 0xffe00000 | 0xe3):
	        yield bytes(8 * index) + entry.to_bytes(8, "little") + bytes(4096 - 8 * index - 8)
	    subprocess.run(["gcc", "-c", "-o", "build/hwtest/guest.o", "hwtest/td/guest.S"], check=True)
	    yield subprocess.run(["objcopy", "-O", "binary", "-j", ".rodata", "build/hwtest/guest.o",
	                          "/dev/stdout"], check=True, capture_output=True).stdout
	def record(name, gpa):
	    return name.ljust(16, b"\0") + gpa.to_bytes(8, "little") + bytes(104)
	mrtd = hashlib.sha384()
	for i, page in enumerate(pages()):
	    gpa = 0xffff0000 + i * 4096
	    mrtd.update(record(b"MEM.PAGE.ADD", gpa))
	    for at in range(0, 4096, 256):
	        mrtd.update(record(b"MR.EXTEND", gpa + at) + page[at:at + 256])
	print(mrtd.hexdigest())
	END
)" "$(sed -n 's/^reported //p' <<<"$out")"
runs=$(sed -n 's/^runs //p' <<<"$out")
expect "counts" 2 "$(wc -l <<<"$runs")"
expect "counts that rise" "$runs" "$(sort -nu <<<"$runs")"

td '' 5 1
expect "exit status without a command" 0 "$td_status"
expect "pages before it waits" "held 1" "$(tail -n 1 <<<"$out")"
td go,, 64
expect "measurement of a larger TD" "$(sed -n 's/^expected //p' <<<"$out")" \
	"$(sed -n 's/^reported //p' <<<"$out")"
for arguments in 4 65 x '16 16' '16 0' '1 2 3'; do
	# shellcheck disable=SC2086 # words
	td '' $arguments
	expect "exit status with $arguments" 64 "$td_status"
done

# A TD that never leaves: the program ends with its input, not later than the next second.
export KVM_FAIL=KVM_RUN:4
td go,,
unset KVM_FAIL
expect "exit status of a TD that never leaves" 0 "$td_status"

# Each call that fails; what the last line says.
while IFS='|' read -r failure line; do
	export KVM_FAIL=$failure
	td go,,count,
	unset KVM_FAIL
	expect "exit status where $failure" 1 "$td_status"
	expect "$failure" "failed $line" "$(tail -n 1 <<<"$out")"
done <<'END'
open:2|open: ENOENT, kvm_intel is not loaded
open:13|open: EACCES, no right to use KVM
KVM_CHECK_EXTENSION:22|KVM_CHECK_EXTENSION: EINVAL, Invalid argument
KVM_CREATE_VM:22|KVM_CREATE_VM: EINVAL, the kernel cannot host TDs, or kvm_intel was loaded without tdx=1
KVM_ENABLE_CAP:22|KVM_ENABLE_CAP: EINVAL, Invalid argument
KVM_TDX_CAPABILITIES:7|KVM_TDX_CAPABILITIES: E2BIG, the TDX module has more CPUID leaves than expected
KVM_GET_SUPPORTED_CPUID:7|KVM_GET_SUPPORTED_CPUID: E2BIG, Argument list too long
KVM_TDX_INIT_VM:28|KVM_TDX_INIT_VM: ENOSPC, no KeyID is free: too many TDs
KVM_TDX_INIT_VM:5:0xc000010000000002|KVM_TDX_INIT_VM: EIO, Input/output error; the TDX module's status is 0xc000010000000002
KVM_CREATE_GUEST_MEMFD:12|KVM_CREATE_GUEST_MEMFD: ENOMEM, Cannot allocate memory
KVM_SET_USER_MEMORY_REGION2:17|KVM_SET_USER_MEMORY_REGION2: EEXIST, File exists
KVM_SET_MEMORY_ATTRIBUTES:25|KVM_SET_MEMORY_ATTRIBUTES: ENOTTY, Inappropriate ioctl for device
KVM_CREATE_VCPU:5|KVM_CREATE_VCPU: EIO, the TD is not initialized
KVM_TDX_GET_CPUID:5|KVM_TDX_GET_CPUID: EIO, Input/output error
KVM_SET_CPUID2:22|KVM_SET_CPUID2: EINVAL, Invalid argument
KVM_TDX_INIT_VCPU:22|KVM_TDX_INIT_VCPU: EINVAL, KVM refuses x2APIC: its CPUID bit is missing
KVM_GET_VCPU_MMAP_SIZE:22|KVM_GET_VCPU_MMAP_SIZE: EINVAL, Invalid argument
KVM_TDX_INIT_MEM_REGION:5:0xc000030000000000|KVM_TDX_INIT_MEM_REGION: EIO, the TDX module refuses to add or measure the page; the TDX module's status is 0xc000030000000000
KVM_TDX_FINALIZE_VM:16|KVM_TDX_FINALIZE_VM: EBUSY, the TDX module was busy
KVM_RUN:5|KVM_RUN: EIO, KVM has given this VM up: see the kernel log
END
