// SPDX-License-Identifier: GPL-2.0-only
/*
 * Builds a TD page by page through /dev/kvm, waits in the middle of that as long as it is told, and
 * runs the TD. For tdx-update-hwtest: an update must be refused while this TD is being built.
 *
 * Prints a line for each thing that happens, and reads commands from standard input:
 *
 *	step NAME		a call of KVM that has succeeded
 *	held N			N pages are added; "go" adds the others
 *	expected HEX		the measurement that these pages have to give
 *	reported HEX		the measurement in the report that the TD asked for
 *	runs N			what the TD has counted, as the answer to "count"
 *	failed WHAT: WHY	the last line: KVM or the TD did not do what it has to
 *
 * Ends at the end of standard input, so that the TD does not outlive who has started it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "kvm_tdx.h"
#include "td.h"

#define MAX_CPUID	256
#define SLOT		0
/* APIC routes of a split irqchip. The TD uses none. */
#define IOAPIC_PINS	24

#define CPUID_ADDRESS_BITS	0x80000008
/* EAX bits 23:16: KVM wants the guest's address width there, 48 or 52. */
#define GPAW_SHIFT	16
#define GPAW_MASK	(0xffU << GPAW_SHIFT)
#define GPAW		48

#define TD_ATTR_SEPT_VE_DISABLE	(1ULL << 28)
#define XFAM_X87_SSE	3

static unsigned int nr_pages = 16, held_pages = 8;
static int kvm, vm, memfd, vcpu;
static unsigned char *contents;
static struct kvm_run *run;

static struct kvm_tdx_capabilities *capabilities;

/* ---- how it ends --------------------------------------------------------------------------- */

#define NO_TDS "the kernel cannot host TDs, or kvm_intel was loaded without tdx=1"

/* What an errno of a call means beyond its name, where there is more to say. */
static const struct {
	const char *call;
	int error;
	const char *meaning;
} meanings[] = {
	{ "open", ENOENT, "kvm_intel is not loaded" },
	{ "open", EACCES, "no right to use KVM" },
	{ "KVM_CREATE_VM", EINVAL, NO_TDS },
	{ "KVM_TDX_CAPABILITIES", E2BIG, "the TDX module has more CPUID leaves than expected" },
	{ "KVM_TDX_CAPABILITIES", EIO, "KVM and the TDX module disagree on attributes or XFAM" },
	{ "KVM_TDX_INIT_VM", EINVAL, "KVM refuses attributes, XFAM or CPUID" },
	{ "KVM_TDX_INIT_VM", ENOSPC, "no KeyID is free: too many TDs" },
	{ "KVM_TDX_INIT_VM", EBUSY, "a cgroup's limit of TDs" },
	{ "KVM_CREATE_VCPU", EIO, "the TD is not initialized" },
	{ "KVM_CREATE_VCPU", EINVAL, "KVM wants a split irqchip" },
	{ "KVM_TDX_INIT_VCPU", EINVAL, "KVM refuses x2APIC: its CPUID bit is missing" },
	{ "KVM_TDX_INIT_MEM_REGION", EFAULT, "no memory slot, or the memory is not private" },
	{ "KVM_TDX_INIT_MEM_REGION", EIO, "the TDX module refuses to add or measure the page" },
	{ "KVM_TDX_FINALIZE_VM", EBUSY, "the TDX module was busy" },
	{ "KVM_TDX_FINALIZE_VM", EIO, "the TDX module refuses to finish the measurement" },
	{ "KVM_RUN", EIO, "KVM has given this VM up: see the kernel log" },
};

static const char *meaning_of(const char *call, int error)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(meanings); i++)
		if (meanings[i].error == error && !strcmp(meanings[i].call, call))
			return meanings[i].meaning;
	return strerrordesc_np(error);
}

__attribute__((noreturn, format(printf, 2, 3)))
static void fail(const char *what, const char *format, ...)
{
	va_list args;

	printf("failed %s: ", what);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(1);
}

__attribute__((noreturn)) static void fail_errno(const char *call)
{
	const char *name = strerrorname_np(errno);

	fail(call, "%s, %s", name ? name : "unknown errno", meaning_of(call, errno));
}

