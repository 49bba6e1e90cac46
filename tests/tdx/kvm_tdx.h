/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's interface to TDs, from the kernel's documentation (Documentation/virt/kvm/api.rst and
 * x86/intel-tdx.rst), for libc headers that are older than it.
 */
#ifndef KVM_TDX_H
#define KVM_TDX_H

#include <linux/kvm.h>
#include <stdint.h>

#define TD_VM_TYPE		5	/* of KVM_CREATE_VM: a TD */
#define TD_CAP_VM_TYPES		235
#define TD_CAP_SPLIT_IRQCHIP	121

/* KVM_MEMORY_ENCRYPT_OP of a VM or a vCPU */
enum td_command {
	TD_CAPABILITIES,
	TD_INIT_VM,
	TD_INIT_VCPU,
	TD_INIT_MEM_REGION,
	TD_FINALIZE_VM,
};

#define TD_MEASURE		1	/* flag of TD_INIT_MEM_REGION */

struct td_cmd {
	uint32_t id;
	uint32_t flags;
	uint64_t data;
	uint64_t hw_error;
};

#define TD_MAX_CPUID		64u

struct td_cpuid {
	uint32_t nent;
	uint32_t padding;
	struct kvm_cpuid_entry2 entries[TD_MAX_CPUID];
};

struct td_capabilities {
	uint64_t attributes;
	uint64_t xfam;
	uint64_t tdvmcallinfo[4];
	uint64_t reserved[250];
	struct td_cpuid cpuid;
};

struct td_init_vm {
	uint64_t attributes;
	uint64_t xfam;
	uint64_t mrconfigid[6];
	uint64_t mrowner[6];
	uint64_t mrownerconfig[6];
	uint64_t reserved[12];
	struct td_cpuid cpuid;
};

struct td_mem_region {
	uint64_t source_addr;
	uint64_t gpa;
	uint64_t nr_pages;
};

struct td_guest_memfd {
	uint64_t size;
	uint64_t flags;
	uint64_t reserved[6];
};

struct td_memory_region2 {
	uint32_t slot;
	uint32_t flags;
	uint64_t guest_phys_addr;
	uint64_t memory_size;
	uint64_t userspace_addr;
	uint64_t guest_memfd_offset;
	uint32_t guest_memfd;
	uint32_t pad1;
	uint64_t pad2[14];
};

#define TD_MEM_GUEST_MEMFD	(1u << 2)

struct td_memory_attributes {
	uint64_t address;
	uint64_t size;
	uint64_t attributes;
	uint64_t flags;
};

#define TD_ATTRIBUTE_PRIVATE	(1ull << 3)

#define TD_SET_USER_MEMORY_REGION2	_IOW(KVMIO, 0x49, struct td_memory_region2)
#define TD_SET_MEMORY_ATTRIBUTES	_IOW(KVMIO, 0xd2, struct td_memory_attributes)
#define TD_CREATE_GUEST_MEMFD		_IOWR(KVMIO, 0xd4, struct td_guest_memfd)

#endif /* KVM_TDX_H */
