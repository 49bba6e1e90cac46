/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: an attempt's phases, the SEAMCALLs that decided it, its end. Names stand in their
 * formats, all from the tables of tdx_arch.h and tdx_update.h.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM tdx_update

#if !defined(TDX_UPDATE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TDX_UPDATE_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include "tdx_update.h"

/**
 * DOC: Tracepoints and the blackout
 *
 * No tracepoint fires while the CPUs are stopped. The ring buffer would work there, but other
 * users of a tracepoint (BPF, perf, a module) may take locks, wait for other CPUs or take long,
 * with interrupts off everywhere and an install session open. So the blackout records calls and
 * phases in preallocated memory, and tdxu_install() emits the events afterwards, in the recorded
 * order. The time of a phase is @ns, not the event's own. Of each CPU the last TDXU_CALLS_KEPT
 * calls are kept: more than an update makes that succeeds or ends in the recovery image.
 */

/* Have the kernel replace the names of enum values in the formats that user space reads. */
#define TDXU_TRACE_PHASE_ENUM(symbol, name) TRACE_DEFINE_ENUM(TDXU_PHASE_##symbol);
#define TDXU_TRACE_RESULT_ENUM(symbol, name, code, text) TRACE_DEFINE_ENUM(TDXU_##symbol);
TDXU_PHASES(TDXU_TRACE_PHASE_ENUM)
TDXU_RESULTS(TDXU_TRACE_RESULT_ENUM)

/* Each row begins with a comma, so each list needs an entry before its rows. */
#define TDXU_TRACE_PHASE(symbol, name) , { TDXU_PHASE_##symbol, name }
#define TDXU_TRACE_RESULT(symbol, name, code, text) , { TDXU_##symbol, name }
#define TDXU_TRACE_ERRNO(symbol, name, code, text) , { TDXU_##symbol, #code }
#define TDXU_TRACE_VALUE(symbol, name, value) , { value, name }

#define tdxu_trace_phase(phase) \
	__print_symbolic(phase, { -1, "none" } TDXU_PHASES(TDXU_TRACE_PHASE))
#define tdxu_trace_result(result) \
	__print_symbolic(result, { -1, "none" } TDXU_RESULTS(TDXU_TRACE_RESULT))
#define tdxu_trace_errno(result) \
	__print_symbolic(result, { -1, "none" } TDXU_RESULTS(TDXU_TRACE_ERRNO))
#define tdxu_trace_leaf(leaf) \
	__print_symbolic(leaf, { TDXU_NO_LEAF, "none" } TDX_LEAVES(TDXU_TRACE_VALUE))
#define tdxu_trace_status(key) \
	__print_symbolic(key, { TDX_SW_ERROR, "unknown trap" } TDX_SW_STATUSES(TDXU_TRACE_VALUE) \
			 TDX_STATUSES(TDXU_TRACE_VALUE) SEAMLDR_STATUSES(TDXU_TRACE_VALUE))

TRACE_EVENT(phase,
	TP_PROTO(enum tdxu_phase phase, u64 ns),
	TP_ARGS(phase, ns),
	TP_STRUCT__entry(
		__field(u32, phase)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->phase = phase;
		__entry->ns = ns;
	),
	TP_printk("phase=%s ns=%llu", tdxu_trace_phase(__entry->phase), __entry->ns)
);

TRACE_EVENT(seamcall,
	TP_PROTO(const struct tdxu_answer *answer),
	TP_ARGS(answer),
	TP_STRUCT__entry(
		__field(u64, leaf)
		__field(u64, status)
		__field(u64, key)
		__field(u64, rdx)
		__field(int, cpu)
	),
	TP_fast_assign(
		__entry->leaf = answer->leaf;
		__entry->status = answer->status;
		__entry->key = tdxu_status_key(answer->leaf, answer->status);
		__entry->rdx = answer->rdx;
		__entry->cpu = answer->cpu;
	),
	TP_printk("leaf=%s status=%s raw=0x%016llx rdx=0x%llx cpu=%d",
		  tdxu_trace_leaf(__entry->leaf), tdxu_trace_status(__entry->key),
		  __entry->status, __entry->rdx, __entry->cpu)
);

TRACE_EVENT(done,
	TP_PROTO(const struct tdxu_attempt *attempt),
	TP_ARGS(attempt),
	TP_STRUCT__entry(
		__field(u32, result)
		__field(u32, phase)
		__array(char, from, TDXU_VERSION_SIZE)
		__array(char, to, TDXU_VERSION_SIZE)
		__array(char, image, TDXU_NAME_MAX + 1)
		__field(u32, sessions)
		__field(u64, blackout_ns)
		__field(u64, total_ns)
	),
	TP_fast_assign(
		char buf[TDXU_VERSION_SIZE];

		__entry->result = attempt->result;
		__entry->phase = attempt->phase;
		strscpy(__entry->from, tdxu_version_string(&attempt->from, buf),
			TDXU_VERSION_SIZE);
		strscpy(__entry->to, tdxu_version_string(&attempt->to, buf), TDXU_VERSION_SIZE);
		strscpy(__entry->image, attempt->image[0] ? attempt->image : "none",
			TDXU_NAME_MAX + 1);
		__entry->sessions = attempt->sessions;
		__entry->blackout_ns = attempt->blackout_ns;
		__entry->total_ns = attempt->total_ns;
	),
	TP_printk("result=%s errno=%s phase=%s from=%s to=%s sessions=%u blackout_ns=%llu total_ns=%llu image=%s",
		  tdxu_trace_result(__entry->result), tdxu_trace_errno(__entry->result),
		  tdxu_trace_phase(__entry->phase), __entry->from, __entry->to,
		  __entry->sessions, __entry->blackout_ns, __entry->total_ns, __entry->image)
);

#endif /* TDX_UPDATE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
