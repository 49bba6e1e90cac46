// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers one SEAMCALL after another, by a table of refusals and a function for the effects of each
 * leaf. The checks of the closing call of SEAMLDR.INSTALL are in rules.c.
 */
#include <string.h>

#include "machine.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#define EVERY_LEAF		(~0ull)		/* every leaf of the TDX module */
#define EVERY_P_LEAF		(~1ull)		/* every leaf of P-SEAMLDR */

#define LEAF_MASK		0xffffull
#define MD_NONE			(~0ull)

static bool is_p_leaf(const struct machine_call *call)
{
	return call->rax & LEAF_P;
}

/* ---- when a call is refused ---- */

static bool bad_address(const struct oracle_machine *machine, const struct machine_call *call)
{
	return !call->address_good;
}

static bool called_before(const struct oracle_machine *machine, const struct machine_call *call)
{
	return machine->has_called[call->lp];
}

static bool unknown_p_leaf(const struct oracle_machine *machine, const struct machine_call *call)
{
	return call->rax != LEAF_INFO && call->rax != LEAF_INSTALL && call->rax != LEAF_SEAMINFO;
}

static bool closed(const struct oracle_machine *machine, const struct machine_call *call)
{
	return !machine->extend.ready;
}

/* None of the leaves called here has a second version. */
static bool version_or_reserved(const struct oracle_machine *machine,
				const struct machine_call *call)
{
	return call->rax & ~LEAF_MASK;
}

static bool shut_down(const struct oracle_machine *machine, const struct machine_call *call)
{
	return machine->state == SYS_SHUTDOWN && call->rax != LEAF_SYS_LP_SHUTDOWN;
}

static bool not_ready(const struct oracle_machine *machine, const struct machine_call *call)
{
	static const uint64_t always[] = {
		LEAF_SYS_INIT, LEAF_SYS_RD, LEAF_SYS_LP_INIT, LEAF_SYS_LP_SHUTDOWN,
		LEAF_SYS_UPDATE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(always); i++)
		if (call->rax == always[i])
			return false;
	return machine->state != SYS_READY;
}

static bool unknown_leaf(const struct oracle_machine *machine, const struct machine_call *call)
{
	switch (call->rax) {
	case LEAF_SYS_SHUTDOWN:
	case LEAF_SYS_UPDATE:
		return !(machine->module.features0 & F0_TD_PRESERVING);
	case LEAF_SYS_INIT:
	case LEAF_SYS_RD:
	case LEAF_SYS_LP_INIT:
	case LEAF_SYS_LP_SHUTDOWN:
		return false;
	default:
		return true;
	}
}

static bool not_pending(const struct oracle_machine *machine, const struct machine_call *call)
{
	return machine->state != SYSINIT_PENDING;
}

static bool reserved_rcx(const struct oracle_machine *machine, const struct machine_call *call)
{
	return call->rcx;
}

/* The sigstruct has handoff versions for which the TDX module was not built. */
static bool other_versions(const struct oracle_machine *machine, const struct machine_call *call)
{
	const struct oracle_module *module = &machine->module;

	return module->hv_max != module->told_hv_max || module->hv_min < module->told_hv_min;
}

static bool not_sysinit_done(const struct oracle_machine *machine, const struct machine_call *call)
{
	return machine->state != SYSINIT_DONE;
}

static bool lp_done(const struct oracle_machine *machine, const struct machine_call *call)
{
	return machine->lp_init[call->lp];
}

static bool lp_not_done(const struct oracle_machine *machine, const struct machine_call *call)
{
	return !machine->lp_init[call->lp];
}

static bool read_field(const struct oracle_machine *machine, uint64_t field, uint64_t *value)
{
	const struct oracle_module *module = &machine->module;

	if (field != MD_FEATURES0 && !(module->features0 & F0_TD_PRESERVING))
		return false;
	switch (field) {
	case MD_FEATURES0:
		*value = module->features0;
		return true;
	case MD_MODULE_HV:
		*value = module->told_hv_max;
		return true;
	case MD_MIN_UPDATE_HV:
		*value = module->told_hv_min;
		return true;
	case MD_NO_DOWNGRADE:
		*value = module->no_downgrade;
		return true;
	case MD_NUM_HANDOFF_PAGES:
		*value = module->handoff_pages;
		return true;
	case MD_HANDOFF_DATA_VALID:
		*value = machine->handoff.valid;
		return true;
	case MD_HANDOFF_DATA_HV:
		*value = machine->handoff.hv;
		return true;
	default:
		return false;
	}
}

