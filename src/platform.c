// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the platform state: SEAM, the TDX module, P-SEAMLDR, the CPUs. Changes nothing, and keeps
 * nothing: the next moment another TDX module may run.
 */
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <asm/msr.h>
#include <asm/page.h>

#include "tdx_update.h"
#include "trace.h"

/* P-SEAMLDR busy with another LP: how often to repeat a call, and how far apart. */
#define SEAMLDR_BUSY_TRIES	50
#define SEAMLDR_BUSY_WAIT_US	100

/* The operand of SEAMLDR.INFO and SEAMLDR.SEAMINFO, under info_turn. */
static union {
	struct seamldr_info info;
	struct seamldr_seaminfo seaminfo;
} *info_buffer;
static DEFINE_MUTEX(info_turn);

static u64 read_field(u64 field, u64 *value)
{
	const struct tdxu_args in = { .rdx = field };
	struct tdxu_args out;
	u64 status = tdxu_seamcall_retry(TDH_SYS_RD, &in, &out);

	*value = out.r8;
	return status;
}

/*
 * TDH.SYS.RD works from TDH.SYS.LP.INIT on, so it cannot tell whether TDX runs. This leaf needs
 * SYS_READY and changes nothing (docs/firmware.md, "TDX module leaves"). No page has this address,
 * so OPERAND_INVALID means SYS_READY.
 */
static u64 probe_ready(void)
{
	const struct tdxu_args in = { .rcx = ~0ULL };
	struct tdxu_args out;
	u64 status = tdxu_seamcall_retry(TDH_PHYMEM_PAGE_RDMD, &in, &out);

	return (status & TDX_STATUS_MASK) == TDX_OPERAND_INVALID ? TDX_SUCCESS : status;
}

/**
 * tdxu_platform_read_module() - read version and features of the running TDX module
 * @module: filled in on success
 * @answer: the SEAMCALL that failed
 *
 * Calls TDH.SYS.RD every time. All fields are of the same TDX module, because preemption is off and
 * an update stops every CPU.
 *
 * Context: any.
 * Return: TDX_SUCCESS, or the status of the SEAMCALL that failed. Without a running TDX module that
 * is TDX_SW_UD, TDX_SW_VMFAILINVALID or a status of the kind SYS_*.
 */
u64 tdxu_platform_read_module(struct tdxu_module *module, struct tdxu_answer *answer)
{
	enum { MAJOR, MINOR, UPDATE, FEATURES0, MODULE_HV, MIN_UPDATE_HV, NO_DOWNGRADE, PAGES };
	static const u64 fields[] = {
		[MAJOR]		= TDX_MD_MAJOR_VERSION,
		[MINOR]		= TDX_MD_MINOR_VERSION,
		[UPDATE]	= TDX_MD_UPDATE_VERSION,
		[FEATURES0]	= TDX_MD_FEATURES0,
		[MODULE_HV]	= TDX_MD_MODULE_HV,
		[MIN_UPDATE_HV]	= TDX_MD_MIN_UPDATE_HV,
		[NO_DOWNGRADE]	= TDX_MD_NO_DOWNGRADE,
		[PAGES]		= TDX_MD_NUM_HANDOFF_PAGES,
	};
	u64 value[ARRAY_SIZE(fields)] = {};
	u64 leaf = TDH_PHYMEM_PAGE_RDMD;
	u64 status;
	size_t i;

	preempt_disable();
	status = probe_ready();
	if (!status)
		leaf = TDH_SYS_RD;
	for (i = 0; i < ARRAY_SIZE(fields) && !status; i++) {
		/* Without TD_PRESERVING the fields of the handoff do not exist. */
		if (i == MODULE_HV && !(value[FEATURES0] & TDX_FEATURES0_TD_PRESERVING))
			break;
		status = read_field(fields[i], &value[i]);
	}
	preempt_enable();

	*module = (struct tdxu_module){
		.version		= { value[MAJOR], value[MINOR], value[UPDATE] },
		.features0		= value[FEATURES0],
		.module_hv		= value[MODULE_HV],
		.min_update_hv		= value[MIN_UPDATE_HV],
		.no_downgrade		= value[NO_DOWNGRADE],
		.num_handoff_pages	= value[PAGES],
	};
	*answer = (struct tdxu_answer){ .leaf = leaf, .status = status, .cpu = TDXU_NO_CPU };
	return status;
}

/* What an installed TDX module that does not run yet tells of the handoff data. */
struct handoff_query {
	u64 status;
	u64 valid;
	u64 hv;
	u64 pages;
};

