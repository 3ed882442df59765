/*
 * Counts what no host process may do twice or lose: calls, starts and stops of cores, handlers. It goes on until a key is typed, and says then what was wrong;
 * a daemon that counts from 1 again is none of it.
 */
#include "guest.h"

#ifndef ATTENDS
#define ATTENDS 1
#endif

#define UART ((volatile u32 *)0x09000000)

static volatile u64 starts[16], contexts[16], stops[16], wrong[16], anew[16], calls[16], last[16], handled[16];

void handler(u64 event)
{
	handled[number_of(this_core())]++;
}

static void count(u64 n, u64 milliseconds)
{
	u64 is = call(calls[n] & 1 ? hvc_0 : smc_0, COUNT_CALLS, milliseconds, 0, 0);

	calls[n]++;
	if (is == last[n] + 1)
		;
	else if (is == 1)
		anew[n]++;
	else
		wrong[n]++;
	last[n] = is;
}

static void attend(u64 n)
{
	u64 before = handled[n], seven;

	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
	seven = call(hvc_0, ATTEND_HERE, 0, 0, 0);
	wrong[n] += seven != 7 || handled[n] != before + 1;
}

static void burst(u64 n)
{
	for (u64 i = 0; i < 20; i++) {
		count(n, i == 10);
		if (ATTENDS && i % 5 == 2)
			attend(n);
	}
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	u64 n = number_of(this_core());

	starts[n]++;
	wrong[n] += context != contexts[n] || starts[n] != stops[n] + 1;
	burst(n);
	stops[n]++;
	call(n & 1 ? smc_0 : hvc_0, CPU_OFF, 0, 0, 0);
	print("CPU_OFF RETURNED\n");
}

static u64 sum(volatile u64 *of)
{
	u64 all = 0;

	for (u64 n = 0; n < cores; n++)
		all += of[n];
	return all;
}

int main(void)
{
	u64 rounds = 0;

	find_cores();
	print("counts\n");
	while (UART[6] & 0x10) {
		rounds++;
		for (u64 n = 1; n < cores; n++) {
			contexts[n] = rounds << 8 | n;
			wrong[0] += call(smc_0, CPU_ON, mpidr_of[n], (u64)core_entry, contexts[n]) != 0;
		}
		burst(0);
		for (u64 n = 1; n < cores; n++) {
			while (call(smc_0, AFFINITY_INFO, mpidr_of[n], 0, 0) != 1)
				;
			wrong[0] += starts[n] != rounds || stops[n] != rounds;
		}
	}
	number("wrong", sum(wrong));
	number("anew", sum(anew));
	fact("rounds went by", rounds > 0);
	fact("and every core counted", sum(calls) == rounds * cores * 20);
	off();
}
