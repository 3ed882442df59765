/* The shortest run in which everything takes part: a version, a core that starts with its context and stops again, the machine off. */
#include "guest.h"

#define CONTEXT	0x1234

static volatile u64 context_of_other;

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	context_of_other = context;
	call(hvc_0, CPU_OFF, 0, 0, 0);
	print("CPU_OFF RETURNED\n");
}

int main(void)
{
	find_cores();
	number("cores", cores);
	number("PSCI_VERSION", call(smc_0, PSCI_VERSION, 0, 0, 0));
	number("CPU_ON", call(smc_0, CPU_ON, mpidr_of[1], (u64)core_entry, CONTEXT));
	while (!context_of_other)
		;
	number("the core runs with context", context_of_other);
	while (call(smc_0, AFFINITY_INFO, mpidr_of[1], 0, 0) != 1)
		;
	print("the core is off\n");
	number("CPU_ON of no core", call(smc_0, CPU_ON, 0x40000, (u64)core_entry, 0));
	off();
}
