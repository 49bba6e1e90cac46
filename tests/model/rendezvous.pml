/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Model of the rendezvous in src/install.c. The firmware may give any answer that it can give. The
 * properties:
 *
 * - Every LP leaves the blackout.
 * - Every LP calls SEAMLDR.INSTALL once a session.
 * - No LP leaves while an install session is open, unless it cannot be closed.
 * - No CPU passes a barrier early.
 * - The CPUs stay until a TDX module runs, or is lost, or nothing is left to try.
 *
 * The order of steps of several CPUs is what can go wrong, and spin explores every order. So the
 * model is in Promela and not in C for CBMC. Between two steps the C code is straightforward. Names
 * are those of install.c. Memory order is not modelled: litmus/ checks it.
 *
 * N is the number of LPs. PASSES_MAX, SESSIONS_MAX and LP_INIT_ROUNDS_MAX are smaller than in the
 * code, which only makes loops shorter. With JOIN another driver has left an install session open.
 * MUTANT breaks the rendezvous in a way that the properties must detect; 0 is the code.
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
bool counted[N];		/* in the code: lp->session is the open session's number */

/* P-SEAMLDR. */
bool has_called[N];
byte calls;			/* LPs that have called in the open session; 0: none is open */
bool session_open;		/* the lead CPU knows of an open session, its own or not */

/* For the properties. */
byte gone;
bool inited[N];
byte runs_made;
/* Chosen freely: SVNs, updates left and the recovery image decide whether an image may follow. */
bool can_follow[RUNS_MAX];

/* The LP that closed a joined session; N: none. In the code @closer, and @closed of the ticket. */
byte closer = N;
bool joining;

/* SEAMLDR.INSTALL by LP i. UNCOUNTED: refused before it counts, a trap, or VMfailInvalid. */
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

/* Mutant 5 sets the flag after the ack, so that the lead CPU may miss it. */
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

/* SEAMLDR.INFO shows which call closed the session. Mutant 6: LPs call after it too. */
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
	/* Mutant 7: the other LPs call even if the lead CPU's call before them did not count. */
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
	:: MUTANT == 2 -> skip		/* no wait */
	:: else -> (acks == expected)
	fi
}

/* Set bad to the first LP whose answer is a failure; N: no LP has failed. */
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
		/* The code reads SEAMLDR.INFO here. After a counted call a session must be open. */
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

/* A round of TDH.SYS.LP.INIT. An LP that succeeded in an earlier round does not call again. */
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
	/* The barrier: @failed is set if and only if an LP has failed. */
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
	/* The CPUs leave only if TDX runs or is lost, or if every allowed image has been tried. */
	assert(result == SUCCESS || result == UNRECOVERABLE || runs_made == RUNS_MAX)
}

active [N] proctype lp()
{
	byte me = _pid;
	byte last_pass, last_state, seen, bad, j, k, passes, sessions, pass_of_session, uncounted, unopened;
	byte expected, step, rounds;
	mtype result = RECOVERABLE;

	/* Some LPs, not all, have called for another driver, which then gave up. */
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

	/* quiesce(): the CPU is in VMX operation, or not. */
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
					/* Nothing to do: wait for a new pass or state. */
					(pass[me] != last_pass || state != last_state)
				fi
			fi
		od
	fi;

	/* The LP leaves the blackout. */
	assert(calls == 0 || session_open);
	gone++;
	(gone == N)
}
