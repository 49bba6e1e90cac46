/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rendezvous of src/install.c, with a firmware that answers anything it may. The properties:
 * every LP gets out; each calls SEAMLDR.INSTALL once a session; no LP leaves while a session is
 * open; no CPU passes a barrier early; the CPUs stay until a TDX module runs or nothing is left to
 * try.
 *
 * Promela and not CBMC, because the order of several CPUs' steps is what can go wrong and spin
 * explores every order. The C code between two steps is straight. Names are those of install.c.
 * Memory order is not modelled: litmus/ checks that.
 *
 * N LPs. PASSES_MAX, SESSIONS_MAX and LP_INIT_ROUNDS_MAX are smaller than in the code, which only
 * makes loops shorter. JOIN begins with an install session that another driver left open. MUTANT
 * breaks the rendezvous in one of the ways that the properties must notice; 0 is the code.
 */
#ifndef N
#define N 3
#endif
#ifndef MUTANT
#define MUTANT 0
#endif
#ifndef JOIN
#define JOIN 0
#endif
#ifndef RUNS_MAX
#define RUNS_MAX	3
#endif
#define PASSES_MAX	2
#define SESSIONS_MAX	2
#define LP_INIT_ROUNDS_MAX	2

mtype = { SUCCESS, UNCOUNTED, CALLED, TRANSIENT, RECOVERABLE, UNRECOVERABLE, BAD };

#define DONE		255

/* Shared, as in struct blackout and struct lp. */
byte state;
byte acks;
bool failed;
byte pass[N];
mtype answer[N] = SUCCESS;
bool counted[N];		/* in the code: the LP's session number is the open session's */

/* P-SEAMLDR. */
bool has_called[N];
byte calls;			/* LPs that have called in the open session; 0: none is open */
bool session_open;		/* what the lead CPU believes; with others' sessions, too */

/* For the properties. */
byte gone;
bool inited[N];
byte runs_made;
/* Chosen freely: SVNs, updates left, whether there is a recovery image. */
bool can_follow[RUNS_MAX];

/* The LP that closed a joined session; N: none has. In the code the ticket has it. */
byte closer = N;
bool joining;

/* SEAMLDR.INSTALL by LP i. A refusal, a trap or a long VMfailInvalid: the call does not count. */
inline install(i)
{
	atomic {
		assert(joining || !has_called[i]);	/* exactly once a session */
		if
		:: answer[i] = UNCOUNTED
		:: has_called[i] -> answer[i] = CALLED
		:: !has_called[i] ->
		   has_called[i] = true;
		   calls++;
		   if
		   :: calls < N -> answer[i] = SUCCESS
		   :: else ->
			calls = 0;
			k = 0;
			do
			:: k < N -> has_called[k] = false; k++
			:: else -> break
			od;
			k = 0;
			if
			:: answer[i] = SUCCESS
			:: answer[i] = TRANSIENT
			:: answer[i] = RECOVERABLE
			:: answer[i] = UNRECOVERABLE
			fi
		   fi
		fi
	}
}

/* A leaf of the TDX module. */
inline call_module(i)
{
	if
	:: answer[i] = SUCCESS
	:: answer[i] = BAD
	fi
}

/* Mutant 5: the flag is set after the ack, so the lead CPU may miss it. */
inline ack(i)
{
	if
	:: answer[i] != SUCCESS && MUTANT != 5 -> failed = true
	:: else -> skip
	fi;
	acks++;
	if
	:: answer[i] != SUCCESS && MUTANT == 5 -> failed = true
	:: else -> skip
	fi
}

/* SEAMLDR.INFO tells the closing call. Mutant 6: LPs call after it, too. */
inline join_session(i)
{
	install(i);
	if
	:: answer[i] != UNCOUNTED && answer[i] != CALLED && (answer[i] != SUCCESS || calls == 0) ->
		closer = i
	:: else -> skip
	fi
}

