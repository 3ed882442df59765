/* Attention: into a loop with everything masked, out of WFI, in the middle of a call, out of standby, and storms. */
#include "guest.h"

static volatile u64 handled[2], other_runs, other_stop;

void handler(u64 event)
{
	handled[this_core()]++;
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
	other_runs = 1;
	while (!other_stop)
		;
	call(smc_0, CPU_OFF, 0, 0, 0);
}

static void await(u64 core, u64 count)
{
	while (handled[core] < count)
		;
}

static void storm(const char *name, u64 core, u64 count)
{
	u64 from = handled[core];

	call(smc_0, STORM, core, count, 0);
	await(core, from + count);
	fact(name, handled[core] == from + count);
}

int main(void)
{
	u64 errors = 0, calls = 0, storms = 0, from;

	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);

	call(smc_0, ATTEND, 0, 20000, 0);
	await(0, 1);
	fact("into a loop with DAIF masked", handled[0] == 1);

	call(smc_0, ATTEND, 0, 20000, 0);
	while (handled[0] == 1)
		asm volatile("wfi" ::: "memory");
	fact("out of WFI", handled[0] == 2);

	number("before the next instruction, a call gives", call(smc_0, ATTEND_HERE, 0, 0, 0));
	fact("and the handler has run", handled[0] == 3);

	number("wanted during a call, it gives", call(hvc_0, SLOW_ATTEND, 20, 0, 0));
	fact("and the handler has run", handled[0] == 4);

	call(smc_0, ATTEND, 0, 50000, 0);
	number("out of standby, which gives", call(smc_0, CPU_SUSPEND, 0, 0, 0));
	fact("and the handler has run", handled[0] == 5);

	storm("a storm of 500 into a loop", 0, 500);

	from = handled[0];
	do {	/* one after another may leave the calls no time: as often as it takes to have both */
		storms++;
		call(smc_0, STORM, 0, 2500, 0);
		while (handled[0] < from + storms * 2500) {
			errors += hvc_storm(SEVEN, 100);
			calls += 100;
		}
	} while (calls < 1000);
	fact("a storm of 2500 under HVC", handled[0] == from + storms * 2500);
	fact("and each HVC has its answer", errors == 0);

	call(smc_0, CPU_ON, 1, (u64)core_entry, 0);
	while (!other_runs)
		;
	storm("a storm of 500 at another core", 1, 500);
	from = handled[0];
	u64 from_other = handled[1];
	call(smc_0, STORM, 0, 500, 0);
	call(smc_0, STORM, 1, 500, 0);
	await(0, from + 500);
	await(1, from_other + 500);
	fact("two storms at once", handled[0] == from + 500 && handled[1] == from_other + 500);

	from = handled[1];
	call(smc_0, WITHDRAWN, 1, 300, 0);
	await(1, from + 1);
	fact("withdrawn 300 times, then wanted", handled[1] == from + 1);

	from = handled[0];
	call(smc_0, DEAF, 3, 0, 0);
	call(smc_0, ATTEND, 0, 0, 0);
	for (calls = 0; handled[0] == from; calls++)
		errors += call(smc_0, SEVEN, 0, 0, 0) != 7;
	fact("the guest goes on while nobody answers, and then it comes", handled[0] == from + 1 && calls > 3 && !errors);

	other_stop = 1;
	while (call(smc_0, AFFINITY_INFO, 1, 0, 0) != 1)
		;
	call(smc_0, ATTEND, 1, 0, 0);
	number("attention at a core that is off disturbs nobody", call(smc_0, SLOW, 50, 0, 0));
	off();
}
