/* Attention at an AArch32 guest: into masked loops of both instruction sets, out of WFI, under HVC, at another core. */
#include "guest.h"

u32 it_storm(volatile u32 *until);

static volatile u32 handled[2], other_runs, other_stop, awaited;

void handler(u32 event)
{
	u32 core = this_core();

	handled[core]++;
	if (core == 0 && handled[0] == awaited)
		other_stop = 1;
}

void core_main(u32 context, u32 cpsr, u32 sctlr, u32 thumb)
{
	call(t32_smc_0, HANDLER, (u32)handler_entry, 0, 0);
	other_runs = 1;
	while (!other_stop)
		;
	call(a32_smc_0, CPU_OFF, 0, 0, 0);
}

int main(void)
{
	u32 errors = 0, calls = 0, storms = 0, from;

	call(a32_smc_0, HANDLER, (u32)handler_entry, 0, 0);
	call(a32_smc_0, ATTEND, 0, 20000, 0);
	while (!handled[0])
		;
	fact("into a loop with everything masked", handled[0] == 1);
	call(a32_smc_0, ATTEND, 0, 20000, 0);
	while (handled[0] == 1)
		asm volatile("wfi" ::: "memory");
	fact("out of WFI", handled[0] == 2);

	awaited = handled[0] + 300;
	call(a32_smc_0, STORM, 0, 300, 0);
	fact("a storm of 300 into IT blocks", it_storm(&other_stop) == 0 && handled[0] == awaited);
	other_stop = 0;

	from = handled[0];
	do {	/* one after another may leave the calls no time: as often as it takes to have both */
		storms++;
		call(a32_smc_0, STORM, 0, 1000, 0);
		while (handled[0] < from + storms * 1000) {
			errors += hvc_storm(SEVEN, 100);
			calls += 100;
		}
	} while (calls < 1000);
	fact("a storm of 1000 under HVC", handled[0] == from + storms * 1000);
	fact("and each HVC has its answer", errors == 0);

	call(a32_smc_0, CPU_ON, 1, (u32)core_entry_thumb, 0);
	while (!other_runs)
		;
	call(a32_smc_0, STORM, 1, 300, 0);
	while (handled[1] < 300)
		;
	fact("a storm of 300 at another core", handled[1] == 300);
	other_stop = 1;
	while (call(a32_smc_0, AFFINITY_INFO, 1, 0, 0) != 1)
		;
	off();
}