/* One call of KVM. Returns what it returns; does not return if that is an error. */
static int call(int fd, unsigned long request, const char *name, void *argument)
{
	int ret = ioctl(fd, request, argument);

	if (ret < 0)
		fail_errno(name);
	printf("step %s\n", name);
	return ret;
}

/* As call(), for KVM's commands for TDs, which may return the TDX module's status. */
static void call_tdx(int fd, __u32 id, const char *name, __u32 flags, const void *data)
{
	struct kvm_tdx_cmd command = { .id = id, .flags = flags, .data = (uintptr_t)data };
	int ret;

	do {
		command.hw_error = 0;
		ret = ioctl(fd, KVM_MEMORY_ENCRYPT_OP, &command);
	} while (ret && (errno == EINTR || errno == EAGAIN));
	if (ret && command.hw_error)
		fail(name, "%s, %s; the TDX module's status is 0x%llx", strerrorname_np(errno),
		     meaning_of(name, errno), command.hw_error);
	if (ret)
		fail_errno(name);
	printf("step %s\n", name);
}

#define CALL(fd, request, argument)	call(fd, request, #request, argument)
#define CALL_TDX(fd, id, flags, data)	call_tdx(fd, id, #id, flags, data)

static void *allocate(size_t size)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (memory == MAP_FAILED)
		fail_errno("mmap");
	return memory;
}

/* ---- commands ------------------------------------------------------------------------------ */

/* Reads a command. Ends the program at the end of input. */
static const char *read_command(void)
{
	static char line[16];

	if (!fgets(line, sizeof(line), stdin))
		exit(0);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* Returns POLLIN if a command waits, POLLHUP if nobody can write one any more. */
static int poll_input(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };

	return poll(&in, 1, 0) > 0 ? in.revents : 0;
}

/* ---- the VM -------------------------------------------------------------------------------- */

static void create_vm(void)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { IOAPIC_PINS } };

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0)
		fail_errno("open");
	if (!(CALL(kvm, KVM_CHECK_EXTENSION, (void *)KVM_CAP_VM_TYPES) & (1 << KVM_X86_TDX_VM)))
		fail("KVM_CAP_VM_TYPES", "%s", NO_TDS);
	vm = CALL(kvm, KVM_CREATE_VM, (void *)KVM_X86_TDX_VM);
	if (CALL(vm, KVM_CHECK_EXTENSION, (void *)KVM_CAP_MAX_VCPUS) < 1)
		fail("KVM_CAP_MAX_VCPUS", "KVM allows this TD no vCPU");
	CALL(vm, KVM_ENABLE_CAP, &split);
}

static struct kvm_cpuid2 *allocate_cpuid(size_t before)
{
	char *start = allocate(before + sizeof(struct kvm_cpuid2) +
			       MAX_CPUID * sizeof(struct kvm_cpuid_entry2));
	struct kvm_cpuid2 *cpuid = (struct kvm_cpuid2 *)(start + before);

	cpuid->nent = MAX_CPUID;
	return cpuid;
}

static const struct kvm_cpuid_entry2 *find_entry(const struct kvm_cpuid2 *cpuid, __u32 function,
						 __u32 index)
{
	unsigned int i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == function && cpuid->entries[i].index == index)
			return &cpuid->entries[i];
	return NULL;
}

/* What of KVM's CPUID this TDX module lets be configured. It configures the other bits itself. */
static void choose_cpuid(struct kvm_cpuid2 *chosen, const struct kvm_cpuid2 *configurable,
			 const struct kvm_cpuid2 *supported)
{
	unsigned int i;

	chosen->nent = 0;
	for (i = 0; i < configurable->nent; i++) {
		const struct kvm_cpuid_entry2 *mask = &configurable->entries[i];
		struct kvm_cpuid_entry2 *entry = &chosen->entries[chosen->nent];
		const struct kvm_cpuid_entry2 *from;

		from = find_entry(supported, mask->function, mask->index);
		if (!from)
			continue;
		*entry = *from;
		entry->eax &= mask->eax;
		entry->ebx &= mask->ebx;
		entry->ecx &= mask->ecx;
		entry->edx &= mask->edx;
		if (entry->function == CPUID_ADDRESS_BITS)
			entry->eax = (entry->eax & ~GPAW_MASK) | GPAW << GPAW_SHIFT;
		chosen->nent++;
	}
}

