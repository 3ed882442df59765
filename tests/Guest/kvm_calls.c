/* How long a call takes that the kernel handles, that its host answers on the spot, that the daemon answers: in turns, so that what else runs is in all. */
#include "guest.h"

#ifndef EXPECTED
#define EXPECTED 0x10003	/* of PSCI_VERSION */
#endif

#define SMCCC_VERSION	0x80000000	/* KVM gives it to nobody */
#define ON_THE_SPOT	0xc3000030	/* 7 */
#define TELL		0xc3000031	/* (ticks in the kernel, on the spot, by the daemon; frequency of the counter): 1 as long as it is to go on, then each with its bits inverted */

static u64 took(instruction *how, u64 function, u64 expected, u64 *wrong)
{
	regs r = { { function } };
	u64 before = counter(), ticks;

	how(&r);
	ticks = counter() - before;
	*wrong += r.r[0] != expected;
	return ticks;
}

static void measure(instruction *how)
{
	u64 wrong = 0, frequency;
	regs r;

	asm("mrs %0, cntfrq_el0" : "=r"(frequency));
	do {
		u64 kernel = took(how, SMCCC_VERSION, 0x10001, &wrong);
		u64 spot = took(how, ON_THE_SPOT, 7, &wrong);
		u64 daemon = took(how, PSCI_VERSION, EXPECTED, &wrong);

		r = (regs){ { TELL, kernel, spot, daemon, frequency, wrong } };
		how(&r);
		wrong += r.r[1] != ~kernel || r.r[2] != ~spot || r.r[3] != ~daemon;
	} while (r.r[0] == 1);
}

int main(void)
{
	measure(smc_0);
	measure(hvc_0);
	off();
}