static bool unknown_field(const struct oracle_machine *machine, const struct machine_call *call)
{
	uint64_t value;

	return !read_field(machine, call->rdx, &value);
}

/* All of RCX is the version. Only a TDX module that knows bit 16 takes that bit apart. */
static bool bad_version(const struct oracle_machine *machine, const struct machine_call *call)
{
	const struct oracle_module *module = &machine->module;
	uint64_t hv = call->rcx;

	if (module->features0 & F0_UPDATE_COMPAT)
		hv &= ~AVOID_COMPAT_SENSITIVE;
	return hv < module->hv_min || hv > module->hv_max ||
	       (module->no_downgrade && hv != module->hv_max);
}

static bool lps_missing(const struct oracle_machine *machine, const struct machine_call *call)
{
	uint32_t lp;

	for (lp = 0; lp < machine->platform.lps; lp++)
		if (!machine->lp_init[lp])
			return true;
	return false;
}

static bool handoff_invalid(const struct oracle_machine *machine, const struct machine_call *call)
{
	return !machine->handoff.valid || machine->handoff.hv < machine->module.hv_min ||
	       machine->handoff.hv > machine->module.hv_max;
}

static bool handoff_too_large(const struct oracle_machine *machine,
			      const struct machine_call *call)
{
	return machine->handoff.size + 8 > (machine->module.handoff_pages + 1ull) * ORACLE_PAGE;
}

/* The first row whose condition holds answers. */
const struct machine_refusal machine_refusals[] = {
	{ EVERY_P_LEAF, "p-unknown-leaf", "SEAMCALL", unknown_p_leaf, P_EBADPARAM },
	{ LEAF_INFO, "info-address", "SEAMCALL", bad_address, P_EBADPARAM },
	{ LEAF_SEAMINFO, "seaminfo-address", "SEAMCALL", bad_address, P_EBADPARAM },
	{ LEAF_INSTALL, "install-called-before", "SEAMLDR.INSTALL", called_before, P_EBADCALL },

	{ EVERY_LEAF, "closed", "SEAMCALL", closed, VMFAILINVALID },
	{ EVERY_LEAF, "leaf-version", "TDX module leaves", version_or_reserved, M_OPERAND_INVALID },
	{ EVERY_LEAF, "shut-down", "TDX module leaves", shut_down, M_SYS_SHUTDOWN },
	{ EVERY_LEAF, "not-ready", "TDX module leaves", not_ready, M_SYS_NOT_READY },
	{ EVERY_LEAF, "unknown-leaf", "TDX module leaves", unknown_leaf, M_OPERAND_INVALID },
	{ LEAF_SYS_INIT, "init-rcx", "TDX module leaves", reserved_rcx,
	  M_OPERAND_INVALID | OPERAND_RCX },
	{ LEAF_SYS_INIT, "init-not-pending", "TDX module leaves", not_pending,
	  M_SYS_INIT_NOT_PENDING },
	{ LEAF_SYS_INIT, "init-sigstruct", "TDX module leaves", other_versions, M_BAD_SIGSTRUCT },
	{ LEAF_SYS_LP_INIT, "lp-init-not-pending", "TDX module leaves", not_sysinit_done,
	  M_LP_INIT_NOT_PENDING },
	{ LEAF_SYS_LP_INIT, "lp-init-done", "TDX module leaves", lp_done, M_LP_INIT_DONE },
	{ LEAF_SYS_RD, "rd-lp-init-not-done", "Metadata fields", lp_not_done, M_LP_INIT_NOT_DONE },
	{ LEAF_SYS_RD, "rd-unknown-field", "Metadata fields", unknown_field, M_FIELD_ID_INCORRECT },
	{ LEAF_SYS_SHUTDOWN, "shutdown-version", "TDH.SYS.SHUTDOWN", bad_version,
	  M_OPERAND_INVALID | OPERAND_RCX },
	{ LEAF_SYS_UPDATE, "update-state", "TDH.SYS.UPDATE", not_sysinit_done, M_STATE_INCORRECT },
	{ LEAF_SYS_UPDATE, "update-lps-missing", "TDH.SYS.UPDATE", lps_missing, M_STATE_INCORRECT },
	{ LEAF_SYS_UPDATE, "update-handoff", "Handoff data", handoff_invalid, M_INVALID_HANDOFF },
	{ LEAF_SYS_UPDATE, "update-lp-stops", "Handoff data", handoff_too_large, LP_STOPS },
};

