// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shows what the firmware answers, raw, in /sys/kernel/debug/tdx_hwtest/, for tdx-update-hwtest.
 * Makes only SEAMCALLs that read: TDH.SYS.RD, SEAMLDR.INFO and SEAMLDR.SEAMINFO. Changes nothing.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <asm/msr.h>

#include "tdx_update.h"

/* P-SEAMLDR busy with another LP: how often to repeat a call, and how far apart. */
#define BUSY_TRIES	50
#define BUSY_WAIT_US	100

#define MSR_VMX_BASIC	0x480u

/* No class of fields has this number, so every TDX module has to refuse it. */
#define TDX_MD_UNKNOWN	0x3F00000000000000ULL

/* The operand of a call of P-SEAMLDR, under turn. */
static void *buffer;
static DEFINE_MUTEX(turn);

/* One call: its leaf and operands, then its answer. */
struct query {
	u64 leaf;
	struct tdxu_args args;
	u64 status;
	u64 ns;
	int cpu;
};

static u64 elapsed(u64 start)
{
	return ktime_get_ns() - start;
}

/* ---- TDH.SYS.RD ---- */

#define FIELD(name) { #name, TDX_MD_##name }

static const struct {
	const char *name;
	u64 id;
} fields[] = {
	FIELD(MINOR_VERSION),
	FIELD(MAJOR_VERSION),
	FIELD(UPDATE_VERSION),
	FIELD(BUILD_NUM),
	FIELD(BUILD_DATE),
	FIELD(VENDOR_ID),
	FIELD(FEATURES0),
	FIELD(MODULE_HV),
	FIELD(MIN_UPDATE_HV),
	FIELD(NO_DOWNGRADE),
	FIELD(NUM_HANDOFF_PAGES),
	FIELD(HANDOFF_DATA_VALID),
	FIELD(HANDOFF_DATA_HV),
	FIELD(UNKNOWN),
};

