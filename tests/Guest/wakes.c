/* A token goes round all cores 1,000 times; each sleeps until the SGI that brings it, now shallow, now deep, while attention storms at all of them. */
#include "guest.h"

#define ROUNDS	1000
#define STORMS	1000
#define SGI	5

static volatile u64 token[16], handled[16], sleeps[16], wrong, done;

void handler(u64 event)
{
	handled[number_of(this_core())]++;
}

static void await_token(u64 me, u64 round)
{
	u64 intid;

	do {
		u64 result = round & 1 ? call(smc_0, CPU_SUSPEND, 0, 0, 0) : deep_sleep(CPU_SUSPEND, 1 << 16);

		sleeps[me]++;
		wrong += result != !(round & 1);
		intid = acknowledge();
	} while (intid == NONE);
	wrong += intid != SGI || token[me] != round;
}

static void pass_token(u64 me, u64 round)
{
	u64 next = (me + 1) % cores;

	token[next] = round;
	send_sgi(next, SGI);
}

static void begin(u64 me)
{
	interrupts_on(me);
	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
	call(smc_0, STORM, mpidr_of[me], STORMS, 0);
}

static void end(u64 me)
{
	while (handled[me] < STORMS)
		;
}

void core_main(u64 me, u64 daif, u64 sctlr)
{
	begin(me);
	for (u64 round = 1; round <= ROUNDS; round++) {
		await_token(me, round);
		pass_token(me, round);
	}
	end(me);
	call(smc_0, CPU_OFF, 0, 0, 0);
}

int main(void)
{
	u64 all = 0;

	find_cores();
	begin(0);
	for (u64 n = 1; n < cores; n++)
		call(smc_0, CPU_ON, mpidr_of[n], (u64)core_entry, n);
	for (u64 round = 1; round <= ROUNDS; round++) {
		pass_token(0, round);
		await_token(0, round);
	}
	end(0);
	for (u64 n = 1; n < cores; n++)
		while (call(smc_0, AFFINITY_INFO, mpidr_of[n], 0, 0) != 1)
			;
	for (u64 n = 0; n < cores; n++)
		all += sleeps[n];
	number("wrong", wrong);
	number("sleeps", all);
	off();
}
