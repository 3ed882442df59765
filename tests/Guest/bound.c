/* Interrupts that are taken, fire, end and go back, whatever becomes of the host process: it goes on until a key is typed, and says then what was wrong. */
#include "guest.h"

#define PHYSICAL_TIMER	30
#define OF_INTERRUPT	(1ul << 32)
#define UART		((volatile u32 *)0x09000000)

static volatile u64 fired[16], armed[16], physical, wrong[16];
static volatile int done;

void handler(u64 event)
{
	u64 me = number_of(this_core());

	if (event == (OF_INTERRUPT | TIMER)) {
		timer_off();
		fired[me]++;
	} else if (event == (OF_INTERRUPT | PHYSICAL_TIMER)) {
		asm volatile("msr cntp_ctl_el0, xzr; isb" ::: "memory");
		physical++;
	} else
		wrong[me]++;
}

static void fire(u64 me)
{
	u64 n = ++armed[me];

	timer_in(n * 37 % 2000);
	while (fired[me] < n)
		call(n & 1 ? hvc_0 : smc_0, SEVEN, 0, 0, 0);
	wrong[me] += fired[me] != n;
}

void core_main(u64 me, u64 pstate, u64 sctlr)
{
	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
	while (!done)
		fire(me);
	call(smc_0, CPU_OFF, 0, 0, 0);
}

int main(void)
{
	u64 rounds = 0, all = 0;

	find_cores();
	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
	wrong[0] += call(smc_0, TAKE, TIMER, 0, 0) != 0;
	for (u64 n = 1; n < cores; n++)
		call(smc_0, CPU_ON, mpidr_of[n], (u64)core_entry, n);
	print("counts\n");
	while (UART[6] & 0x10) {
		rounds++;
		wrong[0] += call(hvc_0, TAKE, PHYSICAL_TIMER, 0, 0) != 0;
		asm volatile("msr cntp_tval_el0, %0; msr cntp_ctl_el0, %1; isb" :: "r"(rounds % 5000), "r"(1ul) : "memory");
		fire(0);
		while (physical < rounds)
			call(smc_0, SEVEN, 0, 0, 0);
		wrong[0] += physical != rounds;
		wrong[0] += call(smc_0, TAKE, PHYSICAL_TIMER, 0, 0) != -3ul;
		wrong[0] += call(hvc_0, GIVE_BACK, PHYSICAL_TIMER, 0, 0) != 0;
	}
	done = 1;
	for (u64 n = 1; n < cores; n++)
		while (call(smc_0, AFFINITY_INFO, mpidr_of[n], 0, 0) != 1)
			;
	for (u64 n = 0; n < cores; n++)
		all += wrong[n] + (fired[n] != armed[n]);
	number("wrong", all);
	fact("rounds went by", rounds > 0);
	off();
}