const unsigned int machine_nr_refusals = ARRAY_SIZE(machine_refusals);

/* ---- effects of a call that is not refused ---- */

/* How much handoff data a TDX module writes: by default as much as its pages hold. */
static uint64_t handoff_size(const struct oracle_module *module)
{
	return module->handoff_size ? module->handoff_size :
				      (module->handoff_pages + 1ull) * ORACLE_PAGE - 8;
}

static void end_session(struct oracle_machine *machine)
{
	machine->called = 0;
	memset(machine->has_called, 0, sizeof(machine->has_called));
}

static void installed(struct oracle_machine *machine, const struct machine_operand *operand)
{
	const uint8_t *sigstruct = operand->sigstruct;

	machine->extend = (struct oracle_extend){
		.valid = true,
		.svn_minor = sigstruct[948],
		.svn_major = sigstruct[949],
		.mrseam_known = true,
		.ready = true,
	};
	memcpy(machine->extend.mrseam, sigstruct + 900, ORACLE_HASH);
	machine->module = operand->module;
	machine->module.hv_max = oracle_get(sigstruct, 984, 2);
	machine->module.hv_min = oracle_get(sigstruct, 986, 2);
	machine->module.no_downgrade = sigstruct[988];
	machine->module.handoff_pages = oracle_get(sigstruct, 990, 2);
	machine->state = SYSINIT_PENDING;
	memset(machine->lp_init, 0, sizeof(machine->lp_init));
	machine->updates_left--;
	machine->dirty = true;
	if (operand->params.scenario == 0) {
		machine->updates_known = false;
		machine->handoff.valid = false;
	}
}

static void lost(struct oracle_machine *machine)
{
	machine->extend = (struct oracle_extend){ .mrseam_known = true };
	machine->state = NO_MODULE;
	machine->handoff.valid = false;
}

static const struct oracle_rule *close_session(struct oracle_machine *machine,
					       const struct machine_call *call)
{
	static const struct machine_operand no_operand;
	const struct machine_operand *operand = call->operand ? call->operand : &no_operand;
	const struct oracle_installed old = {
		.valid = machine->extend.valid,
		.ready = machine->was_ready,
		.svn_major = machine->extend.svn_major,
		.svn_minor = machine->extend.svn_minor,
		.handoff_pages = machine->module.handoff_pages,
	};
	const struct oracle_install install = {
		.platform = &machine->platform,
		.installed = &old,
		.handoff = machine->handoff,
		.updates_left = machine->updates_left,
		.dirty = machine->dirty,
		.params = operand->params,
		.sigstruct = operand->sigstruct,
		.pages = operand->pages,
	};
	const struct oracle_rule *rule = oracle_first_broken(&install);

	end_session(machine);
	/* LP_STOPS is a rule of TDH.SYS.UPDATE: SEAMLDR.INSTALL succeeds. */
	if (!rule || rule->status == LP_STOPS) {
		installed(machine, operand);
		return NULL;
	}
	if (rule->rdx)
		lost(machine);
	else
		machine->extend.ready = machine->was_ready;
	return rule;
}

static void do_install(struct oracle_machine *machine, const struct machine_call *call,
		       struct machine_answer *answer)
{
	const struct oracle_rule *rule;

	answer->rdx = 0;
	if (!machine->called) {
		machine->was_ready = machine->extend.ready;
		machine->extend.ready = false;
	}
	machine->has_called[call->lp] = true;
	machine->called++;
	if (machine->called < machine->platform.lps)
		return;
	rule = close_session(machine, call);
	if (rule) {
		answer->rax = rule->status;
		answer->rdx = rule->rdx;
		answer->rule = rule->name;
	}
}

