/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rendezvous of src/install.c, with the firmware answering whatever it may: does every LP get out, does
 * each call SEAMLDR.INSTALL once a session, does no one leave while a session is open, and is a barrier one?
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
#ifndef FAN_OUT
#define FAN_OUT 2		/* so that 4 LPs make a tree with a level between */
#endif
#define PASSES_MAX	2
#define SESSIONS_MAX	2

mtype = { SUCCESS, UNCOUNTED, TRANSIENT, RECOVERABLE, UNRECOVERABLE, BAD };

#define OVER		255

byte turn[N];
bool baton_failed[N];		/* what comes with the turn; [0] is what the last LP tells the conductor */
byte order[N];
byte reports[N];
bool reported_bad[N];
mtype answer[N] = SUCCESS;
byte passed;

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
	:: i + 1 < N ->
		atomic {
			baton_failed[i + 1] = (i > 0 && baton_failed[i]) || answer[i] != SUCCESS;
			turn[i + 1] = pass
		}
	:: else ->
		atomic {
			any_failed = (i > 0 && baton_failed[i]) || answer[i] != SUCCESS;
			passed = pass
		}
	fi
}

/* Whose call counts in this session: the LP's session number is the open one's, in the code. */
bool counted[N];
bool any_failed;

/* LP i has answered its question, and all below it have. */
inline report(i)
{
	my_bad = (answer[i] != SUCCESS);
	c = i * FAN_OUT + 1;
	do
	:: c < N && c <= i * FAN_OUT + FAN_OUT ->
		(MUTANT == 4 || reports[c] == reports[i] + 1);
		my_bad = my_bad || reported_bad[c];
		c++
	:: else -> break
	od;
	atomic {
		reported_bad[i] = my_bad;
		reports[i]++
	}
}

/* The first LP with a bad answer, looked for only where one has been reported. */
inline find_failed()
{
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
		/* What the baton says is so. */
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
		assert(MUTANT == 2 || any_failed == (uncounted > 0));
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

/* The barrier: what is reported to the conductor all LPs have done, and well. */
bool inited[N];

inline begin_round()
{
	atomic {
		j = 0;
		do
		:: j < N -> inited[j] = false; j++
		:: else -> break
		od;
		j = 0
	}
}

inline all_inited()
{
	atomic {
		j = 0;
		do
		:: j < N -> assert(inited[j] && answer[j] == SUCCESS); j++
		:: else -> break
		od;
		j = 0
	}
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
			my_inits++;
			begin_round();
			order[0] = my_inits;
			call_module(0);			/* TDH.SYS.LP.INIT */
			inited[0] = true;
			report(0);
			if
			:: reported_bad[0] ->
				find_failed();
				assert(bad < N);
				result = RECOVERABLE
			:: else ->
				all_inited();
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
	byte my_passes, my_inits, bad, c, j, k, passes, sessions, pass_of_session, uncounted;
	bool my_bad;
	mtype result = SUCCESS;

	/* quiesce: in VMX operation or not */
	call_module(me);
	inited[me] = true;
	report(me);

	if
	:: me == 0 ->
		if
		:: reported_bad[0] ->			/* vmx-off */
			find_failed();
			assert(bad < N)
		:: else ->
			all_inited();
			if
			:: skip				/* TDH.SYS.SHUTDOWN refused */
			:: run_image();
			   if
			   :: result == RECOVERABLE || result == TRANSIENT -> run_image()
			   :: else -> skip
			   fi
			fi
		fi;
		order[0] = OVER
	:: else ->
		do
		:: turn[me] != my_passes -> my_passes++; take_turn(me, my_passes)
		:: turn[me] == my_passes && order[(me - 1) / FAN_OUT] == OVER -> break
		:: turn[me] == my_passes && order[(me - 1) / FAN_OUT] != my_inits &&
		   order[(me - 1) / FAN_OUT] != OVER ->
			my_inits++;
			order[me] = my_inits;
			call_module(me);
			inited[me] = true;
			report(me)
		od;
		order[me] = OVER
	fi;

	/* Out, and interrupts on again. */
	assert(calls == 0 || refused_too_often);
	gone++;
	(gone == N)
}
