// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands in for /dev/kvm of a kernel that hosts TDs, preloaded into tdx-update-hwtest-td. It is
 * written from Linux's documentation of that interface: it refuses what KVM refuses, in the order
 * that KVM wants, and appends each call to the file KVM_RECORD.
 *
 * Where tests/td is loaded, that makes the SEAMCALLs of each step, so the emulator knows a TD that
 * is being built and refuses an update. The TD's own code runs here, in user space: its privileged
 * instructions and its TDCALLs trap, and cpu.c acts them out.
 *
 * KVM_FAIL=CALL:ERRNO[:STATUS] makes that call fail.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "kvm.h"

#define CLIENT		"/sys/kernel/debug/tdx_td"
#define MMAP_SIZE	(2 * 4096)
#define RUN_US		10000

#define CPUID_X2APIC	(1U << 21)
#define WANTED_XFAM	3
#define NO_SEPT_VE	(1ULL << 28)

/* What of the TD has been done already. A call wants some of it done, and some of it not. */
enum {
	VM = 1 << 0,
	SPLIT = 1 << 1,
	INIT = 1 << 2,
	MEMFD = 1 << 3,
	SLOT = 1 << 4,
	PRIVATE = 1 << 5,
	VCPU = 1 << 6,
	CPUID = 1 << 7,
	INIT_VCPU = 1 << 8,
	FINAL = 1 << 9,
};

static unsigned int done;
static int kvm_fd = -1, vm_fd = -1, vcpu_fd = -1, memory_fd = -1;
static uint64_t slot_start, slot_size;
static EVP_MD_CTX *hash;
struct kvm_run *stand_in_run;
struct td stand_in_td;

/* CPUID leaves, which of their bits can be configured, and the bits that KVM supports. */
static const struct kvm_cpuid_entry2 configurable[] = {
	{ .function = 1, .eax = 0x0fff3fff, .ebx = 0x00ff0000, .ecx = 0x00000100 },
	{ .function = 4, .index = 0, .flags = 1, .eax = 0xfc000000 },
	/* KVM does not support this one. */
	{ .function = 0x1f, .index = 0, .flags = 1, .eax = 0x1f, .ebx = 0xffff },
	{ .function = 0x80000008, .eax = 0x00ff0000, .ebx = 0x00000200 },
}, supported[] = {
	{ .function = 0, .eax = 0x20 },
	{ .function = 1, .eax = 0x000806f8, .ebx = 0x00800800, .ecx = 0xfffa3203 | CPUID_X2APIC },
	{ .function = 4, .index = 0, .flags = 1, .eax = 0xfc004121, .ebx = 0x02c0003f },
	{ .function = 4, .index = 1, .flags = 1, .eax = 0xfc004122, .ebx = 0x01c0003f },
	{ .function = 0x80000008, .eax = 0x00003934, .ebx = 0x00000200 },
};

/* ---- the record ---------------------------------------------------------------------------- */

__attribute__((format(printf, 1, 2))) static void record(const char *format, ...)
{
	const char *path = getenv("KVM_RECORD");
	va_list args;
	FILE *file;

	if (!path)
		return;
	file = fopen(path, "ae");
	if (!file)
		abort();
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fputc('\n', file);
	fclose(file);
}

static int refuse(int error, const char *why)
{
	record("refused: %s", why);
	errno = error;
	return -1;
}

/* ---- the TD of the emulator ---------------------------------------------------------------- */

/* The status of the last SEAMCALL that tests/td made. */
static uint64_t last_status(void)
{
	unsigned long long status = 0;
	FILE *file = fopen(CLIENT "/last_status", "re");

	if (!file || fscanf(file, "%*s %llx", &status) != 1)
		status = 0;
	if (file)
		fclose(file);
	return status;
}

