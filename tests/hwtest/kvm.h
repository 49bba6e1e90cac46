/* SPDX-License-Identifier: GPL-2.0-only */
/* The two halves of the stand-in for KVM: kvm.c has the calls, cpu.c the CPU on which a TD runs. */
#ifndef STAND_IN_KVM_H
#define STAND_IN_KVM_H

#include <stdint.h>

#include "../../hwtest/td/kvm_tdx.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

struct td {
	/* At the address that the TD has for it. */
	uint8_t *memory;
	uint64_t size;
	uint8_t mrtd[48];
};

extern struct td stand_in_td;
extern struct kvm_run *stand_in_run;

/* Runs the TD until KVM would return to user space, with the reason in stand_in_run. Returns 0. */
int stand_in_enter(void);

#endif
