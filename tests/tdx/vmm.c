// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small VMM: has KVM build one TD, step by step, and enters it.
 *
 *	vmm PAGES [SEED]
 *
 * It reads commands from standard input, one a line, and answers each with one line on standard
 * output: what it did, or "error ERRNO STEP". The steps of a build are in this order:
 *
 *	create		VM, capabilities, KVM_TDX_INIT_VM
 *	vcpu		vCPU, KVM_TDX_INIT_VCPU, memory
 *	add N		KVM_TDX_INIT_MEM_REGION for the next N pages, with measurement
 *	finalize	KVM_TDX_FINALIZE_VM; answers the measurement as this program computes it
 *	verify		looks for it among the measurements that the emulator shows: good or wrong
 *	run N		KVM_RUN until the TD has written N numbers to its port; answers the last
 *	close		destroys the TD
 *
 * Pages are filled from SEED, so that TDs with different seeds have different measurements.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_tdx.h"
#include "td.h"
#include "tdx_emu_guest.h"

#define MAX_PAGES	60u
#define GPA		0x100000u	/* of the first page */
#define GPA_BITS	48u
#define IOAPIC_PINS	24u
#define MAX_CPUID	64u

#define EMULATOR_TDS	"/sys/kernel/debug/tdx_emu/tds"

static int kvm = -1, vm = -1, vcpu = -1, memory_fd = -1;
static struct kvm_run *run_page;
static size_t run_size;
static unsigned char *pages;
static unsigned int num_pages, added;
static char mrtd[2 * TD_MRTD_SIZE + 1];	/* hexadecimal, once the TD is finalized */

static bool failed(const char *step)
{
	printf("error %s %s\n", strerrorname_np(errno), step);
	return false;
}

static bool td_op(int fd, enum kvm_tdx_cmd_id id, uint32_t flags, void *data, const char *step)
{
	struct kvm_tdx_cmd cmd = { .id = id, .flags = flags, .data = (uintptr_t)data };

	if (!ioctl(fd, KVM_MEMORY_ENCRYPT_OP, &cmd))
		return true;
	if (cmd.hw_error)
		fprintf(stderr, "%s: SEAMCALL status 0x%llx\n", step,
			(unsigned long long)cmd.hw_error);
	return failed(step);
}

/* The first page tells the emulator what the TD's guest does; the others are only filled. */
static void fill(unsigned int seed)
{
	const struct tdx_emu_guest guest = {
		.magic = TDX_EMU_GUEST_MAGIC,
		.port = TDX_EMU_GUEST_PORT,
	};
	unsigned int i;

	for (i = 0; i < num_pages * TD_PAGE_SIZE; i++)
		pages[i] = i * 7 + i / TD_PAGE_SIZE + seed;
	memcpy(pages, &guest, sizeof(guest));
}

static bool create(void)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { IOAPIC_PINS } };
	static struct {
		struct kvm_tdx_capabilities of;
		struct kvm_cpuid_entry2 entries[MAX_CPUID];
	} caps;
	static struct {
		struct kvm_tdx_init_vm of;
		struct kvm_cpuid_entry2 entry;
	} init;

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		return failed("/dev/kvm");
	if (!(ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES) & 1 << KVM_X86_TDX_VM)) {
		errno = EOPNOTSUPP;
		return failed("KVM_CAP_VM_TYPES");
	}
	vm = ioctl(kvm, KVM_CREATE_VM, KVM_X86_TDX_VM);
	if (vm < 0)
		return failed("KVM_CREATE_VM");
	caps.of.cpuid.nent = MAX_CPUID;
	if (!td_op(vm, KVM_TDX_CAPABILITIES, 0, &caps, "KVM_TDX_CAPABILITIES"))
		return false;
	if (ioctl(vm, KVM_ENABLE_CAP, &split))
		return failed("KVM_CAP_SPLIT_IRQCHIP");
	init.of.xfam = caps.of.supported_xfam & 3;
	init.of.cpuid.nent = 1;
	init.entry.function = 0x80000008;
	init.entry.eax = GPA_BITS << 16 | 46;
	if (!td_op(vm, KVM_TDX_INIT_VM, 0, &init, "KVM_TDX_INIT_VM"))
		return false;
	printf("created attributes=0x%llx xfam=0x%llx cpuid=%u\n",
	       (unsigned long long)caps.of.supported_attrs,
	       (unsigned long long)caps.of.supported_xfam, caps.of.cpuid.nent);
	return true;
}

/* TDs need a vCPU with x2APIC, so the vCPU gets all of KVM's CPUID. */
static bool set_cpuid(void)
{
	static struct { uint32_t nent, padding; struct kvm_cpuid_entry2 entries[256]; } cpuid;

	cpuid.nent = 256;
	if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid))
		return failed("KVM_GET_SUPPORTED_CPUID");
	if (ioctl(vcpu, KVM_SET_CPUID2, &cpuid))
		return failed("KVM_SET_CPUID2");
	return true;
}