/* Returns 0, or the status of the SEAMCALL that failed. Without tests/td nothing can fail. */
static uint64_t client(const char *command, const char *operand)
{
	char text[64];
	int fd = open(CLIENT "/cmd", O_WRONLY | O_CLOEXEC), length;
	ssize_t written;

	if (fd < 0)
		return 0;
	length = snprintf(text, sizeof(text), "%s %d%s", command, getpid(), operand);
	written = write(fd, text, length);
	close(fd);
	return written == length ? 0 : last_status() ?: ~0ULL;
}

/* Whether the emulator's TD has another measurement than its pages give. */
static int spoiled(void)
{
	char line[512], id[32];
	FILE *file = fopen(CLIENT "/tds", "re");
	int wrong = 0;

	snprintf(id, sizeof(id), "id=%d ", getpid());
	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, id, strlen(id)))
			wrong = !!strstr(line, "verdict=wrong");
	if (file)
		fclose(file);
	return wrong;
}

__attribute__((destructor)) static void destroy(void)
{
	if (done & INIT)
		client("destroy", "");
}

/* ---- commands for TDs ---------------------------------------------------------------------- */

static int put_cpuid(struct kvm_cpuid2 *to, const struct kvm_cpuid_entry2 *from,
		     unsigned int nent)
{
	if (to->nent < nent)
		return refuse(E2BIG, "too few entries");
	to->nent = nent;
	memcpy(to->entries, from, nent * sizeof(*from));
	return 0;
}

#define PUT_CPUID(to, from)	put_cpuid(to, from, ARRAY_SIZE(from))

static int tdx_capabilities(struct kvm_tdx_cmd *command)
{
	struct kvm_tdx_capabilities *to = (void *)(uintptr_t)command->data;

	to->supported_attrs = NO_SEPT_VE;
	to->supported_xfam = 0xe7;
	return PUT_CPUID(&to->cpuid, configurable);
}

static const struct kvm_cpuid_entry2 *mask_of(const struct kvm_cpuid_entry2 *entry)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(configurable); i++)
		if (configurable[i].function == entry->function &&
		    configurable[i].index == entry->index)
			return &configurable[i];
	return NULL;
}

/* KVM refuses leaves that are not configurable, the TDX module their bits. */
static const char *wrong_cpuid(const struct kvm_cpuid2 *cpuid)
{
	unsigned int i, width = 0;

	for (i = 0; i < cpuid->nent; i++) {
		const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i], *mask = mask_of(entry);

		if (!mask)
			return "a CPUID leaf that is not configurable";
		if ((entry->eax & ~mask->eax) | (entry->ebx & ~mask->ebx) |
		    (entry->ecx & ~mask->ecx) | (entry->edx & ~mask->edx))
			return "a CPUID bit that is not configurable";
		if (entry->function == 0x80000008)
			width = entry->eax >> 16 & 0xff;
	}
	return width == 48 ? NULL : "no address width";
}

static int tdx_init_vm(struct kvm_tdx_cmd *command)
{
	const struct kvm_tdx_init_vm *init = (void *)(uintptr_t)command->data;
	const char *wrong = wrong_cpuid(&init->cpuid);

	if (wrong)
		return refuse(EINVAL, wrong);
	if (init->attributes & ~NO_SEPT_VE || init->xfam != WANTED_XFAM || init->cpuid.padding)
		return refuse(EINVAL, "attributes, XFAM or padding");
	command->hw_error = client("new", "");
	if (command->hw_error)
		return refuse(EIO, "the TDX module");
	hash = EVP_MD_CTX_new();
	if (!hash || !EVP_DigestInit_ex(hash, EVP_sha384(), NULL))
		abort();
	record("attributes 0x%llx xfam 0x%llx cpuid %u", init->attributes, init->xfam,
	       init->cpuid.nent);
	done |= INIT;
	return 0;
}

static int tdx_get_cpuid(struct kvm_tdx_cmd *command)
{
	return PUT_CPUID((struct kvm_cpuid2 *)(uintptr_t)command->data, supported);
}

