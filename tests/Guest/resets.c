/* Calls from two cores for ever; whoever resets the machine from outside ends it with the fifth boot. */
#include "guest.h"

static void __attribute__((noreturn)) calls(instruction *how)
{
	for (u64 n = 0; ; n++)
		if (call(how, ECHO, n, 0, 0) != n + 1)
			print("A WRONG ANSWER\n");
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	calls(hvc_0);
}

int main(void)
{
	u64 boot = call(smc_0, BOOT, 0, 0, 0);

	number("boot", boot);
	if (boot == 5)
		off();
	number("CPU_ON", call(smc_0, CPU_ON, 1, (u64)core_entry, 0));
	print("calling\n");
	calls(smc_0);
}
