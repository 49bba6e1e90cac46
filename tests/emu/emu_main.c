// SPDX-License-Identifier: GPL-2.0-only
/*
 * Catches the traps of SEAMCALL, VMPTRST and VMPTRLD, carries the instructions out and steps over
 * them; loads and unloads the emulator. The other files implement the firmware.
 * A trap may come from anywhere, with interrupts off: emu_trap() must not sleep or allocate.
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

/*
 * Built into a kernel, the emulator is there before Linux brings TDX up (subsys_initcall), and long
 * before there is a hash function.
 */
#ifdef MODULE
#define emu_initcall(fn)	module_init(fn)
#else
#define emu_initcall(fn)	arch_initcall(fn)
#endif

struct crypto_shash *emu_sha384;

/* A VMX instruction clears all of these flags. If it fails it then sets CF or ZF. */
#define VMX_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF)

enum insn_op { INSN_OTHER, INSN_SEAMCALL, INSN_VMPTRST, INSN_VMPTRLD };

struct insn {
	enum insn_op op;
	unsigned int length;
	u64 *operand;			/* VMPTRST, VMPTRLD */
};

/**
 * emu_memory() - map a physical address that a caller passed
 * @pa: physical address
 * @align: power of two that @pa must be aligned to
 *
 * Hardware accepts shared memory below the maximum physical address. The emulator accepts ordinary
 * memory of the kernel, so that an access cannot fault, and the page of zeroes that a process has
 * where it has written nothing.
 *
 * Context: any.
 * Return: the address in the direct map, or NULL if @pa is not acceptable.
 */
void *emu_memory(u64 pa, u64 align)
{
	if (pa & (align - 1) || pa >> boot_cpu_data.x86_phys_bits)
		return NULL;
	if (!pfn_valid(PHYS_PFN(pa)))
		return NULL;
	if (PageReserved(pfn_to_page(PHYS_PFN(pa))) && !is_zero_pfn(PHYS_PFN(pa)))
		return NULL;
	return __va(pa);
}

/**
 * emu_busy_wait() - spend time as a long firmware call does
 * @ns: nanoseconds
 *
 * Context: any; not under emu.lock. Does not sleep.
 */
void emu_busy_wait(u64 ns)
{
	/* udelay() and ndelay() are good for a few milliseconds at most. */
	while (ns > NSEC_PER_MSEC) {
		udelay(USEC_PER_MSEC);
		ns -= NSEC_PER_MSEC;
	}
	if (ns)
		ndelay(ns);
}

/**
 * emu_reg() - find a general register by its number in an instruction
 * @regs: registers of a trap
 * @nr: 0 to 15
 *
 * Context: a trap.
 * Return: where the register is saved; RSP is the interrupted code's.
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

/**
 * emu_operand() - decode a memory operand that ends its instruction
 * @regs: registers of a trap
 * @p: its ModRM byte
 * @rex_b: the instruction has REX.B
 * @operand: the address, filled in on success
 *
 * It knows no index register: compilers do not use one for a plain pointer.
 *
 * Context: a trap.
 * Return: the end of the instruction; NULL for a register, an index register, or a user address.
 */
