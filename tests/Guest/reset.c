/* Resets: everything loaded is put back, the rest of RAM is as it was unless it is to be overwritten. */
#include "guest.h"

#define SURVIVOR ((volatile u64 *)0x50000000)

static u64 data = 1, zero;
static volatile u64 other_runs;

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	other_runs = 1;
	if (context)
		call(hvc_0, SLOW, 100, 0, 0);
	for (;;)
		;
}

int main(void)
{
	u64 boot = call(smc_0, BOOT, 0, 0, 0);

	number("boot", boot);
	fact("data is as loaded", data == 1 && zero == 0);
	data = zero = 2;
	number("survivor", *SURVIVOR);
	*SURVIVOR = *SURVIVOR + 1;
	number("CPU_ON", call(smc_0, CPU_ON, 1, (u64)core_entry, boot == 2));
	while (!other_runs)
		;
	if (boot < 4)
		call(boot == 1 ? hvc_0 : smc_0, SYSTEM_RESET, 0, 0, 0);
	if (boot == 4)
		call(smc_0, RESET_CLEAR, 0, 0, 0);
	off();
}