static int tdx_init_vcpu(struct kvm_tdx_cmd *command)
{
	if (!(done & CPUID))
		return refuse(EINVAL, "no x2APIC in the vCPU's CPUID");
	(void)command;
	done |= INIT_VCPU;
	return 0;
}

/* The records of a page as the specification of TDH.MEM.PAGE.ADD and TDH.MR.EXTEND has them. */
static void measure(uint64_t gpa, const uint8_t *page)
{
	uint8_t block[128];
	int chunk;

	for (chunk = -1; chunk < 16; chunk++) {
		uint64_t at = chunk < 0 ? gpa : gpa + chunk * 256;

		memset(block, 0, sizeof(block));
		strcpy((char *)block, chunk < 0 ? "MEM.PAGE.ADD" : "MR.EXTEND");
		memcpy(block + 16, &at, sizeof(at));
		if (!EVP_DigestUpdate(hash, block, sizeof(block)) ||
		    (chunk >= 0 && !EVP_DigestUpdate(hash, page + chunk * 256, 256)))
			abort();
	}
}

static int tdx_init_mem_region(struct kvm_tdx_cmd *command)
{
	struct kvm_tdx_init_mem_region *region = (void *)(uintptr_t)command->data;
	const void *page = (void *)(uintptr_t)region->source_addr;

	if (command->flags != KVM_TDX_MEASURE_MEMORY_REGION || region->source_addr % 4096 ||
	    region->gpa % 4096 || region->nr_pages != 1)
		return refuse(EINVAL, "flags, alignment or number of pages");
	if (region->gpa < slot_start || region->gpa - slot_start >= slot_size)
		return refuse(EFAULT, "no slot");
	command->hw_error = client("add", " 1");
	if (command->hw_error)
		return refuse(EIO, "the TDX module");
	measure(region->gpa, page);
	memcpy(stand_in_td.memory + (region->gpa - slot_start), page, 4096);
	record("page 0x%llx", region->gpa);
	return 0;
}

static int tdx_finalize(struct kvm_tdx_cmd *command)
{
	if (command->data)
		return refuse(EINVAL, "data");
	command->hw_error = client("finalize", "");
	if (command->hw_error)
		return refuse(EIO, "the TDX module");
	if (!EVP_DigestFinal_ex(hash, stand_in_td.mrtd, NULL))
		abort();
	stand_in_td.mrtd[0] ^= spoiled();
	done |= FINAL;
	return 0;
}

static const struct tdx_call {
	const char *name;
	int (*run)(struct kvm_tdx_cmd *command);
	int *fd;
	unsigned int after, before;
} tdx_calls[] = {
#define CALL(name) [name] = { #name,
	CALL(KVM_TDX_CAPABILITIES)	tdx_capabilities, &vm_fd, VM, FINAL },
	CALL(KVM_TDX_INIT_VM)		tdx_init_vm, &vm_fd, VM, INIT | VCPU },
	CALL(KVM_TDX_INIT_VCPU)		tdx_init_vcpu, &vcpu_fd, VCPU, INIT_VCPU | FINAL },
	CALL(KVM_TDX_INIT_MEM_REGION)	tdx_init_mem_region, &vcpu_fd, INIT_VCPU | PRIVATE, FINAL },
	CALL(KVM_TDX_FINALIZE_VM)	tdx_finalize, &vm_fd, INIT, FINAL },
	CALL(KVM_TDX_GET_CPUID)		tdx_get_cpuid, &vcpu_fd, VCPU, FINAL },
#undef CALL
};

/* ---- KVM's other calls --------------------------------------------------------------------- */

static int new_fd(int *fd, unsigned int what)
{
	*fd = memfd_create("stand-in", MFD_CLOEXEC);
	if (*fd < 0)
		abort();
	done |= what;
	return *fd;
}

