// SPDX-License-Identifier: GPL-2.0-only
/*
 * Catches SEAMCALL, VMPTRST and VMPTRLD where they trap, and steps over them.
 * Knows instructions, exception tables and this module's life; what a call means others know.
 * A trap may come from anywhere, with interrupts off: emu_trap() may not sleep or allocate.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kdebug.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <asm/extable.h>
#include <asm/processor.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "compat.h"
#include "emu.h"

struct emu emu = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(emu.lock),
	.platform = {
		.erratum = 1,
		.seam = EMU_SEAM_ON,
		.pseamldr = 1,
		.interruptions = 1,
		.crypto = 1,
		.seaminfo_lps = EMU_TRUE_COUNT,
		.seaminfo_sockets = EMU_TRUE_COUNT,
		.remaining = 20,
		.seamldr = { 1, 5, 12 },
		.room = 8192,
		.sockets = 1,
		.signer.any = true,
	},
	.first_module = {
		.version = { 1, 5, 24 },
		.svn = { 1, 5 },
		.features0 = TDX_FEATURES0_TD_PRESERVING | TDX_FEATURES0_NO_RBP_MOD |
			     TDX_FEATURES0_UPDATE_COMPAT,
		.handoff_pages = 13,
		.state = EMU_MODULE_READY,
	},
};

struct crypto_shash *emu_sha384;

/* VMX instructions clear all of these where they succeed, and set one of them where they fail. */
#define VMX_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

enum insn_op { INSN_OTHER, INSN_SEAMCALL, INSN_VMPTRST, INSN_VMPTRLD };

struct insn {
	enum insn_op op;
	unsigned int length;
	u64 *operand;			/* VMPTRST, VMPTRLD */
};

/**
 * emu_memory() - reach a caller's memory by its physical address
 * @pa: physical address
 * @align: power of two that @pa must be aligned to
 *
 * What hardware asks of an address is that it is shared memory below the maximum physical address;
 * here that is ordinary memory that the kernel gives out, so that touching it cannot fault.
 *
 * Context: any.
 * Return: the address in the direct map, NULL where @pa is not acceptable.
 */
void *emu_memory(u64 pa, u64 align)
{
	if (pa & (align - 1) || pa >> boot_cpu_data.x86_phys_bits)
		return NULL;
	if (!pfn_valid(PHYS_PFN(pa)) || PageReserved(pfn_to_page(PHYS_PFN(pa))))
		return NULL;
	return __va(pa);
}

/**
 * emu_busy_wait() - let time pass as a long call does
 * @ns: how long
 *
 * Context: any; not under emu.lock.
 */
void emu_busy_wait(u64 ns)
{
	/* The delay functions take a few milliseconds at most. */
	while (ns > NSEC_PER_MSEC) {
		udelay(USEC_PER_MSEC);
		ns -= NSEC_PER_MSEC;
	}
	if (ns)
		ndelay(ns);
}

/**
 * emu_reg() - a general register by its number in an instruction
 * @regs: registers of a trap
 * @nr: 0 to 15
 *
 * Context: a trap.
 * Return: where it is saved; RSP is that of the interrupted code.
 */
unsigned long *emu_reg(struct pt_regs *regs, unsigned int nr)
{
	unsigned long *const by_nr[] = {
		&regs->ax, &regs->cx, &regs->dx, &regs->bx, &regs->sp, &regs->bp, &regs->si,
		&regs->di, &regs->r8, &regs->r9, &regs->r10, &regs->r11, &regs->r12, &regs->r13,
		&regs->r14, &regs->r15,
	};

	return by_nr[nr];
}

static s32 disp32(const u8 *p)
{
	s32 value;

	memcpy(&value, p, sizeof(value));
	return value;
}

/*
 * The memory operand whose ModRM byte is at @p, of an instruction that ends with it. False for
 * registers and for forms that compilers do not make of a plain pointer (an index register).
 */
static bool decode_operand(struct pt_regs *regs, const u8 *p, bool rex_b, struct insn *insn)
{
	unsigned int mod = *p >> 6, rm = *p & 7;
	unsigned long address;

	p++;
	if (mod == 3)
		return false;
	if (mod == 0 && rm == 5) {
		/* RIP-relative: to the end of the instruction. */
		p += sizeof(s32);
		address = (unsigned long)p + disp32(p - sizeof(s32));
	} else {
		if (rm == 4) {
			/* SIB: index 4 without REX.X is none; base 5 with mod 0 is no base. */
			if (((*p >> 3) & 7) != 4 || (mod == 0 && (*p & 7) == 5))
				return false;
			rm = *p++ & 7;
		}
		address = *emu_reg(regs, rm + (rex_b ? 8 : 0));
		if (mod == 1) {
			address += (s8)*p++;
		} else if (mod == 2) {
			address += disp32(p);
			p += sizeof(s32);
		}
	}
	if (address < TASK_SIZE_MAX)
		return false;
	insn->operand = (u64 *)address;
	insn->length = (unsigned long)p - regs->ip;
	return true;
}

