/* Two cores that nothing wakes, and others that are off with an interrupt pending: whoever resets the machine from outside ends it with the fifth boot. */
#include "guest.h"

static volatile u64 sleeping;

void core_main(u64 boot, u64 daif, u64 sctlr)
{
	u64 from = counter();

	if (!boot) {
		interrupts_on(number_of(this_core()));
		call(smc_0, CPU_OFF, 0, 0, 0);
	}
	sleeping = 1;
	if (boot < 5)
		deep_sleep(CPU_SUSPEND, (boot & 1) << 16);
	while (microseconds(counter() - from) < 50000)
		;
	off();		/* while the other one sleeps */
}

int main(void)
{
	u64 boot = call(smc_0, BOOT, 0, 0, 0);

	find_cores();
	for (u64 n = 2; n < cores; n++) {
		call(smc_0, CPU_ON, mpidr_of[n], (u64)core_entry, 0);
		while (call(smc_0, AFFINITY_INFO, mpidr_of[n], 0, 0) != 1)
			;
		send_sgi(n, 1);
	}
	call(smc_0, CPU_ON, mpidr_of[1], (u64)core_entry, boot);
	while (!sleeping)
		;
	number("boot", boot);
	for (;;) {
		deep_sleep(CPU_SUSPEND, (boot >> 1 & 1) << 16);
		print("WOKEN\n");
	}
}