static int check_extension(uintptr_t which)
{
	switch (which) {
	case KVM_CAP_VM_TYPES:
		return 1 << KVM_X86_TDX_VM | 1;
	case KVM_CAP_MAX_VCPUS:
		return 2;
	default:
		return 0;
	}
}

static int create_vm(uintptr_t type)
{
	return type == KVM_X86_TDX_VM ? new_fd(&vm_fd, VM) : refuse(EINVAL, "no type of a TD");
}

static int enable_cap(uintptr_t argument)
{
	const struct kvm_enable_cap *cap = (void *)argument;

	if (cap->cap != KVM_CAP_SPLIT_IRQCHIP || cap->flags || cap->args[0] > 24)
		return refuse(EINVAL, "another capability than a split irqchip");
	done |= SPLIT;
	return 0;
}

static int get_supported_cpuid(uintptr_t argument)
{
	return PUT_CPUID((struct kvm_cpuid2 *)argument, supported);
}

static int create_guest_memfd(uintptr_t argument)
{
	const struct kvm_create_guest_memfd *create = (void *)argument;

	if (!create->size || create->size % 4096 || create->flags)
		return refuse(EINVAL, "size or flags");
	return new_fd(&memory_fd, MEMFD);
}

static int set_slot(uintptr_t argument)
{
	const struct kvm_userspace_memory_region2 *region = (void *)argument;

	if (region->flags != KVM_MEM_GUEST_MEMFD || (int)region->guest_memfd != memory_fd ||
	    region->guest_memfd_offset || region->userspace_addr % 4096)
		return refuse(EINVAL, "no slot of the guest's memfd");
	slot_start = region->guest_phys_addr;
	slot_size = region->memory_size;
	/* The TD uses guest-physical addresses as linear ones, so its memory is there. */
	stand_in_td.memory = mmap((void *)slot_start, slot_size, PROT_READ | PROT_WRITE | PROT_EXEC,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (stand_in_td.memory != (void *)slot_start)
		abort();
	stand_in_td.size = slot_size;
	done |= SLOT;
	return 0;
}

static int set_attributes(uintptr_t argument)
{
	const struct kvm_memory_attributes *set = (void *)argument;

	if (set->address != slot_start || set->size != slot_size || set->flags ||
	    set->attributes != KVM_MEMORY_ATTRIBUTE_PRIVATE)
		return refuse(EINVAL, "not the whole slot made private");
	done |= PRIVATE;
	return 0;
}

static int create_vcpu(uintptr_t id)
{
	if (id || new_fd(&vcpu_fd, VCPU) < 0 || ftruncate(vcpu_fd, MMAP_SIZE))
		abort();
	stand_in_run = mmap(NULL, MMAP_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu_fd, 0);
	if (stand_in_run == MAP_FAILED)
		abort();
	return vcpu_fd;
}

static int set_cpuid(uintptr_t argument)
{
	const struct kvm_cpuid2 *cpuid = (void *)argument;
	unsigned int i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 1 && cpuid->entries[i].ecx & CPUID_X2APIC)
			done |= CPUID;
	return 0;
}

static int mmap_size(uintptr_t unused)
{
	(void)unused;
	return MMAP_SIZE;
}

static int run(uintptr_t unused)
{
	uint64_t status = client("enter", "");

	(void)unused;
	/* The TD does nothing but leave. It must not keep a CPU from the others. */
	usleep(RUN_US);
	if (status) {
		stand_in_run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
		stand_in_run->internal.suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
		stand_in_run->internal.ndata = 2;
		stand_in_run->internal.data[0] = status;
		return 0;
	}
	return stand_in_enter();
}

