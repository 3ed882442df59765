/*
 * How long an event takes to its handler: from an operator to core 0, then from core 0 to core 1. The core that it is for spins, or sleeps with -DASLEEP.
 * All is told in x1 to x5 of PSCI_VERSION, which takes no arguments, for a host that watches: the counter at this call, the counter when the call before
 * was back, what happened, and two values.
 */
#include "sdei.h"

#ifndef RAISES
#define RAISES 3
#define SIGNALS 3
#endif

#define RAISED		0x40000001
#define SIGNALLED	0
#define HANDLED_AT	328	/* in struct event, for the code below */
#define STACK_WORDS	512
#define COUNTS		2000

enum what { COUNTED, READY, REFUSED, HANDLED, HANDLED_ELSEWHERE };

struct event {
	struct seen seen;
	volatile u64 at;	/* the counter at the handler's first instruction */
	u64 stack[STACK_WORDS] __attribute__((aligned(16)));
};
_Static_assert(__builtin_offsetof(struct event, at) == HANDLED_AT, "at");

void first(struct seen *), nap(void), asleep(void);
#define TEXT(value) TEXT_OF(value)
#define TEXT_OF(value) #value
asm(".balign 4\n"
    "first: mrs x4, cntvct_el0\n"
    "       str x4, [x1, #" TEXT(HANDLED_AT) "]\n"
    "       b event_entry_smc\n"
    "nap:   wfi\n"
    "asleep: ret\n");

static struct event raised, signalled;
static volatile u64 is_up, answered;
static volatile long refused;
static u64 returned;

static void tell(enum what what, u64 a, u64 b)
{
	sdei(PSCI_VERSION, counter(), returned, what, a, b);
	returned = counter();
}

static void check(long refused)
{
	if (refused) {
		tell(REFUSED, refused, 0);
		off();
	}
}

static long take(u64 number, struct event *event)
{
	event->seen.stack = (u64)(event->stack + STACK_WORDS);
	return sdei(EVENT_REGISTER, number, (u64)first, (u64)event, 0, 0) | sdei1(EVENT_ENABLE, number) | sdei0(PE_UNMASK);
}

/* WFI looks at interrupts, not at counts: one is left for it, so that a handler that runs just before it ends it all the same. */
u64 on_event(struct seen *seen)
{
	seen->count++;
#ifdef ASLEEP
	send_sgi(number_of(this_core()), 1);
#endif
	return 0;
}

static void sleep_until(volatile u64 *count, u64 value)
{
	while (*count < value) {
		nap();
		acknowledge();
	}
}

/* Until the handler has run so often. */
static void wait(struct event *event, u64 count)
{
#ifdef ASLEEP
	sleep_until(&event->seen.count, count);
#else
	await(&event->seen.count, count);
#endif
}

/* Whether the handler found its core as it is meant to. */
static enum what handled(struct event *event)
{
#ifdef ASLEEP
	return event->seen.x[2] == (u64)asleep ? HANDLED : HANDLED_ELSEWHERE;
#else
	return HANDLED;
#endif
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	interrupts_on(1);
	refused = take(SIGNALLED, &signalled);
	is_up = 1;
	send_sgi(0, 1);
	for (u64 n = 1;; n++) {
		wait(&signalled, n);
		answered = n;
		send_sgi(0, 1);
	}
}

/* So that nothing of before is still under way. */
static void pause(void)
{
	timer_in(1000);
	do
		nap();
	while (acknowledge() != TIMER);
}

/* Core 0 sleeps meanwhile: it takes no time from the core that is measured. */
static void signal(u64 count)
{
	u64 before;

	pause();
	before = counter();
	check(sdei2(EVENT_SIGNAL, SIGNALLED, mpidr_of[1]));
	sleep_until(&answered, count);
	tell(handled(&signalled), before, signalled.at);
}

int main(void)
{
	use_smc();
	find_cores();
	interrupts_on(0);
	check(take(RAISED, &raised));
	for (int n = 0; n < COUNTS; n++)
		tell(COUNTED, 0, 0);
	tell(READY, (u64)asleep, 0);
	for (u64 n = 1; n <= RAISES; n++) {
		wait(&raised, n);
		tell(handled(&raised), 0, raised.at);
	}
	check(call(conduit, CPU_ON, mpidr_of[1], (u64)core_entry, 0));
	sleep_until(&is_up, 1);
	check(refused);
	for (u64 n = 1; n <= SIGNALS; n++)
		signal(n);
	off();
}
