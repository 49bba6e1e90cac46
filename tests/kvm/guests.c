// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs small virtual machines with /dev/kvm, PER_CPU of them on each CPU. A guest increments a
 * counter in its memory, which this program reads. It exits by I/O after each burst of increments,
 * and ends with HLT when this program tells it to.
 *
 *	guests PER_CPU [KERNEL INITRD LOG]
 *
 * With KERNEL the first guest, on CPU 0, is a Linux instead (linux.c). It counts the lines that it
 * writes to its console, and ends with a reset.
 *
 * Each guest has a thread, which is bound to its CPU. It has a real-time priority, so that only a
 * stopped CPU delays it; Linux's has none, because Linux would keep the CPU from all other tasks.
 * The program reads commands from standard input, one a line. It writes the answer to standard
 * output, and after it a line with a dot.
 *
 *	show	one line for each guest: cpu=, nr=, count=, gap_us= (the longest time between two
 *		of its exits) and end=: running, hlt, reset, or the exit or error that ended it.
 *		Linux has also init= (the last number of its init, 0: it boots), boot_ms= (its own
 *		time when init began) and off_ms= (how far its clock was off since, at most)
 *	reset	clears gap_us
 *	stop	tells the guests to end, waits until they have, and shows them
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "guests.h"

#define MEMORY		0x4000
#define COUNTER		0x2000	/* u32 */
#define STOP		0x2004	/* u8 */
#define PAUSE_US	5000	/* between two bursts, so that other tasks can run */
#define STOP_S		60	/* longest wait for the guests' end */

/* Real-mode code at address 0: bursts of 1000 increments, I/O after each, HLT once STOP is set. */
static const uint8_t code[] = {
	0xb9, 0xe8, 0x03,		/* 1: mov $1000, %cx */
	0x66, 0xff, 0x06, 0x00, 0x20,	/* 2: incl COUNTER */
	0xe2, 0xf9,			/* loop 2b */
	0xe6, 0x10,			/* out %al, $0x10 */
	0x80, 0x3e, 0x04, 0x20, 0x00,	/* cmpb $0, STOP */
	0x74, 0xed,			/* je 1b */
	0xf4,				/* hlt */
};

static struct guest *guests;
static int num_guests;

/* The guest's counter, and the byte that tells it to end. It accesses both at any time. */
static atomic_uint *counter(const struct guest *guest)
{
	return (atomic_uint *)(guest->memory + COUNTER);
}

static atomic_uchar *stop_byte(const struct guest *guest)
{
	return (atomic_uchar *)(guest->memory + STOP);
}

uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

void add_memory(struct guest *guest, size_t size)
{
	struct kvm_userspace_memory_region region = { .memory_size = size };
	uint8_t *memory;

	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	guest->memory = memory;
	region.userspace_addr = (uintptr_t)memory;
	if (ioctl(guest->vm, KVM_SET_USER_MEMORY_REGION, &region))
		err(1, "KVM_SET_USER_MEMORY_REGION");
}

