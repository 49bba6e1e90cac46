/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KVM's interface for TDs has and the headers of older systems lack. Numbers and layouts are
 * those that Linux documents in Documentation/virt/kvm: api.rst and x86/intel-tdx.rst.
 */
#ifndef KVM_TDX_H
#define KVM_TDX_H

#include <linux/kvm.h>

#ifndef KVM_CREATE_GUEST_MEMFD
#define KVM_CAP_GUEST_MEMFD		234
#define KVM_CAP_VM_TYPES		235
#define KVM_MEM_GUEST_MEMFD		(1U << 2)
#define KVM_MEMORY_ATTRIBUTE_PRIVATE	(1ULL << 3)
#define KVM_EXIT_MEMORY_FAULT		39

struct kvm_userspace_memory_region2 {
	__u32 slot, flags;
	__u64 guest_phys_addr, memory_size, userspace_addr;
	__u64 guest_memfd_offset;
	__u32 guest_memfd, pad1;
	__u64 pad2[14];
};

struct kvm_memory_attributes {
	__u64 address, size, attributes, flags;
};

struct kvm_create_guest_memfd {
	__u64 size, flags, reserved[6];
};

#define KVM_SET_USER_MEMORY_REGION2 _IOW(KVMIO, 0x49, struct kvm_userspace_memory_region2)
#define KVM_SET_MEMORY_ATTRIBUTES _IOW(KVMIO, 0xd2, struct kvm_memory_attributes)
#define KVM_CREATE_GUEST_MEMFD _IOWR(KVMIO, 0xd4, struct kvm_create_guest_memfd)
#endif

#ifndef KVM_X86_TDX_VM
#define KVM_X86_TDX_VM			5
#define KVM_TDX_MEASURE_MEMORY_REGION	(1ULL << 0)

enum kvm_tdx_cmd_id {
	KVM_TDX_CAPABILITIES,
	KVM_TDX_INIT_VM,
	KVM_TDX_INIT_VCPU,
	KVM_TDX_INIT_MEM_REGION,
	KVM_TDX_FINALIZE_VM,
	KVM_TDX_GET_CPUID,
};

struct kvm_tdx_cmd {
	__u32 id, flags;
	__u64 data, hw_error;
};

struct kvm_tdx_capabilities {
	__u64 supported_attrs, supported_xfam;
	__u64 kernel_tdvmcallinfo_1_r11, user_tdvmcallinfo_1_r11;
	__u64 kernel_tdvmcallinfo_1_r12, user_tdvmcallinfo_1_r12;
	__u64 reserved[250];
	struct kvm_cpuid2 cpuid;
};

struct kvm_tdx_init_vm {
	__u64 attributes, xfam;
	__u64 mrconfigid[6], mrowner[6], mrownerconfig[6];
	__u64 reserved[12];
	struct kvm_cpuid2 cpuid;
};

struct kvm_tdx_init_mem_region {
	__u64 source_addr, gpa, nr_pages;
};
#endif

_Static_assert(sizeof(struct kvm_userspace_memory_region2) == 160, "KVM's layout");
_Static_assert(sizeof(struct kvm_create_guest_memfd) == 64, "KVM's layout");
_Static_assert(sizeof(struct kvm_tdx_cmd) == 24, "KVM's layout");
_Static_assert(sizeof(struct kvm_tdx_capabilities) == 2056, "KVM's layout");
_Static_assert(sizeof(struct kvm_tdx_init_vm) == 264, "KVM's layout");

#endif
