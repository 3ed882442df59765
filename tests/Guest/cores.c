/* Starting and stopping cores, standby and power-down, a slow answer beside quick ones. */
#include "guest.h"

static volatile u64 ran[16], wrong[16], context_of[16], slow_done;

static void woken_at_entry(u64 context, u64 pstate, u64 sctlr)
{
	u64 sp;

	timer_off();
	asm("mrs %0, sp_el0" : "=r"(sp));
	number("power-down wakes at its entry with context", context);
	fact("EL1h, masked, MMU off", pstate == 0x3c5 && mmu_off(sctlr));
	off();
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	u64 n = number_of(this_core());

	if (n == 0)
		woken_at_entry(context, pstate, sctlr);
	wrong[n] += pstate != 0x3c5 || !mmu_off(sctlr);
	context_of[n] = context;
	if (context == 0x510) {
		call(smc_0, SLOW, 3000, 0, 0);
		slow_done = 1;
	}
	ran[n]++;
	asm volatile("msr sctlr_el1, %0; isb" :: "r"(0x30d00800 | 1ul << 12));	/* a core that stops leaves something behind */
	call(hvc_0, CPU_OFF, 0, 0, 0);
	print("CPU_OFF RETURNED\n");
}

static u64 start(u64 n, u64 context)
{
	return call(smc_0, CPU_ON, mpidr_of[n], (u64)core_entry, context);
}

static void await_off(u64 n)
{
	while (call(smc_0, AFFINITY_INFO, mpidr_of[n], 0, 0) != 1)
		;
}

int main(void)
{
	u64 started = 0, right = 0;

	find_cores();
	number("cores", cores);
	for (u64 n = 1; n < cores; n++)
		started += start(n, 0x100 + n) == 0;
	fact("all started", started == cores - 1);
	for (u64 n = 1; n < cores; n++) {
		await_off(n);
		right += ran[n] == 1 && !wrong[n] && context_of[n] == 0x100 + n;
	}
	fact("each ran once, EL1h, masked, MMU off, with its context", right == cores - 1);

	number("CPU_ON of the caller", call(smc_0, CPU_ON, mpidr_of[0], (u64)core_entry, 0));
	number("CPU_ON of no core", call(smc_0, CPU_ON, 0x40000, (u64)core_entry, 0));

	number("a power-on that the host refuses", call(smc_0, FORCE_ON, mpidr_of[0], (u64)core_entry, 0));
	number("and of no core", call(smc_0, FORCE_ON, 0x40000, (u64)core_entry, 0));

	right = 0;
	for (u64 i = 0; i < 50; i++) {
		right += start(1, i) == 0;
		await_off(1);
		right += context_of[1] == i;
	}
	fact("50 times on and off", right == 100 && ran[1] == 51 && !wrong[1]);

	if (cores > 1) {
		start(1, 0x510);
		right = 0;
		for (u64 i = 0; i < 100; i++)
			right += call(hvc_0, ECHO, i, 0, 0) == i + 1;
		fact("100 answers while another core waits for one", right == 100 && !slow_done);
		await_off(1);
	}

	u64 before = counter();
	interrupts_on(0);
	timer_in(20000);
	u64 result = call(smc_0, CPU_SUSPEND, 0, 0, 0);
	fact("standby ends with the timer", result == 0 && microseconds(counter() - before) >= 19000);
	result = call(smc_0, CPU_SUSPEND, 0, 0, 0);
	fact("standby ends at once when an interrupt is pending", result == 0);
	timer_off();
	timer_in(20000);
	call(hvc_0, CPU_SUSPEND, 1 << 16, (u64)core_entry, 0x77);
	print("CPU_SUSPEND RETURNED\n");
	off();
}