/* NAME FIELD STATUS VALUE NEXT NS, a field a line: the name alone is not the firmware's. */
static int fields_show(struct seq_file *m, void *unused)
{
	struct tdxu_args args;
	u64 status, start, ns;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct tdxu_args in = { .rdx = fields[i].id };

		preempt_disable();
		start = ktime_get_ns();
		status = tdxu_seamcall_retry(TDH_SYS_RD, &in, &args);
		ns = elapsed(start);
		preempt_enable();
		seq_printf(m, "%s 0x%016llx 0x%016llx 0x%016llx 0x%016llx %llu\n", fields[i].name,
			   fields[i].id, status, args.r8, args.rdx, ns);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(fields);

/* ---- SEAMLDR.INFO and SEAMLDR.SEAMINFO ---- */

static void ask_seamldr(struct query *query)
{
	unsigned int tries = 0;
	unsigned long flags;
	u64 start;

	lockdep_assert_held(&turn);

	for (;;) {
		query->args = (struct tdxu_args){ .rcx = __pa(buffer) };
		local_irq_save(flags);
		query->cpu = smp_processor_id();
		start = ktime_get_ns();
		query->status = tdxu_seamldr_call(query->leaf, &query->args);
		query->ns = elapsed(start);
		local_irq_restore(flags);

		if (query->status != TDX_SW_VMFAILINVALID || ++tries == BUSY_TRIES)
			return;
		usleep_range(BUSY_WAIT_US, 2 * BUSY_WAIT_US);
	}
}

/* P-SEAMLDR may change no register but RAX and RDX. */
static bool registers_kept(const struct tdxu_args *args)
{
	return args->rcx == __pa(buffer) && !args->r8 && !args->r9 && !args->r10 && !args->r11;
}

/* STATUS NS KEPT DATA in one line; DATA is the buffer in hexadecimal, in the order of its bytes. */
static int show_seamldr(struct seq_file *m, u64 leaf, size_t size)
{
	struct query query = { .leaf = leaf };
	size_t i;

	mutex_lock(&turn);
	memset(buffer, 0, SEAMLDR_SEAMINFO_ALIGN);
	ask_seamldr(&query);
	seq_printf(m, "0x%016llx %llu %d ", query.status, query.ns, registers_kept(&query.args));
	for (i = 0; i < size; i += 32)
		seq_printf(m, "%32phN", buffer + i);
	seq_putc(m, '\n');
	mutex_unlock(&turn);
	return 0;
}

static int seamldr_info_show(struct seq_file *m, void *unused)
{
	return show_seamldr(m, SEAMLDR_INFO, sizeof(struct seamldr_info));
}
DEFINE_SHOW_ATTRIBUTE(seamldr_info);

static int seaminfo_show(struct seq_file *m, void *unused)
{
	return show_seamldr(m, SEAMLDR_SEAMINFO, sizeof(struct seamldr_seaminfo));
}
DEFINE_SHOW_ATTRIBUTE(seaminfo);

/* ---- the current VMCS of each CPU ---- */

/* Pointers before the call of P-SEAMLDR, after it, and once the guard has restored the first. */
struct vmcs_test {
	u64 before, during, after;
	u64 status;
	bool vmx;
};

/* The guard of tdxu_seamldr_call(), with a look at the pointer between its steps. */
static void test_vmcs(void *data)
{
	struct vmcs_test *test = data;
	struct tdxu_args args = { .rcx = __pa(buffer) };

	test->vmx = tdxu_vmcs_save(&test->before);
	if (!test->vmx)
		return;
	test->status = tdxu_seamcall(SEAMLDR_INFO, &args);
	tdxu_vmcs_save(&test->during);
	tdxu_vmcs_restore(test->before);
	tdxu_vmcs_save(&test->after);
}

static void test_vmcs_on(int cpu, struct vmcs_test *test)
{
	unsigned int tries = 0;

	for (;;) {
		if (smp_call_function_single(cpu, test_vmcs, test, true))
			test->vmx = false;
		if (!test->vmx || test->status != TDX_SW_VMFAILINVALID || ++tries == BUSY_TRIES)
			return;
		usleep_range(BUSY_WAIT_US, 2 * BUSY_WAIT_US);
	}
}

/* The report must have no address of the host's memory, so a pointer is shown as a word. */
static const char *describe(u64 pa, u64 before)
{
	if (pa == VMX_NO_CURRENT_VMCS)
		return "none";
	return pa == before ? "vmcs" : "other";
}

/* CPU VMX BEFORE DURING AFTER STATUS, an online CPU a line. */
static int cpus_show(struct seq_file *m, void *unused)
{
	int cpu;

	mutex_lock(&turn);
	cpus_read_lock();
	for_each_online_cpu(cpu) {
		struct vmcs_test test = {};

		test_vmcs_on(cpu, &test);
		if (!test.vmx) {
			seq_printf(m, "%d off - - - -\n", cpu);
			continue;
		}
		seq_printf(m, "%d on %s %s %s 0x%016llx\n", cpu, describe(test.before, test.before),
			   describe(test.during, test.before), describe(test.after, test.before),
			   test.status);
	}
	cpus_read_unlock();
	mutex_unlock(&turn);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cpus);

/* ---- MSRs ---- */

static const struct {
	const char *name;
	u32 nr;
} msrs[] = {
	{ "IA32_VMX_BASIC", MSR_VMX_BASIC },
	{ "SGX_DEBUG_MODE", MSR_SGX_DEBUG_MODE },
	{ "IA32_SEAMRR_PHYS_BASE", MSR_IA32_SEAMRR_PHYS_BASE },
	{ "IA32_SEAMRR_PHYS_MASK", MSR_IA32_SEAMRR_PHYS_MASK },
};

/* NAME NUMBER VALUE, a register a line; the value is "#GP" where the CPU refuses to read it. */
static int msrs_show(struct seq_file *m, void *unused)
{
	u32 lo, hi;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(msrs); i++) {
		seq_printf(m, "%s 0x%x ", msrs[i].name, msrs[i].nr);
		if (rdmsr_safe(msrs[i].nr, &lo, &hi))
			seq_puts(m, "#GP\n");
		else
			seq_printf(m, "0x%08x%08x\n", hi, lo);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(msrs);

/* ---- the module ---- */

static struct dentry *directory;

static int __init hwtest_init(void)
{
	/* kmalloc() aligns a power of two to its size, which is what P-SEAMLDR wants. */
	buffer = kzalloc(SEAMLDR_SEAMINFO_ALIGN, GFP_KERNEL);
	if (!buffer)
		return -ENOMEM;
	/* Mode 0400: also under lockdown, which lets only files be read that no one can write. */
	directory = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("fields", 0400, directory, NULL, &fields_fops);
	debugfs_create_file("seamldr_info", 0400, directory, NULL, &seamldr_info_fops);
	debugfs_create_file("seaminfo", 0400, directory, NULL, &seaminfo_fops);
	debugfs_create_file("cpus", 0400, directory, NULL, &cpus_fops);
	debugfs_create_file("msrs", 0400, directory, NULL, &msrs_fops);
	return 0;
}

static void __exit hwtest_exit(void)
{
	debugfs_remove(directory);
	/* As tdx_update does before kexec may follow: docs/design.md, "kexec". */
	wbinvd_on_all_cpus();
	kfree(buffer);
}

module_init(hwtest_init);
module_exit(hwtest_exit);

MODULE_DESCRIPTION("Shows what Intel's TDX firmware answers, for tdx-update-hwtest; changes nothing");
MODULE_LICENSE("GPL");