/* The instruction has been fetched, so the bytes that belong to it are there to be read. */
static struct insn decode(struct pt_regs *regs)
{
	const u8 *p = (const u8 *)regs->ip;
	struct insn insn = { INSN_OTHER };
	u8 rex = 0;

	if (p[0] == 0x66) {
		if (p[1] == 0x0f && p[2] == 0x01 && p[3] == 0xcf)
			insn = (struct insn){ INSN_SEAMCALL, 4 };
		return insn;
	}

	if ((*p & 0xf0) == 0x40)
		rex = *p++;
	/* REX.X would make index 4 a real index register. */
	if (rex & 2 || p[0] != 0x0f || p[1] != 0xc7)
		return insn;
	p += 2;
	switch ((*p >> 3) & 7) {
	case 6:
		if (decode_operand(regs, p, rex & 1, &insn))
			insn.op = INSN_VMPTRLD;
		break;
	case 7:
		if (decode_operand(regs, p, rex & 1, &insn))
			insn.op = INSN_VMPTRST;
		break;
	}
	return insn;
}

/*
 * A notifier of #UD cannot turn it into #GP, so do what the kernel would do with one. Code that is
 * not in a module loaded after the emulator, or that has no fixup, gets the #UD.
 */
static int raise_gp(struct pt_regs *regs)
{
	const struct exception_table_entry *entry = emu_extable_find(regs->ip, EX_TYPE_FAULT);

	if (!entry) {
		pr_err_once("#GP at %pS without a fixup that the emulator can see, left as #UD\n",
			    (void *)regs->ip);
		return NOTIFY_DONE;
	}
	regs->ip = (unsigned long)&entry->fixup + entry->fixup;
	regs->ax = X86_TRAP_GP;
	return NOTIFY_STOP;
}

/* @vmfail: CF for VMfailInvalid, ZF for VMfailValid, 0 for success. */
static int step_over(struct pt_regs *regs, const struct insn *insn, unsigned long vmfail)
{
	regs->flags &= ~VMX_FLAGS;
	regs->flags |= vmfail;
	regs->ip += insn->length;
	return NOTIFY_STOP;
}

static int do_seamcall(struct pt_regs *regs, const struct insn *insn)
{
	u64 status = emu_seamcall(regs);

	switch (status) {
	case TDX_SW_UD:
		return NOTIFY_DONE;
	case TDX_SW_GP:
		return raise_gp(regs);
	case TDX_SW_VMFAILINVALID:
		return step_over(regs, insn, X86_EFLAGS_CF);
	}
	regs->ax = status;
	return step_over(regs, insn, 0);
}

static int do_vmptrst(struct pt_regs *regs, const struct insn *insn)
{
	unsigned int cpu = smp_processor_id();
	unsigned long flags;
	u64 pointer;
	bool vmx;

	raw_spin_lock_irqsave(&emu.lock, flags);
	emu.vmptrst++;
	vmx = emu_vmx_on();
	pointer = emu.vmcs[cpu];
	raw_spin_unlock_irqrestore(&emu.lock, flags);
	if (!vmx)
		return NOTIFY_DONE;

	*insn->operand = pointer;
	return step_over(regs, insn, 0);
}

static int do_vmptrld(struct pt_regs *regs, const struct insn *insn)
{
	unsigned int cpu = smp_processor_id();
	u64 pointer = *insn->operand;
	unsigned long flags, vmfail;
	bool vmx, valid;

	valid = PAGE_ALIGNED(pointer) && !(pointer >> boot_cpu_data.x86_phys_bits);
	raw_spin_lock_irqsave(&emu.lock, flags);
	emu.vmptrld++;
	vmx = emu_vmx_on();
	vmfail = emu.vmcs[cpu] == VMX_NO_CURRENT_VMCS ? X86_EFLAGS_CF : X86_EFLAGS_ZF;
	if (vmx && valid)
		emu.vmcs[cpu] = pointer;
	raw_spin_unlock_irqrestore(&emu.lock, flags);
	if (!vmx)
		return NOTIFY_DONE;

	return step_over(regs, insn, valid ? 0 : vmfail);
}

static int emu_trap(struct notifier_block *nb, unsigned long reason, void *data)
{
	struct die_args *args = data;
	struct pt_regs *regs = args->regs;
	struct insn insn;

	if (reason != DIE_TRAP || args->trapnr != X86_TRAP_UD)
		return NOTIFY_DONE;
	if (user_mode(regs) || regs->ip < TASK_SIZE_MAX)
		return NOTIFY_DONE;

	/* Where the CPU has VMX, only SEAMCALL is emulated. */
	insn = decode(regs);
	if (emu_vmx_is_real() && (insn.op == INSN_VMPTRST || insn.op == INSN_VMPTRLD))
		return NOTIFY_DONE;
	switch (insn.op) {
	case INSN_SEAMCALL:
		return do_seamcall(regs, &insn);
	case INSN_VMPTRST:
		return do_vmptrst(regs, &insn);
	case INSN_VMPTRLD:
		return do_vmptrld(regs, &insn);
	default:
		return emu_msr_trap(regs) ? NOTIFY_STOP : NOTIFY_DONE;
	}
}

