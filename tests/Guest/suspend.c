/* Standby, power-down and system suspend: what wakes a core and what does not, and the state it wakes with. */
#include "guest.h"

enum { SGI = 1, OWN_SGI, SGI_AT_OFF };
enum { REST, SEND, RING_AND_SEND, STOP };

static volatile u64 command, sent, ran, last_context, pending;

static void pause(u64 us)
{
	u64 from = counter();

	while (microseconds(counter() - from) < us)
		;
}

void core_main(u64 context, u64 daif, u64 sctlr)
{
	u64 wanted;

	interrupts_on(1);
	last_context = context;
	pending = acknowledge();
	ran++;
	if (context == 3)	/* sleeps until the machine is off */
		call(smc_0, CPU_SUSPEND, 0, 0, 0);
	for (;;) {
		while (!(wanted = command))
			;
		command = REST;
		if (wanted == STOP)
			call(smc_0, CPU_OFF, 0, 0, 0);
		/* Each of these answers comes while this core sleeps, and then the doorbell rings at core 0 first. */
		for (int n = 0; wanted == RING_AND_SEND && n < 20; n++)
			call(smc_0, SLOW, 3, 0, 0);
		pause(20000);
		sent = 1;
		send_sgi(0, SGI);
	}
}

static u64 standby(void)
{
	return call(smc_0, CPU_SUSPEND, 0, 0, 0);
}

static void keeps_all(void)
{
	u64 buffer[34] = { CPU_SUSPEND, 0, 0, 0 };
	int kept = 1;

	send_sgi(0, OWN_SGI);
	probe_smc(buffer);
	for (int n = 4; n <= 30; n++)
		kept &= buffer[n] == 0x1111111100000000 + n;
	fact("standby keeps every register", kept && buffer[0] == 0 && buffer[31] == 0x5000000000000005 && buffer[32] == buffer[33]);
	fact("and wakes at once when an interrupt is pending", acknowledge() == OWN_SGI);

	call(smc_0, DEAF, 1, 0, 0);
	send_sgi(0, OWN_SGI);
	fact("though nobody answers the wake exit", standby() == 0 && acknowledge() == OWN_SGI);
	regs r = { { ECHO, 1 } };
	smc_0(&r);
	number("of which the next one tells", r.r[3]);
}

static void deep(const char *name, u64 function, u64 power_state, u64 intid)
{
	u64 sctlr;

	woken.daif = woken.sctlr = woken.el = woken.spsel = 0;
	asm volatile("mrs %0, sctlr_el1" : "=r"(sctlr));
	asm volatile("msr sctlr_el1, %0; isb" :: "r"(sctlr | 1ul << 12 | 1ul << 2));	/* I and C */
	print(name);
	fact(" ends at its entry", deep_sleep(function, power_state) == 1);
	fact("EL1h, masked, MMU and caches off", woken.daif == 0x3c0 && mmu_off(woken.sctlr) && woken.el == 4 && woken.spsel == 1);
	fact("by its interrupt", acknowledge() == intid);
}

int main(void)
{
	u64 before;

	find_cores();
	interrupts_on(0);
	call(smc_0, CPU_ON, mpidr_of[1], (u64)core_entry, 1);

	before = counter();
	timer_in(20000);
	fact("standby ends with the timer, masked as it is", standby() == 0 && acknowledge() == TIMER && microseconds(counter() - before) >= 19000);

	command = SEND;
	fact("with another core's SGI", standby() == 0 && sent && acknowledge() == SGI);
	sent = 0;
	command = RING_AND_SEND;
	fact("and not with doorbells", standby() == 0 && sent && acknowledge() == SGI);
	keeps_all();

	timer_in(20000);
	deep("power-down", CPU_SUSPEND, 1 << 16, TIMER);
	send_sgi(0, OWN_SGI);
	deep("power-down with an interrupt pending", CPU_SUSPEND, 1 << 16, OWN_SGI);

	command = STOP;
	while (call(smc_0, AFFINITY_INFO, mpidr_of[1], 0, 0) != 1)
		;
	timer_in(20000);
	deep("system suspend", SYSTEM_SUSPEND, 0, TIMER);

	send_sgi(1, SGI_AT_OFF);
	pause(50000);
	fact("an SGI does not start a core that is off", ran == 1);
	number("CPU_ON does", call(smc_0, CPU_ON, mpidr_of[1], (u64)core_entry, 2));
	while (ran == 1)
		;
	number("with its context", last_context);
	fact("and the SGI has waited", pending == SGI_AT_OFF);

	command = STOP;
	while (call(smc_0, AFFINITY_INFO, mpidr_of[1], 0, 0) != 1)
		;
	call(smc_0, CPU_ON, mpidr_of[1], (u64)core_entry, 3);
	while (ran == 2)
		;
	pause(20000);
	off();
}
