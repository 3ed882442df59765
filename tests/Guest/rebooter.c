/* Resets its machine, cold and warm in turn, until a key is typed: as often as the services have seen it, and with two cores each time. */
#include "guest.h"

#define UART	((volatile u32 *)0x09000000)
#define BOOTS	((volatile u64 *)0x43000000)	/* no reset touches it */

static volatile u64 runs;

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	for (runs = 1; ; )
		call(hvc_0, ECHO, 0, 0, 0);
}

int main(void)
{
	u64 boots = ++BOOTS[0];
	u64 seen = call(smc_0, BOOT, 0, 0, 0);

	find_cores();
	BOOTS[1] += seen != boots;
	BOOTS[2] += call(hvc_0, CPU_ON, mpidr_of[1], (u64)core_entry, 0) != 0;
	while (!runs)
		;
	if (boots == 1)
		print("reboots\n");
	if (UART[6] & 0x10)
		call(smc_0, boots & 1 ? SYSTEM_RESET : SYSTEM_RESET2, 0, 0, 0);
	fact("rebooted", boots > 1);
	number("resets that services saw otherwise", BOOTS[1]);
	number("starts refused", BOOTS[2]);
	off();
}
