/* What a real PSCI says of cores and machines that sleep, and what resets keep. */
#include "guest.h"

#define CPU_FREEZE	0x8400000b
#define NODE_HW_STATE	0xc400000d
#define MEM_PROTECT	0x84000013
#define SYSTEM_OFF2	0xc4000015
#define SGI		1
#define SURVIVOR	((volatile u64 *)0x43000000)

enum { STANDBY = 1, SLEEP, FREEZE, STOP };

static volatile u64 command, ran, awake;

void core_main(u64 context, u64 daif, u64 sctlr)
{
	u64 wanted;

	interrupts_on(1);
	ran++;
	for (;;) {
		while (!(wanted = command))
			;
		command = 0;
		switch (wanted) {
		case STANDBY:
			awake = 1 + call(smc_0, CPU_SUSPEND, 0, 0, 0);
			break;
		case SLEEP:
			awake = 1 + deep_sleep(CPU_SUSPEND, 1 << 16);
			break;
		case FREEZE:
			call(smc_0, CPU_FREEZE, 0, 0, 0);
			break;
		case STOP:
			call(smc_0, CPU_OFF, 0, 0, 0);
		}
		acknowledge();
	}
}

static void pause(u64 us)
{
	u64 from = counter();

	while (microseconds(counter() - from) < us)
		;
}

static u64 info(void)
{
	return call(smc_0, AFFINITY_INFO, 1, 0, 0);
}

static void sleeps(const char *name, u64 how, u64 state)
{
	command = how;
	while (call(smc_0, NODE_HW_STATE, 1, 0, 0) != state)
		;
	print(name);
	number(": AFFINITY_INFO", info());
	number("CPU_ON", call(smc_0, CPU_ON, 1, (u64)core_entry, 0));
	pause(20000);
	fact("it sleeps on", !awake);
	send_sgi(1, SGI);
	while (!awake)
		;
	number("an SGI wakes it with", awake - 1);
	number("NODE_HW_STATE", call(smc_0, NODE_HW_STATE, 1, 0, 0));
	awake = 0;
}

static void down(const char *name, u64 how)
{
	u64 before = ran;

	command = how;
	while (info() != 1)
		;
	print(name);
	send_sgi(1, SGI);
	pause(20000);
	fact(" ignores an SGI", ran == before && info() == 1);
	number("CPU_ON", call(smc_0, CPU_ON, 1, (u64)core_entry, 0));
	while (ran == before)
		;
	number("AFFINITY_INFO", info() & 1);
}

static void first_boot(void)
{
	call(smc_0, CPU_ON, 1, (u64)core_entry, 0);
	sleeps("standby", STANDBY, 2);
	sleeps("power-down", SLEEP, 1);
	down("frozen", FREEZE);
	down("off", STOP);
	number("SYSTEM_SUSPEND beside another core", deep_sleep(SYSTEM_SUSPEND, 0));
	command = STOP;
	while (info() != 1)
		;
	timer_in(3000000);	/* longer than the host waits for any answer */
	number("SYSTEM_SUSPEND alone", deep_sleep(SYSTEM_SUSPEND, 0));
	fact("wakes with the timer, EL1h, masked, MMU off", acknowledge() == TIMER && woken.daif == 0x3c0 && mmu_off(woken.sctlr) && woken.el == 4 && woken.spsel == 1);
	number("MEM_PROTECT was", call(smc_0, MEM_PROTECT, 1, 0, 0));
}

int main(void)
{
	u64 boot = call(smc_0, BOOT, 0, 0, 0);

	find_cores();
	interrupts_on(0);
	number("boot", boot);
	number("survivor", *SURVIVOR);
	*SURVIVOR = boot;
	switch (boot) {
	case 1:
		first_boot();
		call(smc_0, SYSTEM_RESET2, 0, 0, 0);
		break;
	case 2:
		number("MEM_PROTECT was", call(smc_0, MEM_PROTECT, 1, 0, 0));
		call(smc_0, SYSTEM_RESET, 0, 0, 0);
		break;
	case 3:
		number("MEM_PROTECT was", call(smc_0, MEM_PROTECT, 0, 0, 0));
		call(smc_0, SYSTEM_OFF2, 1, 0, 0);
	}
	print("IT RETURNED\n");
	off();
}