static void do_sys_init(struct oracle_machine *machine, const struct machine_call *call,
			struct machine_answer *answer)
{
	machine->state = SYSINIT_DONE;
	answer->rdx = 0;
	answer->r8 = 0;
}

static void do_lp_init(struct oracle_machine *machine, const struct machine_call *call,
		       struct machine_answer *answer)
{
	machine->lp_init[call->lp] = true;
	answer->rdx = 0;
	answer->r8 = 0;
}

static void do_rd(struct oracle_machine *machine, const struct machine_call *call,
		  struct machine_answer *answer)
{
	read_field(machine, call->rdx, &answer->r8);
	/* Unknown: the version if there is no handoff data; a flag that is any number but 0. */
	answer->r8_known = call->rdx == MD_HANDOFF_DATA_HV ? machine->handoff.valid :
							     call->rdx != MD_NO_DOWNGRADE;
	/* RDX is the next field, and firmware has many more fields than the oracle. */
	answer->rdx_known = false;
}

static void do_shutdown(struct oracle_machine *machine, const struct machine_call *call,
			struct machine_answer *answer)
{
	machine->state = SYS_SHUTDOWN;
	machine->handoff = (struct oracle_handoff){
		.valid = true,
		.hv = call->rcx,
		.size = handoff_size(&machine->module),
	};
}

static void do_update(struct oracle_machine *machine, const struct machine_call *call,
		      struct machine_answer *answer)
{
	machine->state = SYS_READY;
	machine->handoff.valid = false;
	machine->handoff.size = 0;
}

static const struct {
	uint64_t leaf;
	void (*act)(struct oracle_machine *machine, const struct machine_call *call,
		    struct machine_answer *answer);
} effects[] = {
	{ LEAF_INSTALL, do_install },
	{ LEAF_SYS_INIT, do_sys_init },
	{ LEAF_SYS_LP_INIT, do_lp_init },
	{ LEAF_SYS_RD, do_rd },
	{ LEAF_SYS_SHUTDOWN, do_shutdown },
	{ LEAF_SYS_UPDATE, do_update },
};

/* Set the outputs of a refusal beyond its status. */
static void refused(struct oracle_machine *machine, const struct machine_call *call,
		    const struct machine_refusal *refusal, struct machine_answer *answer)
{
	if (answer->rax == LP_STOPS)
		machine->stopped = true;
	if (call->rax == LEAF_INSTALL)
		answer->rdx = 0;
	/* Leaves of the TDX module that have outputs set them before they check anything. */
	if (refusal->leaf == LEAF_SYS_RD) {
		answer->rdx = MD_NONE;
		answer->r8 = 0;
	} else if (refusal->leaf == LEAF_SYS_INIT || refusal->leaf == LEAF_SYS_LP_INIT) {
		answer->rdx = 0;
		answer->r8 = 0;
	}
}

/**
 * machine_call() - make one SEAMCALL
 * @machine: changed as firmware would change
 * @call: LP, leaf and operands
 *
 * Return: the registers after the call.
 */
struct machine_answer machine_call(struct oracle_machine *machine, const struct machine_call *call)
{
	struct machine_answer answer = {
		.rdx = call->rdx,
		.r8 = call->r8,
		.rdx_known = true,
		.r8_known = true,
	};
	unsigned int i;

	for (i = 0; i < machine_nr_refusals; i++) {
		if (machine_refusals[i].leaf != call->rax &&
		    machine_refusals[i].leaf != (is_p_leaf(call) ? EVERY_P_LEAF : EVERY_LEAF))
			continue;
		if (!machine_refusals[i].broken(machine, call))
			continue;
		answer.rax = machine_refusals[i].status;
		answer.rule = machine_refusals[i].name;
		refused(machine, call, &machine_refusals[i], &answer);
		return answer;
	}
	for (i = 0; i < ARRAY_SIZE(effects); i++)
		if (effects[i].leaf == call->rax)
			effects[i].act(machine, call, &answer);
	return answer;
}
