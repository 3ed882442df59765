/*
 * Three cores race CPU_ON for the fourth, which turns itself off again: one success for each start and none lost; OFF is read only when it has stopped.
 * Whoever waits sleeps until an SGI, and whoever changes something sends one: cores that spin would starve those that work.
 */
#include "guest.h"

#define ROUNDS		10000
#define RACERS		3
#define TARGET		3
#define SGI		1
#define ALREADY_ON	-4ul
#define ON_PENDING	-5ul

static volatile u64 at[RACERS], result[RACERS], starts, started_with, heartbeat, release, stopping;

static void wake_racers(void)
{
	for (u64 n = 0; n < RACERS; n++)
		send_sgi(n, SGI);
}

static void sleep(void)
{
	asm volatile("wfi" ::: "memory");
	acknowledge();
}

static void barrier(u64 me)
{
	u64 step = ++at[me];

	wake_racers();
	for (u64 n = 0; n < RACERS; n++)
		while (at[n] < step)
			sleep();
}

static void target(u64 context)
{
	u64 round = context >> 2;

	started_with = context;
	starts++;
	wake_racers();
	while (release != round)
		heartbeat++;
	stopping = round;
	heartbeat++;
	call(smc_0, CPU_OFF, 0, 0, 0);
	heartbeat++;
	print("CPU_OFF RETURNED\n");
}

static u64 info(void)
{
	return call(smc_0, AFFINITY_INFO, mpidr_of[TARGET], 0, 0);
}

static u64 wrong, counted_success, pending_seen, on_seen, reads;

static void judge(u64 round)
{
	u64 winner = RACERS, seen, beat;

	for (u64 n = 0; n < RACERS; n++) {
		if (result[n] == 0) {
			wrong += winner != RACERS;
			winner = n;
			counted_success++;
		} else {
			wrong += result[n] != ALREADY_ON && result[n] != ON_PENDING;
		}
	}
	wrong += winner == RACERS;
	while (starts != round)
		sleep();
	wrong += started_with != (round << 2 | winner);
	/* It runs: OFF would be a lie, ON_PENDING is news on its way. */
	seen = info();
	pending_seen += seen == 2;
	on_seen += seen == 0;
	wrong += seen == 1;
	release = round;
	while ((seen = info()) != 1) {
		wrong += seen != 0 && seen != 2;
		reads++;
	}
	wrong += stopping != round;
	beat = heartbeat;
	for (u64 n = 0; n < 200; n++)
		wrong += heartbeat != beat;
	wrong += starts != round;
}

static void race(u64 me)
{
	interrupts_on(me);
	for (u64 round = 1; round <= ROUNDS; round++) {
		barrier(me);
		for (u64 n = 0; n < (round * 37 + me * 101) % 300; n++)
			asm volatile("nop");
		result[me] = call(me & 1 ? hvc_0 : smc_0, CPU_ON, mpidr_of[TARGET], (u64)core_entry, round << 2 | me);
		barrier(me);
		if (me == 0)
			judge(round);
	}
	barrier(me);
}

void core_main(u64 context, u64 daif, u64 sctlr)
{
	u64 me = number_of(this_core());

	if (me == TARGET)
		target(context);
	race(me);
	call(smc_0, CPU_OFF, 0, 0, 0);
}

int main(void)
{
	find_cores();
	for (u64 n = 1; n < RACERS; n++)
		number("a racer", call(smc_0, CPU_ON, mpidr_of[n], (u64)core_entry, 0));
	race(0);
	print("starts ");
	print_dec(starts);
	print(", successes ");
	print_dec(counted_success);
	print(", wrong ");
	print_dec(wrong);
	print("\nread while it ran: ON ");
	print_dec(on_seen);
	print(", ON_PENDING ");
	print_dec(pending_seen);
	print("; before OFF: ");
	print_dec(reads);
	print("\n");
	off();
}
