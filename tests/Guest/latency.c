/* The round trip of one call: ticks of the guest's counter. The bench measures another call. */
#include "guest.h"

#ifndef FUNCTION
#define FUNCTION SEVEN
#define EXPECTED 7
#define CALLS 20000
#endif

static u64 ticks[CALLS];

static void measure(const char *name, instruction *how)
{
	u64 wrong = 0, frequency;

	asm("mrs %0, cntfrq_el0" : "=r"(frequency));
	for (u64 n = 0; n < CALLS; n++) {
		u64 before = counter();

		wrong += call(how, FUNCTION, n, 0, 0) != EXPECTED;
		ticks[n] = counter() - before;
	}
	for (u64 gap = CALLS / 2; gap; gap /= 2)
		for (u64 i = gap; i < CALLS; i++) {
			u64 value = ticks[i], j = i;

			for (; j >= gap && ticks[j - gap] > value; j -= gap)
				ticks[j] = ticks[j - gap];
			ticks[j] = value;
		}
	print(name);
	print(": wrong ");
	print_dec(wrong);
	print(", p50 ns ");
	print_dec(ticks[CALLS / 2] * 1000000000 / frequency);
	print(", p99 ns ");
	print_dec(ticks[CALLS * 99 / 100] * 1000000000 / frequency);
	print("\n");
}

int main(void)
{
	for (int n = 0; n < 3; n++) {
		measure("smc", smc_0);
		measure("hvc", hvc_0);
	}
	off();
}