/* Before anyone else: others print, or take the trap for a bug. */
static struct notifier_block trap_notifier = {
	.notifier_call = emu_trap,
	.priority = INT_MAX,
};

/**
 * emu_reset() - firmware and platform as after loading the emulator, under the settings
 *
 * Waits for calls that are inside the firmware, whose state it would pull away.
 *
 * Context: may sleep.
 * Return: 0, or -EINTR after a signal, and then nothing has changed.
 */
int emu_reset(void)
{
	unsigned int cpu;

	for (;;) {
		raw_spin_lock_irq(&emu.lock);
		if (!emu.seamldr_busy && !emu.inside)
			break;
		raw_spin_unlock_irq(&emu.lock);
		if (msleep_interruptible(1))
			return -EINTR;
	}

	emu.booted = emu.platform;
	cpumask_copy(&emu.vmx, cpu_possible_mask);
	for_each_possible_cpu(cpu)
		emu.vmcs[cpu] = (cpu + 1ULL) << PAGE_SHIFT;
	emu.vmcs_lost = 0;
	emu.vmcs_kept = 0;
	emu.vmptrst = 0;
	emu.vmptrld = 0;
	emu_call_reset();
	emu_seamldr_reset();
	emu_module_reset();
	emu_td_clear();
	raw_spin_unlock_irq(&emu.lock);
	return 0;
}

/* LPs that one package can address: those that share its L3 cache, rounded up to a power of two. */
static u32 __init package_lps(void)
{
	u32 eax, ebx, ecx, edx;

	cpuid_count(4, 3, &eax, &ebx, &ecx, &edx);
	return roundup_pow_of_two((eax >> 14 & 0xfff) + 1);
}

static int __init emu_init(void)
{
	int ret;

	/* The plain implementation: the others want the FPU, which a trap may find in use. */
	emu_sha384 = crypto_alloc_shash("sha384-generic", 0, 0);
	if (IS_ERR(emu_sha384))
		emu_sha384 = crypto_alloc_shash("sha384", 0, 0);
	if (IS_ERR(emu_sha384)) {
		pr_err("no SHA-384\n");
		return PTR_ERR(emu_sha384);
	}

	ret = -ENOMEM;
	emu.vmcs = kcalloc(nr_cpu_ids, sizeof(*emu.vmcs), GFP_KERNEL);
	if (!emu.vmcs)
		goto free_sha384;
	ret = emu_vmx_init();
	if (ret)
		goto free_vmcs;
	ret = emu_call_init();
	if (ret)
		goto exit_vmx;
	ret = emu_install_init();
	if (ret)
		goto exit_call;
	ret = emu_td_init();
	if (ret)
		goto exit_install;

	emu.platform.lps = num_present_cpus();
	emu.platform.cpus = (struct emu_cpus){ .nr = 1, .eax = { cpuid_eax(1) } };
	emu.package_lps = package_lps();
	emu.left = emu_module_left();
	ret = emu_reset();
	if (ret)
		goto exit_td;
	ret = emu_extable_init();
	if (ret)
		goto exit_td;
	ret = emu_msr_init();
	if (ret)
		goto exit_extable;
	ret = register_die_notifier(&trap_notifier);
	if (ret)
		goto exit_msr;
	emu_debugfs_init();
	pr_info("TDX firmware emulated with %s, for tests only\n",
		crypto_shash_driver_name(emu_sha384));
	return 0;

exit_msr:
	emu_msr_exit();
exit_extable:
	emu_extable_exit();
exit_td:
	emu_td_exit();
exit_install:
	emu_install_exit();
exit_call:
	emu_call_exit();
exit_vmx:
	emu_vmx_exit();
free_vmcs:
	kfree(emu.vmcs);
free_sha384:
	crypto_free_shash(emu_sha384);
	return ret;
}

static void __exit emu_exit(void)
{
	emu_debugfs_exit();
	/* Waits for traps under way on other CPUs. */
	unregister_die_notifier(&trap_notifier);
	emu_msr_exit();
	emu_extable_exit();
	emu_td_exit();
	emu_install_exit();
	emu_call_exit();
	emu_vmx_exit();
	kfree(emu.vmcs);
	crypto_free_shash(emu_sha384);
}

module_init(emu_init);
module_exit(emu_exit);
MODULE_DESCRIPTION("Emulator of Intel TDX firmware, for tests only");
MODULE_LICENSE("GPL");