static void query_handoff(void *data)
{
	struct handoff_query *query = data;

	query->status = read_field(TDX_MD_HANDOFF_DATA_VALID, &query->valid);
	query->status = query->status ?: read_field(TDX_MD_HANDOFF_DATA_HV, &query->hv);
	query->status = query->status ?: read_field(TDX_MD_NUM_HANDOFF_PAGES, &query->pages);
}

/* Only an LP that has done TDH.SYS.LP.INIT can read it; after a failed round not all have. */
static bool find_handoff(struct tdxu_handoff *handoff)
{
	struct handoff_query query;
	int cpu;

	cpus_read_lock();
	for_each_online_cpu(cpu) {
		query.status = TDX_SW_UD;
		smp_call_function_single(cpu, query_handoff, &query, true);
		if (!query.status)
			break;
	}
	cpus_read_unlock();
	if (query.status || !query.valid)
		return false;
	*handoff = (struct tdxu_handoff){
		.waits = true,
		.hv = query.hv, .hv_known = true,
		.num_pages = query.pages, .num_pages_known = true,
	};
	return true;
}

/*
 * A TDX module is in place and not callable: an install session is open. A failure at P-SEAMLDR's
 * log looks the same; then SEAMLDR.INSTALL refuses whatever follows and changes nothing.
 */
static bool is_session_open(void)
{
	struct seamldr_info info;

	tdxu_platform_read_seamldr(&info);
	return info.seam_info.valid && !info.seam_ready;
}

/**
 * tdxu_platform_state() - ask the firmware whether TDX runs, and which handoff data waits if not
 * @handoff: in: what the caller knows of an earlier shutdown, @waits false if nothing; out, with
 * TDXU_STATE_SHUT_DOWN: what is known now
 * @answer: the SEAMCALL that decided
 *
 * Context: may sleep.
 * Return: the state. If the caller knows nothing, a TDX module that was installed over handoff data
 * looks uninitialized until an LP has done TDH.SYS.LP.INIT.
 */
enum tdxu_state tdxu_platform_state(struct tdxu_handoff *handoff, struct tdxu_answer *answer)
{
	u64 status = probe_ready();

	*answer = (struct tdxu_answer){
		.leaf = TDH_PHYMEM_PAGE_RDMD, .status = status, .cpu = TDXU_NO_CPU,
	};
	switch (status & TDX_STATUS_MASK) {
	case TDX_SUCCESS:
		return TDXU_STATE_READY;
	case TDX_SYS_SHUTDOWN:
		handoff->waits = true;
		return TDXU_STATE_SHUT_DOWN;
	case TDX_SYS_NOT_READY:
	case TDX_SYS_LP_INIT_NOT_DONE:
		if (find_handoff(handoff))
			return TDXU_STATE_SHUT_DOWN;
		break;
	default:
		if (status == TDX_SW_VMFAILINVALID && is_session_open()) {
			handoff->waits = true;
			handoff->session_open = true;
		}
	}
	return handoff->waits ? TDXU_STATE_SHUT_DOWN : TDXU_STATE_UNINITIALIZED;
}

/*
 * Call a leaf of P-SEAMLDR that fills info_buffer. P-SEAMLDR serves one LP at a time: our own
 * callers take turns, and if it is busy with others repeat the call for some milliseconds.
 */
static struct tdxu_answer ask_seamldr(u64 leaf)
{
	struct tdxu_answer answer = { .leaf = leaf };
	unsigned int tries = 0;
	unsigned long flags;

	lockdep_assert_held(&info_turn);

	memset(info_buffer, 0, sizeof(*info_buffer));
	for (;;) {
		struct tdxu_args args = { .rcx = __pa(info_buffer) };

		local_irq_save(flags);
		answer.cpu = smp_processor_id();
		answer.status = tdxu_seamldr_call(leaf, &args);
		local_irq_restore(flags);

		if (answer.status != TDX_SW_VMFAILINVALID || ++tries == SEAMLDR_BUSY_TRIES)
			return answer;
		usleep_range(SEAMLDR_BUSY_WAIT_US, 2 * SEAMLDR_BUSY_WAIT_US);
	}
}

/**
 * tdxu_platform_read_seamldr() - call SEAMLDR.INFO
 * @info: filled in on success, else zeroed
 *
 * Context: may sleep.
 * Return: the answer; its status is TDX_SW_VMFAILINVALID if P-SEAMLDR stayed busy or is not loaded,
 * TDX_SW_UD if the CPU is not in VMX operation.
 */
struct tdxu_answer tdxu_platform_read_seamldr(struct seamldr_info *info)
{
	struct tdxu_answer answer;

