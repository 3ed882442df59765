/*
 * Event 0 between all pairs of four cores, each to itself too, and then all at once: 10,000 signals, each awaited by the handler's count, so that one that is
 * lost is waited for in vain and one that is doubled is counted. Cores that wait make calls, by one conduit in the first half and the other in the second.
 */
#include "sdei.h"

#define CORES		4
#define SIGNALS		2500
#define PSCI_1_3	0x10003

static struct seen events[CORES];
static volatile u64 ready, order[CORES], target_of[CORES], count_of[CORES], finished[CORES], wrong[CORES];

static void signals(u64 me, u64 target, u64 count)
{
	for (u64 n = 0; n < count; n++) {
		u64 before = events[target].count;

		wrong[me] += call(conduit, EVENT_SIGNAL, 0, mpidr_of[target], 0) != 0;
		while (events[target].count == before)
			wrong[me] += call(conduit, PSCI_VERSION, 0, 0, 0) != PSCI_1_3;
	}
}

static void serve(u64 me)
{
	for (u64 done = 0;; done++) {
		while (order[me] == done)
			;
		signals(me, target_of[me], count_of[me]);
		finished[me] = done + 1;
	}
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	handle(0, &events[context], 0, 0);
	sdei0(PE_UNMASK);
	ready++;
	serve(context);
}

static void start(u64 me, u64 target, u64 count)
{
	target_of[me] = target;
	count_of[me] = count;
	order[me]++;
}

static u64 total(void)
{
	u64 sum = 0;

	for (u64 n = 0; n < CORES; n++)
		sum += events[n].count;
	return sum;
}

/* Nobody signals a core that another one signals: a count tells whose signal it was. */
static void round(u64 distance, u64 count)
{
	u64 before[CORES];

	for (u64 n = 0; n < CORES; n++)
		before[n] = events[n].count;
	for (u64 n = 1; n < CORES; n++)
		start(n, (n + distance) % CORES, count);
	signals(0, distance % CORES, count);
	for (u64 n = 1; n < CORES; n++)
		await(&finished[n], order[n]);
	for (u64 n = 0; n < CORES; n++)
		if (events[n].count != before[n] + count)
			number("WRONG COUNT AT CORE", n);
}

static void pairs(void)
{
	for (u64 from = 0; from < CORES; from++)
		for (u64 to = 0; to < CORES; to++) {
			u64 before = total(), there = events[to].count;

			if (from) {
				start(from, to, 1);
				await(&finished[from], order[from]);
			} else {
				signals(0, to, 1);
			}
			if (total() != before + 1 || events[to].count != there + 1)
				number("WRONG PAIR", from << 4 | to);
		}
}

int main(void)
{
	use_smc();
	find_cores();
	handle(0, &events[0], 0, 0);
	sdei0(PE_UNMASK);
	for (u64 n = 1; n < CORES; n++) {
		call(conduit, CPU_ON, mpidr_of[n], (u64)core_entry, n);
		await(&ready, n);
	}
	pairs();
	number("after all pairs", total());
	round(1, SIGNALS / 2);
#ifndef SMC_ONLY
	conduit = hvc_0;
#endif
	round(3, SIGNALS / 4);
	round(0, SIGNALS / 4);
	number("after the storm", total());
	number("wrong", wrong[0] + wrong[1] + wrong[2] + wrong[3]);
	off();
}
