// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a TD's code in user space, where the TD's memory is at its own addresses. The code begins in
 * the state that the TDX module gives a TD: 32-bit protected mode, EFER.LME set, no stack, 16 bytes
 * below 4 GiB. Its privileged instructions and its TDCALLs trap; here they do what they would do in
 * a TD, as far as such a small TD needs it. Everything else ends the TD as a triple fault does.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "kvm.h"

#define START		0xfffffff0
#define USER_CS_32	0x23
#define USER_CS_64	0x33

#define CR0_START	0x21
#define CR0_PG		(1U << 31)
#define CR4_START	0x40
#define CR4_PAE		(1U << 5)

#define TDG_VP_VMCALL	0
#define TDG_MR_REPORT	4
#define TDCALL_SIZE	4
#define R10_TO_R15	0xfc00
#define INSTRUCTION_IO	30
#define REPORT_SIZE	1024
#define OPERAND_INVALID	0xc000010000000000

enum { AX, CX, DX, BX, SP, BP, SI, DI };
static const int gpr[] = {
	[AX] = REG_RAX, [CX] = REG_RCX, [DX] = REG_RDX, [BX] = REG_RBX,
	[SP] = REG_RSP, [BP] = REG_RBP, [SI] = REG_RSI, [DI] = REG_RDI,
};

static uint32_t cr[8] = { [0] = CR0_START, [4] = CR4_START };
static uint32_t gdt_base, gdt_limit;
static gregset_t host, guest;
static bool started, waits_for_host;
static bool inside;

static bool has(uint64_t address, uint64_t size)
{
	uint64_t start = (uintptr_t)stand_in_td.memory;

	return address >= start && address - start <= stand_in_td.size &&
	       size <= stand_in_td.size - (address - start);
}

static uint64_t load(uint64_t address, unsigned int size)
{
	uint64_t value = 0;

	if (has(address, size))
		memcpy(&value, (void *)address, size);
	return value;
}

static void set_cs(greg_t *registers, uint16_t cs)
{
	registers[REG_CSGSFS] = (registers[REG_CSGSFS] & ~0xffffLL) | cs;
}

static bool in_64_bit_mode(const greg_t *registers)
{
	return (registers[REG_CSGSFS] & 0xffff) == USER_CS_64;
}

/* From a trap of the TD back into stand_in_enter(). */
static void leave(greg_t *registers, uint32_t reason)
{
	stand_in_run->exit_reason = reason;
	memcpy(guest, registers, sizeof(guest));
	memcpy(registers, host, sizeof(host));
	inside = false;
}

/* ---- privileged instructions --------------------------------------------------------------- */

/* Where 4-level paging maps this address; 0: nowhere that the CPU could use without a write. */
static uint64_t walk(uint64_t address)
{
	const uint64_t wanted = 0x23, frame = 0x000ffffffffff000;
	uint64_t entry = load((cr[3] & ~0xfffU) + (address >> 39 & 511) * 8, 8);
	int shift;

	for (shift = 30; shift >= 21; shift -= 9) {
		if ((entry & wanted) != wanted)
			return 0;
		entry = load((entry & frame) + (address >> shift & 511) * 8, 8);
	}
	if ((entry & 0xe3) != 0xe3 || entry >> 63)
		return 0;
	return (entry & frame & ~0x1fffffULL) | (address & 0x1fffff);
}

/* A far jump into 64-bit code, where paging has just been turned on with EFER.LME set. */
static bool jump_far(greg_t *registers, uint32_t target, uint16_t selector)
{
	const uint64_t start = (uintptr_t)stand_in_td.memory;
	uint64_t descriptor = load(gdt_base + selector, 8), page;

	if (!(cr[0] & CR0_PG) || !(cr[4] & CR4_PAE) || selector + 7U > gdt_limit)
		return false;
	/* Present code of ring 0, accessed, L set and D clear. */
	if ((descriptor >> 40 & 0x9f) != 0x9b || (descriptor >> 53 & 3) != 1)
		return false;
	for (page = 0; page < stand_in_td.size; page += 4096)
		if (walk(start + page) != start + page)
			return false;
	registers[REG_RIP] = target;
	set_cs(registers, USER_CS_64);
	return true;
}