	mutex_lock(&info_turn);
	answer = ask_seamldr(SEAMLDR_INFO);
	*info = info_buffer->info;
	mutex_unlock(&info_turn);
	return answer;
}

/* LPs that @packages can address by CPUID: P-SEAMLDR reserves memory for as many. */
static u32 addressable_lps(u32 packages)
{
	u32 eax, ebx, ecx, edx;

	cpuid_count(4, 3, &eax, &ebx, &ecx, &edx);
	return packages * roundup_pow_of_two((eax >> 14 & 0xfff) + 1);
}

/* Bytes of SEAM's memory range below P-SEAMLDR; 0 if the range is not known. */
static u64 find_room(u64 p_seamldr_base)
{
	u32 lo, hi;
	u64 base;

	if (rdmsr_safe(MSR_IA32_SEAMRR_PHYS_BASE, &lo, &hi))
		return 0;
	base = ((u64)hi << 32 | lo) & PAGE_MASK;
	return base && base < p_seamldr_base ? p_seamldr_base - base : 0;
}

static enum tdxu_debug find_debug_mode(void)
{
	u32 lo, hi;

	if (rdmsr_safe(MSR_SGX_DEBUG_MODE, &lo, &hi))
		return TDXU_DEBUG_UNKNOWN;
	return lo & SGX_DEBUG_MODE_UNLOCKED ? TDXU_DEBUG_UNLOCKED : TDXU_DEBUG_LOCKED;
}

/*
 * SEAMLDR.SEAMINFO has the platform as the firmware counted it at boot. An install session closes
 * by that count of LPs and cannot be cancelled, so exactly as many must be online.
 */
static struct tdxu_verdict read_seaminfo(struct tdxu_platform *platform, struct tdxu_answer *asked)
{
	const struct seamldr_seaminfo *seaminfo = &info_buffer->seaminfo;
	/* Count first: the blackout notices a CPU that goes offline after this. */
	const unsigned int online = num_online_cpus();
	u32 lps, packages, i;

	mutex_lock(&info_turn);
	*asked = ask_seamldr(SEAMLDR_SEAMINFO);
	lps = seaminfo->tot_num_lps;
	packages = seaminfo->tot_num_sockets;
	platform->num_cpu_kinds = min(packages, TDXU_MAX_CPU_KINDS);
	for (i = 0; i < platform->num_cpu_kinds; i++)
		platform->cpu_kinds[i] = seaminfo->socket_cpuid[i] & ~SEAM_SIGSTRUCT_CPUID_STEPPING;
	platform->num_lps = addressable_lps(packages);
	platform->room = find_room(seaminfo->p_seamldr_base);
	mutex_unlock(&info_turn);

	if (asked->status)
		return tdxu_verdict(TDXU_FIRMWARE_ERROR, NULL);
	if (lps > online)
		return tdxu_verdictf(TDXU_CPU_OFFLINE,
				     "the platform has %u logical processors, %u are online", lps,
				     online);
	if (lps < online || !packages || packages > TDXU_MAX_CPU_KINDS)
		return tdxu_verdictf(TDXU_FIRMWARE_ERROR,
				     "P-SEAMLDR knows %u logical processors in %u packages, %u are online",
				     lps, packages, online);
	return tdxu_verdict(TDXU_SUCCESS, NULL);
}

/* Note any CPU that is not in VMX operation. */
static void note_vmx_off(void *vmx_off)
{
	if (!tdxu_in_vmx_operation())
		WRITE_ONCE(*(int *)vmx_off, smp_processor_id());
}

/*
 * A CPU that is offline, or cannot execute SEAMCALL, would leave the install session open. The
 * blackout checks again; checked here first, without stopping CPUs. On refusal @cpu is one of them.
 */
static struct tdxu_verdict check_cpus(int *cpu)
{
	enum tdxu_result result = TDXU_SUCCESS;

	cpus_read_lock();
	for_each_present_cpu(*cpu)
		if (!cpu_online(*cpu)) {
			result = TDXU_CPU_OFFLINE;
			goto out;
		}
	*cpu = TDXU_NO_CPU;
	on_each_cpu(note_vmx_off, cpu, true);
	if (*cpu != TDXU_NO_CPU)
		result = TDXU_VMX_OFF;
out:
	cpus_read_unlock();
	return tdxu_verdict(result, NULL);
}

/* Is this the answer of a missing or uninitialized TDX module? That is not a firmware error. */
static bool says_uninitialized(u64 status)
{
	switch (status & TDX_STATUS_MASK) {
	case TDX_SYS_LP_INIT_NOT_DONE:
	case TDX_SYS_NOT_READY:
		return true;
	}
	return status == TDX_SW_VMFAILINVALID;
}

