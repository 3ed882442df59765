/* Every core runs once, whatever its affinity; attention finds the last one. */
#include "guest.h"

static volatile u64 ran, handled, stop;

void handler(u64 event)
{
	handled = this_core();
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	if (context == this_core())
		ran++;
	if (context == mpidr_of[cores - 1]) {
		call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
		call(smc_0, ATTEND, context, 20000, 0);
		while (!stop)
			;
	}
	call(hvc_0, CPU_OFF, 0, 0, 0);
}

int main(void)
{
	u64 n = 0;

	find_cores();
	number("cores", cores);
	for (n = 1; n < cores; n++) {
		u64 before = ran;

		call(smc_0, CPU_ON, mpidr_of[n], (u64)core_entry, mpidr_of[n]);
		while (ran == before)
			;
	}
	fact("all ran", ran == cores - 1);
	while (!handled)
		;
	fact("attention at the last", handled == mpidr_of[cores - 1]);
	stop = 1;
	print("done\n");
	for (;;)
		asm volatile("wfi");
}