inline use_ticket(i, number)
{
	if
	:: joining && closer < N && MUTANT != 6 -> skip
	:: joining && (closer == N || MUTANT == 6) -> join_session(i)
	:: !joining && counted[i] && MUTANT != 1 -> skip
	:: !joining && (!counted[i] || MUTANT == 1) ->
		install(i);
		if
		:: answer[i] == SUCCESS -> counted[i] = true
		:: else -> failed = true
		fi
	fi;
	/* Mutant 7: LPs call without the lead CPU, in a session that it believes is not open. */
	if
	:: i + 1 < N && (i > 0 || joining || answer[0] != UNCOUNTED || MUTANT == 7) ->
		pass[i + 1] = number
	:: else -> acks++
	fi
}

inline wait_for_acks(num)
{
	expected = expected + num;
	if
	:: MUTANT == 2 -> skip		/* does not wait */
	:: else -> (acks == expected)
	fi
}

/* The first LP with a bad answer. */
inline find_failed()
{
	atomic {
		bad = N;
		j = 0;
		do
		:: j < N ->
			if
			:: bad == N && answer[j] != SUCCESS -> bad = j
			:: else -> skip
			fi;
			j++
		:: else -> break
		od;
		j = 0
	}
}

inline run_session()
{
	atomic {
		j = 0;
		do
		:: j < N -> counted[j] = false; j++
		:: else -> break
		od;
		j = 0
	}
	pass_of_session = 1;
	unopened = 0;
	if
	:: session_open ->
		joining = true;
		closer = N;
		passes++;
		failed = false;
		use_ticket(0, passes);
		wait_for_acks(1);
		joining = false;
		session_open = (closer == N);
		if
		:: session_open -> result = RECOVERABLE
		:: else -> result = answer[closer]
		fi
	:: else -> skip
	fi;
	do
	:: pass_of_session == 1 && (session_open || closer < N) -> closer = N; break
	:: else ->
		passes++;
		failed = false;
		use_ticket(0, passes);
		wait_for_acks(1);
		atomic {
			bad = N;
			uncounted = 0;
			j = 0;
			do
			:: j < N ->
				if
				:: !counted[j] ->
					uncounted++;
					if
					:: bad == N -> bad = j
					:: else -> skip
					fi
				:: else -> skip
				fi;
				j++
			:: else -> break
			od;
			j = 0
		}
		assert(MUTANT == 2 || failed == (uncounted > 0));
		if
		:: uncounted == 0 -> result = SUCCESS; break
		:: uncounted == 1 && answer[bad] != UNCOUNTED &&
		   (bad == N - 1 || pass_of_session > 1) -> result = answer[bad]; break
		:: else -> skip
		fi;
		/* SEAMLDR.INFO says whether a session is open. It cannot be closed: see above. */
		if
		:: calls == 0 && MUTANT != 2 && uncounted < N -> assert(false)
		:: else -> skip
		fi;
		if
		:: !counted[0] && answer[0] == UNCOUNTED && unopened + 1 == PASSES_MAX ->
			result = RECOVERABLE;
			break
		:: !counted[0] && answer[0] == UNCOUNTED && unopened + 1 < PASSES_MAX -> unopened++
		:: (counted[0] || answer[0] != UNCOUNTED) &&
		   (pass_of_session == PASSES_MAX || MUTANT == 3) ->
			session_open = (MUTANT != 3);
			result = RECOVERABLE;
			break
		:: else -> pass_of_session++
		fi
	od
}

/* A round of TDH.SYS.LP.INIT. LPs that did it in an earlier round do not call again. */
inline init_lp(i)
{
	if
	:: inited[i] -> skip
	:: else ->
		call_module(i);
		inited[i] = (answer[i] == SUCCESS)
	fi
}