static const struct call {
	unsigned long request;
	const char *name;
	int (*run)(uintptr_t argument);
	unsigned int after, before;
} calls[] = {
	{ KVM_CHECK_EXTENSION, "KVM_CHECK_EXTENSION", check_extension, 0, 0 },
	{ KVM_CREATE_VM, "KVM_CREATE_VM", create_vm, 0, VM },
	{ KVM_ENABLE_CAP, "KVM_ENABLE_CAP", enable_cap, VM, VCPU },
	{ KVM_GET_SUPPORTED_CPUID, "KVM_GET_SUPPORTED_CPUID", get_supported_cpuid, 0, 0 },
	{ KVM_CREATE_GUEST_MEMFD, "KVM_CREATE_GUEST_MEMFD", create_guest_memfd, VM, MEMFD },
	{ KVM_SET_USER_MEMORY_REGION2, "KVM_SET_USER_MEMORY_REGION2", set_slot, MEMFD, SLOT },
	{ KVM_SET_MEMORY_ATTRIBUTES, "KVM_SET_MEMORY_ATTRIBUTES", set_attributes, SLOT, 0 },
	{ KVM_CREATE_VCPU, "KVM_CREATE_VCPU", create_vcpu, INIT | SPLIT, VCPU },
	{ KVM_SET_CPUID2, "KVM_SET_CPUID2", set_cpuid, VCPU, FINAL },
	{ KVM_GET_VCPU_MMAP_SIZE, "KVM_GET_VCPU_MMAP_SIZE", mmap_size, 0, 0 },
	{ KVM_RUN, "KVM_RUN", run, FINAL | INIT_VCPU, 0 },
};

/* Whether KVM_FAIL names this call; then errno and status are what it says. */
static int made_to_fail(const char *name, unsigned long long *status)
{
	const char *fail = getenv("KVM_FAIL");
	size_t length = strlen(name);
	int error;

	if (!fail || strncmp(fail, name, length) || fail[length] != ':' ||
	    sscanf(fail + length, ":%d:%llx", &error, status) < 1)
		return 0;
	errno = error;
	return 1;
}

static int tdx_call(int fd, struct kvm_tdx_cmd *command)
{
	const struct tdx_call *call = &tdx_calls[command->id];
	unsigned long long status = 0;

	if (command->id >= ARRAY_SIZE(tdx_calls))
		return refuse(EINVAL, "an unknown command");
	record("%s", call->name);
	if (made_to_fail(call->name, &status)) {
		command->hw_error = status;
		return -1;
	}
	if (command->hw_error || (command->flags && command->id != KVM_TDX_INIT_MEM_REGION))
		return refuse(EINVAL, "hw_error or flags");
	if (fd != *call->fd || (done & call->after) != call->after || done & call->before)
		return refuse(EINVAL, "at the wrong file or in the wrong order");
	return call->run(command);
}

int ioctl(int fd, unsigned long request, ...)
{
	int (*next)(int fd, unsigned long request, uintptr_t argument) = dlsym(RTLD_NEXT, "ioctl");
	unsigned long long status;
	uintptr_t argument;
	va_list args;
	size_t i;

	va_start(args, request);
	argument = va_arg(args, uintptr_t);
	va_end(args);
	if (fd < 0 || (fd != kvm_fd && fd != vm_fd && fd != vcpu_fd))
		return next(fd, request, argument);
	if (request == KVM_MEMORY_ENCRYPT_OP)
		return tdx_call(fd, (void *)argument);
	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].request != request)
			continue;
		if (request != KVM_RUN)
			record("%s", calls[i].name);
		if (made_to_fail(calls[i].name, &status))
			return -1;
		if ((done & calls[i].after) != calls[i].after || done & calls[i].before)
			return refuse(EINVAL, "in the wrong order");
		return calls[i].run(argument);
	}
	return refuse(ENOTTY, "an unknown call");
}

int open(const char *path, int flags, ...)
{
	int (*next)(const char *path, int flags, mode_t mode) = dlsym(RTLD_NEXT, "open");
	unsigned long long status;
	va_list args;
	mode_t mode;

	if (!strcmp(path, "/dev/kvm"))
		return made_to_fail("open", &status) ? -1 : new_fd(&kvm_fd, 0);
	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return next(path, flags, mode);
}