static bool give_memory(void)
{
	const uint64_t size = (uint64_t)num_pages * TD_PAGE_SIZE;
	struct kvm_create_guest_memfd create = { .size = size };
	struct kvm_userspace_memory_region2 region = {
		.flags = KVM_MEM_GUEST_MEMFD,
		.guest_phys_addr = GPA,
		.memory_size = size,
	};
	struct kvm_memory_attributes private = {
		.address = GPA,
		.size = size,
		.attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE,
	};
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return failed("mmap");
	region.userspace_addr = (uintptr_t)shared;
	memory_fd = ioctl(vm, KVM_CREATE_GUEST_MEMFD, &create);
	if (memory_fd < 0)
		return failed("KVM_CREATE_GUEST_MEMFD");
	region.guest_memfd = memory_fd;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION2, &region))
		return failed("KVM_SET_USER_MEMORY_REGION2");
	if (ioctl(vm, KVM_SET_MEMORY_ATTRIBUTES, &private))
		return failed("KVM_SET_MEMORY_ATTRIBUTES");
	return true;
}

static bool add_vcpu(void)
{
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (vcpu < 0)
		return failed("KVM_CREATE_VCPU");
	run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	run_page = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run_page == MAP_FAILED)
		return failed("KVM_GET_VCPU_MMAP_SIZE");
	if (!set_cpuid() || !td_op(vcpu, KVM_TDX_INIT_VCPU, 0, NULL, "KVM_TDX_INIT_VCPU") ||
	    !give_memory())
		return false;
	printf("vcpu\n");
	return true;
}

static bool add(unsigned int count)
{
	for (; count && added < num_pages; count--, added++) {
		struct kvm_tdx_init_mem_region region = {
			.source_addr = (uintptr_t)pages + added * TD_PAGE_SIZE,
			.gpa = GPA + added * TD_PAGE_SIZE,
			.nr_pages = 1,
		};
		if (!td_op(vcpu, KVM_TDX_INIT_MEM_REGION, KVM_TDX_MEASURE_MEMORY_REGION, &region,
			   "KVM_TDX_INIT_MEM_REGION"))
			return false;
	}
	printf("added %u\n", added);
	return true;
}

static bool finalize(void)
{
	unsigned char digest[TD_MRTD_SIZE];
	unsigned int i;

	if (!td_op(vm, KVM_TDX_FINALIZE_VM, 0, NULL, "KVM_TDX_FINALIZE_VM"))
		return false;
	if (td_measure(pages, added, GPA, digest)) {
		errno = ENOMEM;
		return failed("SHA-384");
	}
	for (i = 0; i < TD_MRTD_SIZE; i++)
		sprintf(mrtd + 2 * i, "%02x", digest[i]);
	printf("finalized %s\n", mrtd);
	return true;
}

/* KVM does not tell a VMM the measurement. */
static bool verify(void)
{
	FILE *tds = fopen(EMULATOR_TDS, "re");
	bool found = false;
	char line[256];

	if (!tds)
		return failed(EMULATOR_TDS);
	while (fgets(line, sizeof(line), tds))
		found |= mrtd[0] && strstr(line, mrtd);
	fclose(tds);
	printf("verified %s\n", found ? "good" : "wrong");
	return true;
}

static bool run(unsigned int numbers)
{
	uint32_t last = 0;

	while (numbers) {
		if (ioctl(vcpu, KVM_RUN, 0))
			return failed("KVM_RUN");
		if (run_page->exit_reason != KVM_EXIT_IO ||
		    run_page->io.port != TDX_EMU_GUEST_PORT ||
		    run_page->io.size != sizeof(last)) {
			printf("error exit %u\n", run_page->exit_reason);
			return false;
		}
		memcpy(&last, (char *)run_page + run_page->io.data_offset, sizeof(last));
		numbers--;
	}
	printf("ran %u\n", last);
	return true;
}

static void close_all(void)
{
	if (run_page && run_page != MAP_FAILED)
		munmap(run_page, run_size);
	run_page = NULL;
	close(memory_fd);
	close(vcpu);
	close(vm);
	close(kvm);
	kvm = -1;
	vm = -1;
	vcpu = -1;
	memory_fd = -1;
	printf("closed\n");
}

int main(int argc, char **argv)
{
	char line[64], word[16];
	unsigned int n;

	num_pages = argc > 1 ? atoi(argv[1]) : 0;
	if (!num_pages || num_pages > MAX_PAGES) {
		fprintf(stderr, "usage: vmm PAGES [SEED], PAGES from 1 to %u\n", MAX_PAGES);
		return 2;
	}
	pages = mmap(NULL, num_pages * TD_PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED) {
		fprintf(stderr, "vmm: no memory\n");
		return 1;
	}
	fill(argc > 2 ? atoi(argv[2]) : 0);
	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		n = 0;
		if (sscanf(line, "%15s %u", word, &n) < 1)
			continue;
		if (!strcmp(word, "create"))
			create();
		else if (!strcmp(word, "vcpu"))
			add_vcpu();
		else if (!strcmp(word, "add"))
			add(n);
		else if (!strcmp(word, "finalize"))
			finalize();
		else if (!strcmp(word, "verify"))
			verify();
		else if (!strcmp(word, "run"))
			run(n);
		else if (!strcmp(word, "close"))
			close_all();
		else
			printf("error EINVAL %s\n", word);
	}
	return 0;
}
