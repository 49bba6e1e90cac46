/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by guests.c, which runs all guests, and linux.c, which is the PC of the guest that is a
 * Linux.
 */
#ifndef GUESTS_H
#define GUESTS_H

#include <linux/kvm.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pc;

struct guest {
	pthread_t thread;
	int cpu, nr, vm, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
	struct pc *pc;			/* NULL: the guest runs the code in guests.c */
	uint64_t last_ns;
	atomic_ullong gap_ns;
	atomic_bool ended;
	char end[64];
};

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t now(void);
/* Give the guest memory from address 0 on. */
void add_memory(struct guest *guest, size_t size);

/*
 * KERNEL is an image of image.sh, and LOG the file for Linux's console. The virtual machine is
 * complete before it gets its vCPU, and linux_set_up_vcpu() follows.
 */
struct pc *linux_set_up(struct guest *guest, const char *kernel, const char *initrd,
			const char *log);
void linux_set_up_vcpu(struct guest *guest, int kvm);
/* Handle KVM_EXIT_IO. Return whether the guest goes on. If not, guest->end has the reason. */
bool linux_io(struct guest *guest);
/* Tell Linux's init to reboot. */
void linux_stop(struct guest *guest);
/* Print the rest of a line of "show" up to count=, see guests.c. */
void linux_show(const struct guest *guest);

#endif
