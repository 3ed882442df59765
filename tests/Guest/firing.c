/* Every core's timer fires ROUNDS times into HVCs and under attention that storms at all of them: none lost, none doubled. */
#include "guest.h"

#define ROUNDS	1500
#define STORMS	500
#define OF_INTERRUPT	(1ul << 32)

static volatile u64 fired[16], handled[16], wrong[16], calls[16];

void handler(u64 event)
{
	u64 me = number_of(this_core());

	if (event == (OF_INTERRUPT | TIMER)) {
		timer_off();
		fired[me]++;
	} else
		handled[me]++;
}

static void run(u64 me)
{
	instruction *how;
	u64 el, features, from;

	asm("mrs %0, currentel; mrs %1, id_aa64pfr0_el1" : "=&r"(el), "=r"(features));
	how = el == 4 && (features >> 8 & 15) ? hvc_0 : smc_0;
	call(how, HANDLER, (u64)handler_entry, 0, 0);
	call(how, STORM, mpidr_of[me], STORMS, 0);
	for (u64 round = 1; round <= ROUNDS; round++) {
		timer_in(round * 7 % 60);
		for (from = counter(); fired[me] < round; calls[me]++) {
			if (call(how, SEVEN, 0, 0, 0) != 7)
				wrong[me]++;
			if (microseconds(counter() - from) > 60000000)
				return;
		}
		wrong[me] += fired[me] != round;
	}
	while (handled[me] < STORMS)
		;
}

void core_main(u64 me, u64 pstate, u64 sctlr)
{
	run(me);
	call(smc_0, CPU_OFF, 0, 0, 0);
}

int main(void)
{
	find_cores();
	number("take", call(smc_0, TAKE, TIMER, 0, 0));
	for (u64 n = 1; n < cores; n++)
		call(smc_0, CPU_ON, mpidr_of[n], (u64)core_entry, n);
	run(0);
	for (u64 n = 1; n < cores; n++)
		while (call(smc_0, AFFINITY_INFO, mpidr_of[n], 0, 0) != 1)
			;
	for (u64 n = 0; n < cores; n++) {
		number("core", n);
		number(" fired", fired[n]);
		number(" attended", handled[n]);
		number(" wrong", wrong[n]);
	}
	off();
}