static void init_vm(void)
{
	const size_t before_cpuid = offsetof(struct kvm_tdx_capabilities, cpuid);
	struct kvm_cpuid2 *supported = allocate_cpuid(0);
	struct kvm_tdx_init_vm *init;

	capabilities = (void *)((char *)allocate_cpuid(before_cpuid) - before_cpuid);
	CALL_TDX(vm, KVM_TDX_CAPABILITIES, 0, capabilities);
	CALL(kvm, KVM_GET_SUPPORTED_CPUID, supported);

	init = (void *)((char *)allocate_cpuid(offsetof(struct kvm_tdx_init_vm, cpuid)) -
			offsetof(struct kvm_tdx_init_vm, cpuid));
	init->attributes = capabilities->supported_attrs & TD_ATTR_SEPT_VE_DISABLE;
	init->xfam = capabilities->supported_xfam & XFAM_X87_SSE;
	choose_cpuid(&init->cpuid, &capabilities->cpuid, supported);
	CALL_TDX(vm, KVM_TDX_INIT_VM, 0, init);
}

/* ---- its memory ---------------------------------------------------------------------------- */

static uint64_t gpa_of(unsigned int page)
{
	return TD_END - (uint64_t)(nr_pages - page) * TD_PAGE_SIZE;
}

static void create_memory(void)
{
	const size_t size = nr_pages * (size_t)TD_PAGE_SIZE;
	struct kvm_create_guest_memfd create = { .size = size };
	struct kvm_memory_attributes private = { .address = gpa_of(0), .size = size,
						 .attributes = KVM_MEMORY_ATTRIBUTE_PRIVATE };
	struct kvm_userspace_memory_region2 region = {
		.slot = SLOT, .flags = KVM_MEM_GUEST_MEMFD, .guest_phys_addr = gpa_of(0),
		.memory_size = size,
	};

	contents = allocate(size);
	td_fill_memory(contents, nr_pages);
	memfd = CALL(vm, KVM_CREATE_GUEST_MEMFD, &create);
	region.guest_memfd = memfd;
	/* Memory that the TD shares with the host. It never does. */
	region.userspace_addr = (uintptr_t)allocate(size);
	CALL(vm, KVM_SET_USER_MEMORY_REGION2, &region);
	CALL(vm, KVM_SET_MEMORY_ATTRIBUTES, &private);
}

static void add_page(unsigned int page)
{
	struct kvm_tdx_init_mem_region region = {
		.source_addr = (uintptr_t)(contents + page * (size_t)TD_PAGE_SIZE),
		.gpa = gpa_of(page), .nr_pages = 1,
	};

	CALL_TDX(vcpu, KVM_TDX_INIT_MEM_REGION, KVM_TDX_MEASURE_MEMORY_REGION, &region);
}

/* ---- its vCPU ------------------------------------------------------------------------------ */

/* KVM has to know of x2APIC before KVM_TDX_INIT_VCPU. It is in the CPUID that the TD has. */
static void create_vcpu(void)
{
	struct kvm_cpuid2 *cpuid = allocate_cpuid(0);
	int size;

	vcpu = CALL(vm, KVM_CREATE_VCPU, (void *)0);
	CALL_TDX(vcpu, KVM_TDX_GET_CPUID, 0, cpuid);
	CALL(vcpu, KVM_SET_CPUID2, cpuid);
	CALL_TDX(vcpu, KVM_TDX_INIT_VCPU, 0, NULL);
	size = CALL(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL);
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (run == MAP_FAILED)
		fail_errno("mmap");
}