/**
 * tdxu_platform_snapshot() - read the platform state, as a plan needs it
 * @platform: filled in on success; zero before, except that @handoff is what the caller knows of an
 * earlier shutdown
 * @answer: on refusal the SEAMCALL and the CPU that it is about
 *
 * Context: may sleep.
 * Return: TDXU_SUCCESS, TDXU_CPU_OFFLINE, TDXU_VMX_OFF, TDXU_UNSUPPORTED (TDX not initialized),
 * or TDXU_FIRMWARE_ERROR.
 */
struct tdxu_verdict tdxu_platform_snapshot(struct tdxu_platform *platform,
					   struct tdxu_answer *answer)
{
	struct tdxu_verdict verdict;
	struct seamldr_info info;
	struct tdxu_answer asked;
	u64 status;

	verdict = check_cpus(&answer->cpu);
	if (verdict.result)
		return verdict;

	switch (tdxu_platform_state(&platform->handoff, &asked)) {
	case TDXU_STATE_SHUT_DOWN:
		break;
	default:
		platform->handoff.waits = false;
		status = tdxu_platform_read_module(&platform->module, &asked);
		trace_seamcall(&asked);
		if (!status)
			break;
		*answer = asked;
		if (says_uninitialized(status))
			return tdxu_verdict(TDXU_UNSUPPORTED, "TDX is not initialized");
		return tdxu_verdict(TDXU_FIRMWARE_ERROR, NULL);
	}

	asked = tdxu_platform_read_seamldr(&info);
	trace_seamcall(&asked);
	if (asked.status) {
		*answer = asked;
		return tdxu_verdict(TDXU_FIRMWARE_ERROR, NULL);
	}
	platform->svn_major = info.seam_info.tee_tcb_svn[TEE_TCB_SVN_MAJOR];
	platform->svn_minor = info.seam_info.tee_tcb_svn[TEE_TCB_SVN_MINOR];
	platform->updates_left = info.num_remaining_updates;
	platform->debug = find_debug_mode();
	platform->debug_loader = info.attributes & SEAMLDR_INFO_ATTR_DEBUG;
	platform->seamldr = (struct tdxu_version){ info.major, info.minor, info.update };
	memcpy(platform->mrseam, info.seam_info.mrseam, sizeof(platform->mrseam));

	verdict = read_seaminfo(platform, &asked);
	trace_seamcall(&asked);
	if (verdict.result == TDXU_FIRMWARE_ERROR)
		*answer = asked;
	return verdict;
}

/* Return what this machine lacks for TDX, a static string; NULL: nothing. */
static const char *find_obstacle(void)
{
	struct seamldr_info info;
	u64 status = tdxu_platform_read_seamldr(&info).status;
	u32 lo, hi;

	if (status == TDX_SW_VMFAILINVALID)
		return "P-SEAMLDR is not loaded";
	if (status == TDX_SW_GP)
		return "SEAM is not enabled on this CPU";
	if (status != TDX_SW_UD)
		return NULL;
	if (tdxu_in_vmx_operation())
		return "this CPU has no SEAM";
	/* Without VMX only the registers of SEAM's memory range tell; KVM may turn VMX on later. */
	if (rdmsr_safe(MSR_IA32_SEAMRR_PHYS_MASK, &lo, &hi) || !(lo & SEAMRR_PHYS_MASK_ENABLED))
		return "this CPU has no SEAM, or the BIOS has not enabled it";
	return NULL;
}

/**
 * tdxu_platform_init() - allocate the buffer and look for SEAM and P-SEAMLDR
 * @why: on -ENODEV a static string: what this machine lacks
 *
 * Context: may sleep. Once, before any other call to this file.
 * Return: 0, -ENODEV without SEAM or P-SEAMLDR, or -ENOMEM.
 */
int tdxu_platform_init(const char **why)
{
	/* kmalloc() aligns a power of two to its size, which is what P-SEAMLDR wants. */
	static_assert(sizeof(*info_buffer) == SEAMLDR_SEAMINFO_ALIGN);
	info_buffer = kmalloc(sizeof(*info_buffer), GFP_KERNEL);
	if (!info_buffer)
		return -ENOMEM;

	*why = find_obstacle();
	if (*why) {
		tdxu_platform_exit();
		return -ENODEV;
	}
	return 0;
}

/**
 * tdxu_platform_exit() - undo tdxu_platform_init()
 *
 * Context: may sleep. No other call to this file may be under way or follow.
 */
void tdxu_platform_exit(void)
{
	kfree(info_buffer);
}