static void set_up_vcpu(struct guest *guest)
{
	struct kvm_regs regs = { .rflags = 2 };
	struct kvm_sregs sregs;

	if (ioctl(guest->vcpu, KVM_GET_SREGS, &sregs))
		err(1, "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(guest->vcpu, KVM_SET_SREGS, &sregs) || ioctl(guest->vcpu, KVM_SET_REGS, &regs))
		err(1, "KVM_SET_REGS");
}

/* FILES: KERNEL, INITRD and LOG of a Linux. */
static void set_up(struct guest *guest, int kvm, size_t run_size, char **files)
{
	guest->vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (guest->vm < 0)
		err(1, "KVM_CREATE_VM");
	if (files) {
		guest->pc = linux_set_up(guest, files[0], files[1], files[2]);
	} else {
		add_memory(guest, MEMORY);
		memcpy(guest->memory, code, sizeof(code));
	}
	guest->vcpu = ioctl(guest->vm, KVM_CREATE_VCPU, 0);
	if (guest->vcpu < 0)
		err(1, "KVM_CREATE_VCPU");
	guest->run = mmap(NULL, run_size, PROT_READ | PROT_WRITE, MAP_SHARED, guest->vcpu, 0);
	if (guest->run == MAP_FAILED)
		err(1, "mmap of a vCPU");
	if (guest->pc)
		linux_set_up_vcpu(guest, kvm);
	else
		set_up_vcpu(guest);
}

/* Return whether the guest goes on. If not, guest->end has the reason. */
static bool handle_exit(struct guest *guest, int ret)
{
	struct kvm_run *run = guest->run;

	if (ret < 0 && errno == EINTR)
		return true;
	if (ret < 0)
		snprintf(guest->end, sizeof(guest->end), "errno-%d", errno);
	else if (run->exit_reason == KVM_EXIT_IO)
		return !guest->pc || linux_io(guest);
	else if (run->exit_reason == KVM_EXIT_HLT && *stop_byte(guest))
		strcpy(guest->end, "hlt");
	else if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		snprintf(guest->end, sizeof(guest->end), "fail-entry-0x%llx",
			 run->fail_entry.hardware_entry_failure_reason);
	else
		snprintf(guest->end, sizeof(guest->end), "exit-%u", run->exit_reason);
	return false;
}

static void *run_guest(void *arg)
{
	struct guest *guest = arg;
	uint64_t ns, gap;

	guest->last_ns = now();
	while (handle_exit(guest, ioctl(guest->vcpu, KVM_RUN, 0))) {
		ns = now();
		gap = ns - guest->last_ns;
		guest->last_ns = ns;
		if (gap > guest->gap_ns)
			guest->gap_ns = gap;
		if (!guest->pc)
			usleep(PAUSE_US);
	}
	guest->ended = true;
	return NULL;
}

static void start(struct guest *guest)
{
	struct sched_param param = { .sched_priority = 1 };
	pthread_attr_t attr;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(guest->cpu, &cpus);
	pthread_attr_init(&attr);
	pthread_attr_setaffinity_np(&attr, sizeof(cpus), &cpus);
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	if (!guest->pc) {
		pthread_attr_setschedpolicy(&attr, SCHED_FIFO);
		pthread_attr_setschedparam(&attr, &param);
	}
	errno = pthread_create(&guest->thread, &attr, run_guest, guest);
	if (errno)
		err(1, "pthread_create");
}

static void show(void)
{
	struct guest *guest;

	for (guest = guests; guest < guests + num_guests; guest++) {
		printf("cpu=%d nr=%d ", guest->cpu, guest->nr);
		if (guest->pc)
			linux_show(guest);
		else
			printf("count=%u ", *counter(guest));
		printf("gap_us=%llu end=%s\n", guest->gap_ns / 1000,
		       guest->ended ? guest->end : "running");
	}
}

static bool all_ended(void)
{
	struct guest *guest;

	for (guest = guests; guest < guests + num_guests; guest++)
		if (!guest->ended)
			return false;
	return true;
}

static void stop(void)
{
	uint64_t end = now() + STOP_S * 1000000000ull;
	int i;

	for (i = 0; i < num_guests; i++) {
		if (guests[i].pc)
			linux_stop(&guests[i]);
		else
			*stop_byte(&guests[i]) = 1;
	}
	while (!all_ended() && now() < end)
		usleep(10000);
}

int main(int argc, char **argv)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), i;
	int cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int per_cpu = argc == 2 || argc == 5 ? atoi(argv[1]) : 0;
	char line[16];
	size_t run_size;

	if (per_cpu < 1)
		errx(2, "usage: guests PER_CPU [KERNEL INITRD LOG]");
	if (kvm < 0)
		err(1, "/dev/kvm");
	run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	num_guests = cpus * per_cpu;
	guests = calloc(num_guests, sizeof(*guests));
	if (!guests)
		err(1, "calloc");
	for (i = 0; i < num_guests; i++) {
		guests[i].cpu = i % cpus;
		guests[i].nr = i / cpus;
		set_up(&guests[i], kvm, run_size, argc == 5 && !i ? argv + 2 : NULL);
	}
	for (i = 0; i < num_guests; i++)
		start(&guests[i]);

	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "reset\n")) {
			for (i = 0; i < num_guests; i++)
				guests[i].gap_ns = 0;
		} else if (!strcmp(line, "show\n")) {
			show();
		} else if (!strcmp(line, "stop\n")) {
			stop();
			show();
		} else {
			errx(2, "unknown command %s", line);
		}
		puts(".");
		fflush(stdout);
	}
	return 0;
}
