/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rendezvous of src/install.c, with the firmware answering whatever it may: does every LP get out, does
 * each call SEAMLDR.INSTALL once a session, and does no one leave while a session is open?
 *
 * Promela and not CBMC: what may go wrong is the order of several CPUs' steps, which spin goes through
 * completely; the C code between two steps is straight. Names are those of install.c. Memory order is not
 * modelled: every word has one writer and is written by tell() after, and read by hear() before, what it
 * is about.
 *
 * N LPs. PASSES_MAX and SESSIONS_MAX are smaller than in the code, which only makes loops shorter.
 * MUTANT breaks the rendezvous in one of the ways that the properties must notice; 0 is the code.
 */
#ifndef N
#define N 3
#endif
#ifndef MUTANT
#define MUTANT 0
#endif
#define PASSES_MAX	2
#define SESSIONS_MAX	2

mtype = { SUCCESS, UNCOUNTED, TRANSIENT, RECOVERABLE, UNRECOVERABLE, BAD };

byte turn[N];
byte reports[N];
mtype answer[N] = SUCCESS;
byte passed;
byte init_rounds;
bool over;

/* P-SEAMLDR. */
bool has_called[N];
byte calls;			/* LPs that have called in the open session; 0: none is open */
bool refused_too_often;		/* it would not let the session be closed */

/* How many have got out. */
byte gone;

/* SEAMLDR.INSTALL by LP i. A refusal, a trap, VMfailInvalid for too long: the call does not count. */
inline install(i)
{
	atomic {
		assert(!has_called[i]);		/* exactly once a session */
		if
		:: answer[i] = UNCOUNTED
		:: has_called[i] = true;
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

inline take_turn(i, pass)
{
	if
	:: counted[i] && MUTANT != 1 -> skip
	:: else -> install(i); counted[i] = (answer[i] == SUCCESS)
	fi;
	if
	:: i + 1 < N -> turn[i + 1] = pass
	:: else -> passed = pass
	fi
}

/* The conductor's: whose answer is SEAMLDR.INSTALL's success in this session, has_called() in the code. */
bool counted[N];

inline gather()
{
	questions++;
	bad = N;
	j = 0;
	do
	:: j < N ->
		(reports[j] == questions);
		if
		:: bad == N && answer[j] != SUCCESS -> bad = j
		:: else -> skip
		fi;
		j++
	:: else -> break
	od
}

inline run_session()
{
	j = 0;
	do
	:: j < N -> counted[j] = false; j++
	:: else -> break
	od;
	pass_of_session = 1;
	do
	:: 	passes++;
		take_turn(0, passes);
		if
		:: MUTANT == 2 -> skip		/* does not wait for the last LP */
		:: else -> (passed == passes)
		fi;
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
		if
		:: uncounted == 0 -> result = SUCCESS; break
		:: uncounted == 1 && answer[bad] != UNCOUNTED &&
		   (bad == N - 1 || pass_of_session > 1) -> result = answer[bad]; break
		:: else -> skip
		fi;
		/* SEAMLDR.INFO says whether a session is open. */
		if
		:: calls == 0 && MUTANT != 2 && uncounted < N -> assert(false)	/* cannot be: see above */
		:: else -> skip
		fi;
		if
		:: pass_of_session == PASSES_MAX || MUTANT == 3 ->
			refused_too_often = (MUTANT != 3);
			result = UNRECOVERABLE;
			break
		:: else -> pass_of_session++
		fi
	od
}

inline run_image()
{
	sessions = 0;
	do
	::	run_session();
		sessions++;
		if
		:: result == TRANSIENT && sessions < SESSIONS_MAX -> skip
		:: else -> break
		fi
	od;
	if
	:: result == SUCCESS ->
		call_module(0);				/* TDH.SYS.INIT */
		if
		:: answer[0] == SUCCESS ->
			init_rounds++;
			call_module(0);			/* TDH.SYS.LP.INIT */
			reports[0]++;
			gather();
			if
			:: bad < N -> result = RECOVERABLE
			:: else ->
				call_module(0);		/* TDH.SYS.UPDATE */
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

active [N] proctype lp()
{
	byte me = _pid;
	byte my_passes, my_inits, questions, bad, j, k, passes, sessions, pass_of_session, uncounted;
	mtype result = SUCCESS;

	/* quiesce: in VMX operation or not */
	call_module(me);
	reports[me]++;

	if
	:: me == 0 ->
		gather();
		if
		:: bad < N -> skip			/* vmx-off */
		:: bad == N ->
			if
			:: skip				/* TDH.SYS.SHUTDOWN refused */
			:: run_image();
			   if
			   :: result == RECOVERABLE || result == TRANSIENT -> run_image()
			   :: else -> skip
			   fi
			fi
		fi;
		over = true
	:: else ->
		do
		:: over -> break
		:: !over && turn[me] != my_passes -> my_passes++; take_turn(me, my_passes)
		:: !over && turn[me] == my_passes && init_rounds != my_inits ->
			my_inits++;
			call_module(me);
			reports[me]++
		od
	fi;

	/* Out, and interrupts on again. */
	assert(calls == 0 || refused_too_often);
	gone++;
	(gone == N)
}