inline init_lps()
{
	failed = false;
	step++;
	state = step;
	init_lp(0);
	if
	:: answer[0] != SUCCESS -> failed = true
	:: else -> skip
	fi;
	wait_for_acks(N - 1);
	/* The barrier: what the flag says is so on every LP. */
	atomic {
		find_failed();
		assert(failed == (bad < N));
		j = 0;
		do
		:: j < N -> assert(failed || inited[j]); j++
		:: else -> break
		od;
		j = 0
	}
}

inline call_twice()
{
	call_module(0);
	if
	:: answer[0] != SUCCESS -> call_module(0)
	:: else -> skip
	fi
}

inline run_image()
{
	sessions = 0;
	do
	::	run_session();
		sessions++;
		if
		:: result == TRANSIENT && !session_open && sessions < SESSIONS_MAX -> skip
		:: else -> break
		fi
	od;
	if
	:: result == SUCCESS ->
		call_twice();				/* TDH.SYS.INIT */
		if
		:: answer[0] == SUCCESS ->
			atomic {
				j = 0;
				do
				:: j < N -> inited[j] = false; j++
				:: else -> break
				od;
				j = 0
			}
			rounds = 0;
			do
			::	init_lps();
				rounds++;
				if
				:: failed && rounds < LP_INIT_ROUNDS_MAX -> skip
				:: else -> break
				fi
			od;
			if
			:: failed -> result = RECOVERABLE
			:: else ->
				call_twice();		/* TDH.SYS.UPDATE */
				if
				:: answer[0] == SUCCESS -> result = SUCCESS
				:: else -> result = RECOVERABLE
				fi
			fi
		:: else -> result = RECOVERABLE
		fi
	:: else -> skip
	fi
}

inline run_images()
{
	do
	:: runs_made < RUNS_MAX ->
		if
		:: can_follow[runs_made] = true;
		   run_image();
		   runs_made++;
		   if
		   :: result == RECOVERABLE || result == TRANSIENT -> skip
		   :: else -> break
		   fi;
		   if
		   :: MUTANT == 4 -> break	/* gives up after the first image */
		   :: else -> skip
		   fi
		:: runs_made++
		fi
	:: else -> break
	od;
	/* The CPUs go only when TDX runs, is lost, or every image that may follow was tried. */
	assert(result == SUCCESS || result == UNRECOVERABLE || runs_made == RUNS_MAX)
}

active [N] proctype lp()
{
	byte me = _pid;
	byte last_pass, last_state, seen, bad, j, k, passes, sessions, pass_of_session, uncounted, unopened;
	byte expected, step, rounds;
	mtype result = RECOVERABLE;

	/* Another driver's LPs have called, some of them, and it went. */
	if
	:: JOIN && me == 0 ->
		atomic {
			j = 0;
			do
			:: j < N && calls + 1 < N -> has_called[j] = true; calls++; j++
			:: j < N -> j++
			:: else -> break
			od;
			j = 0;
			session_open = true
		}
	:: else -> skip
	fi;

	/* quiesce: in VMX operation or not */
	call_module(me);
	if
	:: me == 0 ->
		if
		:: answer[0] != SUCCESS -> failed = true
		:: else -> skip
		fi;
		wait_for_acks(N - 1);
		if
		:: failed ->				/* vmx-off */
			find_failed();
			assert(bad < N)
		:: else ->
			find_failed();
			assert(MUTANT == 2 || bad == N);
			if
			:: skip				/* TDH.SYS.SHUTDOWN refused */
			:: run_images()
			fi
		fi;
		state = DONE
	:: else ->
		ack(me);
		do
		::	seen = state;
			if
			:: pass[me] != last_pass -> last_pass = pass[me]; use_ticket(me, last_pass)
			:: else ->
				if
				:: seen == DONE -> break
				:: seen != last_state && seen != DONE ->
					last_state = seen;
					init_lp(me);
					ack(me)
				:: else ->
					/* Nothing to do: until one of the two words changes. */
					(pass[me] != last_pass || state != last_state)
				fi
			fi
		od
	fi;

	/* Out, and interrupts on again. */
	assert(calls == 0 || session_open);
	gone++;
	(gone == N)
}