const u8 *emu_operand(struct pt_regs *regs, const u8 *p, bool rex_b, void **operand)
{
	unsigned int mod = *p >> 6, rm = *p & 7;
	unsigned long address;

	p++;
	if (mod == 3)
		return NULL;
	if (mod == 0 && rm == 5) {
		/* Relative to RIP, which is the end of the instruction. */
		p += sizeof(s32);
		address = (unsigned long)p + disp32(p - sizeof(s32));
	} else {
		if (rm == 4) {
			/* SIB: index 4 without REX.X means no index, base 5 with mod 0 no base. */
			if (((*p >> 3) & 7) != 4 || (mod == 0 && (*p & 7) == 5))
				return NULL;
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
		return NULL;
	*operand = (void *)address;
	return p;
}

static bool decode_operand(struct pt_regs *regs, const u8 *p, bool rex_b, struct insn *insn)
{
	void *operand;
	const u8 *end = emu_operand(regs, p, rex_b, &operand);

	if (!end)
		return false;
	insn->operand = operand;
	insn->length = (unsigned long)end - regs->ip;
	return true;
}

/* The CPU has fetched the instruction, so its bytes can be read. */
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
 * A notifier of #UD cannot turn it into #GP, so do what the kernel does at a #GP: go to the fixup.
 * Code without a fixup, or outside the modules loaded after the emulator, gets the #UD.
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

/**
 * emu_step_over() - end a VMX instruction
 * @regs: registers of a trap
 * @length: of the instruction
 * @vmfail: CF for VMfailInvalid, ZF for VMfailValid, 0 for success
 *
 * Context: a trap.
 */
void emu_step_over(struct pt_regs *regs, unsigned int length, unsigned long vmfail)
{
	regs->flags &= ~VMX_FLAGS;
	regs->flags |= vmfail;
	regs->ip += length;
}

static int step_over(struct pt_regs *regs, const struct insn *insn, unsigned long vmfail)
{
	emu_step_over(regs, insn->length, vmfail);
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

	/* On a CPU with VMX a trap of these instructions is the CPU's own. */
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
		return emu_cpu_trap(regs) || emu_msr_trap(regs) ? NOTIFY_STOP : NOTIFY_DONE;
	}
}

/* First in the chain: other notifiers print, or take the trap for a bug. */
static struct notifier_block trap_notifier = {
	.notifier_call = emu_trap,
	.priority = INT_MAX,
};

/**
 * emu_reset() - reset firmware and platform to the state after loading, with the current settings
 *
 * Waits until no LP is inside the firmware, since such a call uses the state.
 *
 * Context: may sleep.
 * Return: 0; -EINTR after a signal, and then nothing has changed.
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
	cpumask_copy(&emu.vmx, emu_cpu_vmx());
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

/* LPs that one package can address: sharers of its L3 cache, rounded up to a power of two. */
static u32 __init package_lps(void)
{
	u32 eax, ebx, ecx, edx;

	cpuid_count(4, 3, &eax, &ebx, &ecx, &edx);
	return roundup_pow_of_two((eax >> 14 & 0xfff) + 1);
}

/* The hash function, and what depends on it. */
static int __init emu_hash_init(void)
{
	int ret;

	/* Prefer the generic code: the others use the FPU, which a trap may find in use. */
	emu_sha384 = crypto_alloc_shash("sha384-generic", 0, 0);
	if (IS_ERR(emu_sha384))
		emu_sha384 = crypto_alloc_shash("sha384", 0, 0);
	if (IS_ERR(emu_sha384)) {
		pr_err("no SHA-384\n");
		return PTR_ERR(emu_sha384);
	}
	ret = emu_install_init();
	if (ret)
		goto free_sha384;
	ret = emu_td_init();
	if (ret)
		goto exit_install;
	/* Linux has brought TDX up by now. A later reset stands for a boot in which it did. */
	emu.first_module.state = EMU_MODULE_READY;
	emu.default_module.state = EMU_MODULE_READY;
	pr_info("TDX firmware emulated with %s, for tests only\n",
		crypto_shash_driver_name(emu_sha384));
	return 0;

exit_install:
	emu_install_exit();
free_sha384:
	crypto_free_shash(emu_sha384);
	return ret;
}

static void emu_hash_exit(void)
{
	emu_td_exit();
	emu_install_exit();
	crypto_free_shash(emu_sha384);
}

static int __init emu_init(void)
{
	int ret = -ENOMEM;

	emu.vmcs = kcalloc(nr_cpu_ids, sizeof(*emu.vmcs), GFP_KERNEL);
	if (!emu.vmcs)
		return ret;
	ret = emu_vmx_init();
	if (ret)
		goto free_vmcs;
	ret = emu_call_init();
	if (ret)
		goto exit_vmx;
#ifdef MODULE
	ret = emu_hash_init();
	if (ret)
		goto exit_call;
#else
	emu_cpu_init();
#endif

	emu.platform.lps = num_present_cpus();
	emu.platform.cpus = (struct emu_cpus){ .nr = 1, .eax = { cpuid_eax(1) } };
	emu.default_platform = emu.platform;
	emu.default_module = emu.first_module;
	emu.package_lps = package_lps();
	emu.left = emu_module_left();
	ret = emu_reset();
	if (ret)
		goto exit_hash;
	ret = emu_extable_init();
	if (ret)
		goto exit_hash;
	ret = emu_msr_init();
	if (ret)
		goto exit_extable;
	ret = register_die_notifier(&trap_notifier);
	if (ret)
		goto exit_msr;
	emu_debugfs_init();
	return 0;

exit_msr:
	emu_msr_exit();
exit_extable:
	emu_extable_exit();
exit_hash:
#ifdef MODULE
	emu_hash_exit();
exit_call:
#endif
	emu_call_exit();
exit_vmx:
	emu_vmx_exit();
free_vmcs:
	kfree(emu.vmcs);
	return ret;
}

static void __exit emu_exit(void)
{
	emu_debugfs_exit();
	/* Returns when no CPU is in emu_trap() any more. */
	unregister_die_notifier(&trap_notifier);
	emu_msr_exit();
	emu_extable_exit();
	emu_hash_exit();
	emu_call_exit();
	emu_vmx_exit();
	kfree(emu.vmcs);
}

emu_initcall(emu_init);
#ifndef MODULE
late_initcall(emu_hash_init);
#endif
module_exit(emu_exit);
MODULE_DESCRIPTION("Emulator of Intel TDX firmware, for tests only");
MODULE_LICENSE("GPL");