static bool privileged(greg_t *registers)
{
	const uint8_t *code = (void *)registers[REG_RIP];
	uint32_t operand;

	if (in_64_bit_mode(registers) || !has(registers[REG_RIP], 8))
		return false;
	if (code[0] == 0xea) {
		memcpy(&operand, code + 1, sizeof(operand));
		return jump_far(registers, operand, code[5] | code[6] << 8);
	}
	if (code[0] != 0x0f)
		return false;
	if (code[1] == 0x01 && code[2] == 0x15) {
		memcpy(&operand, code + 3, sizeof(operand));
		gdt_limit = load(operand, 2);
		gdt_base = load(operand + 2, 4);
		registers[REG_RIP] += 7;
	} else if (code[1] == 0x20) {
		registers[gpr[code[2] & 7]] = cr[code[2] >> 3 & 7];
		registers[REG_RIP] += 3;
	} else if (code[1] == 0x22) {
		cr[code[2] >> 3 & 7] = registers[gpr[code[2] & 7]];
		registers[REG_RIP] += 3;
	} else {
		return false;
	}
	return true;
}

/* ---- TDCALL -------------------------------------------------------------------------------- */

static void make_report(greg_t *registers)
{
	uint64_t report = registers[REG_RCX], data = registers[REG_RDX];

	registers[REG_RAX] = OPERAND_INVALID;
	if (report % REPORT_SIZE || !has(report, REPORT_SIZE) || data % 64 || !has(data, 64) ||
	    registers[REG_R8])
		return;
	memset((void *)report, 0, REPORT_SIZE);
	memcpy((void *)(report + 128), (void *)data, 64);
	memcpy((void *)(report + 512 + 16), stand_in_td.mrtd, sizeof(stand_in_td.mrtd));
	registers[REG_RAX] = 0;
}

/* KVM has these registers and no other. */
static bool is_port_write(const greg_t *registers)
{
	return registers[REG_RCX] == R10_TO_R15 && !registers[REG_R10] &&
	       registers[REG_R11] == INSTRUCTION_IO && registers[REG_R12] == 4 &&
	       registers[REG_R13] == 1;
}

static void write_port(greg_t *registers)
{
	struct kvm_run *run = stand_in_run;
	uint32_t value = registers[REG_R15];

	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = sizeof(value);
	run->io.port = registers[REG_R14];
	run->io.count = 1;
	run->io.data_offset = 4096;
	memcpy((char *)run + run->io.data_offset, &value, sizeof(value));
	waits_for_host = true;
	leave(registers, KVM_EXIT_IO);
}

static bool tdcall(greg_t *registers)
{
	static const uint8_t code[TDCALL_SIZE] = { 0x66, 0x0f, 0x01, 0xcc };

	if (!in_64_bit_mode(registers) || !has(registers[REG_RIP], TDCALL_SIZE) ||
	    memcmp((void *)registers[REG_RIP], code, sizeof(code)))
		return false;
	if (registers[REG_RAX] == TDG_VP_VMCALL && is_port_write(registers)) {
		write_port(registers);
		return true;
	}
	if (registers[REG_RAX] != TDG_MR_REPORT)
		return false;
	make_report(registers);
	registers[REG_RIP] += TDCALL_SIZE;
	return true;
}

/* After the host has handled a TDCALL. What the host may have changed is garbage. */
static void end_tdcall(greg_t *registers)
{
	static const int changed[] = { REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RCX };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(changed); i++)
		registers[changed[i]] = 0x5a5a5a5a5a5a5a5a;
	registers[REG_RAX] = 0;
	registers[REG_R10] = 0;
	registers[REG_RIP] += TDCALL_SIZE;
	waits_for_host = false;
}

/* ---- in and out ---------------------------------------------------------------------------- */

static void on_trap(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if (!inside) {
		signal(number, SIG_DFL);
		return;
	}
	/* Outside of a TD, TDCALL is illegal to some CPUs and privileged to others. */
	if (tdcall(registers) || privileged(registers))
		return;
	leave(registers, KVM_EXIT_SHUTDOWN);
}

static void on_enter(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)number;
	(void)info;
	memcpy(host, registers, sizeof(host));
	if (!started) {
		memcpy(guest, registers, sizeof(guest));
		memset(guest, 0, sizeof(guest[0]) * REG_RIP);
		guest[REG_RIP] = START;
		set_cs(guest, USER_CS_32);
		started = true;
	}
	if (waits_for_host)
		end_tdcall(guest);
	memcpy(registers, guest, sizeof(guest));
	inside = true;
}

static void catch(int number, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	if (sigaction(number, &action, NULL))
		abort();
}

int stand_in_enter(void)
{
	static uint8_t stack_of_handlers[1 << 16];
	const stack_t stack = { .ss_sp = stack_of_handlers, .ss_size = sizeof(stack_of_handlers) };

	if (!started) {
		if (sigaltstack(&stack, NULL))
			abort();
		catch(SIGILL, on_trap);
		catch(SIGSEGV, on_trap);
		catch(SIGBUS, on_trap);
		catch(SIGUSR1, on_enter);
	}
	raise(SIGUSR1);
	return 0;
}