static void print_hex(const char *what, const unsigned char *bytes)
{
	unsigned int i;

	printf("%s ", what);
	for (i = 0; i < TD_MRTD_SIZE; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

static void build(void)
{
	unsigned char mrtd[TD_MRTD_SIZE];
	unsigned int page;

	create_vm();
	init_vm();
	create_memory();
	create_vcpu();
	for (page = 0; page < nr_pages; page++) {
		if (page == held_pages) {
			printf("held %u\n", page);
			while (strcmp(read_command(), "go"))
				;
		}
		add_page(page);
	}
	CALL_TDX(vm, KVM_TDX_FINALIZE_VM, 0, NULL);
	if (td_measure(contents, nr_pages, gpa_of(0), mrtd))
		fail("SHA-384", "libcrypto cannot compute it");
	print_hex("expected", mrtd);
}

/* ---- the TD runs --------------------------------------------------------------------------- */

static const struct {
	__u32 reason;
	const char *name;
} exits[] = {
	{ KVM_EXIT_SHUTDOWN, "the TD met a triple fault" },
	{ KVM_EXIT_FAIL_ENTRY, "the CPU could not enter the TD" },
	{ KVM_EXIT_INTERNAL_ERROR, "KVM or the TDX module could not run it" },
	{ KVM_EXIT_MEMORY_FAULT, "the TD used memory that it does not have" },
	{ KVM_EXIT_SYSTEM_EVENT, "the TD reported a fatal error" },
};

__attribute__((noreturn)) static void fail_exit(void)
{
	const char *name = "an exit that this TD cannot cause";
	unsigned long long detail = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(exits); i++)
		if (exits[i].reason == run->exit_reason)
			name = exits[i].name;
	if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR && run->internal.ndata)
		detail = run->internal.data[0];
	if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		detail = run->fail_entry.hardware_entry_failure_reason;
	fail("KVM_RUN", "exit reason %u, %s; detail 0x%llx", run->exit_reason, name, detail);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* Lets KVM_RUN return each second, also where the TD never leaves by itself. */
static void start_timer(void)
{
	const struct itimerval second = { .it_interval.tv_sec = 1, .it_value.tv_sec = 1 };
	const struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_ONSTACK };

	if (sigaction(SIGALRM, &action, NULL) || setitimer(ITIMER_REAL, &second, NULL))
		fail_errno("setitimer");
}

/* Runs the TD up to its next write to a port. Returns the port. */
static unsigned int run_to_output(__u32 *value)
{
	while (ioctl(vcpu, KVM_RUN, 0) < 0) {
		if (errno != EINTR && errno != EAGAIN)
			fail_errno("KVM_RUN");
		if (poll_input() & POLLHUP)
			exit(0);
	}
	if (run->exit_reason != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_OUT ||
	    run->io.size != sizeof(*value))
		fail_exit();
	memcpy(value, (char *)run + run->io.data_offset, sizeof(*value));
	if (run->io.port == TD_PORT_FAILED)
		fail("TDG.MR.REPORT", "the TDX module's status is 0x%08x........", *value);
	return run->io.port;
}

static void read_measurement(void)
{
	unsigned char mrtd[TD_MRTD_SIZE];
	unsigned int at;
	__u32 value;

	for (at = 0; at < TD_MRTD_SIZE; at += sizeof(value)) {
		if (run_to_output(&value) != TD_PORT_MRTD)
			fail("KVM_RUN", "the TD counts before it has shown its measurement");
		memcpy(mrtd + at, &value, sizeof(value));
	}
	print_hex("reported", mrtd);
}

__attribute__((noreturn)) static void count(void)
{
	__u32 value, last = 0;

	for (;;) {
		if (run_to_output(&value) != TD_PORT_COUNT || value != last + 1)
			fail("KVM_RUN", "the TD counted %u after %u", value, last);
		last = value;
		if (poll_input() && !strcmp(read_command(), "count"))
			printf("runs %u\n", last);
	}
}

/* ---- start --------------------------------------------------------------------------------- */

static unsigned int number(const char *text, unsigned int min, unsigned int max)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!*text || *end || value < min || value > max) {
		fprintf(stderr, "%s: not a number from %u to %u\n", text, min, max);
		exit(64);
	}
	return value;
}

int main(int argc, char **argv)
{
	if (argc > 3) {
		fputs("usage: tdx-update-hwtest-td [PAGES [HELD]]\n"
		      "Builds a TD of PAGES pages (16). Waits after HELD of them (8) for \"go\".\n",
		      stderr);
		return 64;
	}
	if (argc > 1)
		nr_pages = number(argv[1], TD_MIN_PAGES, TD_MAX_PAGES);
	if (argc > 1)
		held_pages = nr_pages / 2;
	if (argc > 2)
		held_pages = number(argv[2], 1, nr_pages - 1);
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Commands are waited for with poll(), which does not see what the buffer has. */
	setvbuf(stdin, NULL, _IONBF, 0);
	build();
	start_timer();
	read_measurement();
	count();
}
