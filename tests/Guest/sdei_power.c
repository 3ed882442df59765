/* SDEI and power: cores that go off and come back, sleep lightly and deeply, PSCI in handlers, and a reset in one. */
#include "sdei.h"

#define PSCI_FEATURES	0x8400000a
#define SGI		1
#define SURVIVOR	((volatile u64 *)0x43000000)

enum { NOTHING, SLEEP_LIGHTLY, SLEEP_DEEPLY, STOP, STOP_IN_HANDLER, HANDLE, RESET_IN_HANDLER };

static struct seen events[2];
static volatile u64 command, done, ran, result;
static volatile int stops_in_handler, resets_in_handler, calls_in_handler;

u64 on_event(struct seen *seen)
{
	seen->count++;
	if (calls_in_handler) {
		number("in a handler: PSCI_VERSION", call(conduit, PSCI_VERSION, 0, 0, 0));
		number("AFFINITY_INFO", call(conduit, AFFINITY_INFO, mpidr_of[1], 0, 0));
		number("PSCI_FEATURES", call(conduit, PSCI_FEATURES, CPU_OFF, 0, 0));
		number("CPU_ON", call(conduit, CPU_ON, mpidr_of[1], (u64)core_entry, 0));
		calls_in_handler = 0;
	}
	if (stops_in_handler) {
		stops_in_handler = 0;
		call(conduit, CPU_OFF, 0, 0, 0);
	}
	if (resets_in_handler)
		call(conduit, SYSTEM_RESET, 0, 0, 0);
	return 0;
}

/* What a core finds that starts. */
static volatile u64 mask_at_start, status_at_start, complete_at_start;

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	u64 wanted;

	interrupts_on(1);
	mask_at_start = sdei0(PE_MASK);
	status_at_start = sdei1(EVENT_STATUS, 0);
	complete_at_start = sdei1(EVENT_COMPLETE, 0);
	ran++;
	for (;;) {
		while (!(wanted = command))
			;
		command = NOTHING;
		switch (wanted) {
		case HANDLE:
			handle(0, &events[1], 0, 0);
			sdei0(PE_UNMASK);
			break;
		case SLEEP_LIGHTLY:
			result = call(conduit, CPU_SUSPEND, 0, 0, 0);
			break;
		case SLEEP_DEEPLY:
			result = deep_sleep(CPU_SUSPEND, 1 << 16);
			break;
		case STOP_IN_HANDLER:
			stops_in_handler = 1;
			sdei2(EVENT_SIGNAL, 0, mpidr_of[1]);
			print("IT GOES ON\n");
			break;
		case STOP:
			call(conduit, CPU_OFF, 0, 0, 0);
		}
		acknowledge();
		done++;
	}
}

static void order(u64 what)
{
	command = what;
}

static void and_wait(u64 what)
{
	u64 before = done;

	order(what);
	await(&done, before + 1);
}

static u64 info(void)
{
	return call(conduit, AFFINITY_INFO, mpidr_of[1], 0, 0);
}

static void wait_until_off(void)
{
	while (info() != 1)
		;
}

static void pause(u64 us)
{
	for (u64 from = counter(); microseconds(counter() - from) < us;)
		;
}

static void start(const char *name)
{
	u64 before = ran;

	call(conduit, CPU_ON, mpidr_of[1], (u64)core_entry, 0);
	await(&ran, before + 1);
	print(name);
	number(": PE_MASK", mask_at_start);
	number("STATUS", status_at_start);
	number("COMPLETE", complete_at_start);
}

static void signal_other(void)
{
	number("SIGNAL", sdei2(EVENT_SIGNAL, 0, mpidr_of[1]));
}

/* The other core sleeps meanwhile: it says so by making no call, and the machine by its AFFINITY_INFO, which is ON. */
static void sleeps(const char *name, u64 how)
{
	u64 before = events[1].count, woken = done;

	print(name);
	print("\n");
	order(how);
	pause(100000);
	fact(" it sleeps", done == woken);
	signal_other();
	await(&events[1].count, before + 1);
	await(&done, woken + 1);
	number(" woken by an event with", result);
}

static void sleeps_deeply(const char *name, int by_event)
{
	u64 woken = done, before = events[1].count;

	print(name);
	order(SLEEP_DEEPLY);
	pause(100000);
	fact(" it sleeps", done == woken);
	if (by_event)
		signal_other();
	else
		send_sgi(1, SGI);
	await(&done, woken + 1);
	number(" woken with", result);
	if (!by_event)
		signal_other();
	pause(100000);
	fact(" masked: the event waits", events[1].count == before);
	and_wait(HANDLE);	/* registered and enabled already: DENIED, 0 */
	await(&events[1].count, before + 1);
}

static void first_boot(void)
{
	start("a first start");
	and_wait(HANDLE);
	signal_other();
	await(&events[1].count, 1);
	sleeps("standby", SLEEP_LIGHTLY);

	sleeps_deeply("power-down, woken by an SGI\n", 0);
	sleeps_deeply("power-down, woken by an event\n", 1);

	order(STOP_IN_HANDLER);
	wait_until_off();
	number("off in its handler, handled", events[1].count);
	start("started again");
	and_wait(HANDLE);
	order(STOP);
	wait_until_off();
	signal_other();
	pause(100000);
	fact("an event starts no core", info() == 1);
	start("started with an event that waits");
	and_wait(HANDLE);
	await(&events[1].count, 6);

	order(STOP);
	wait_until_off();
	calls_in_handler = 1;
	sdei2(EVENT_SIGNAL, 0, mpidr_of[0]);
	await(&ran, 4);
	resets_in_handler = 1;
	sdei2(EVENT_SIGNAL, 0, mpidr_of[0]);
	print("IT GOES ON\n");
}

int main(void)
{
	u64 boot = call(smc_0, BOOT, 0, 0, 0);

	use_smc();
	find_cores();
	interrupts_on(0);
	number("boot", boot);
	number("PE_MASK", sdei0(PE_MASK));
	number("STATUS", sdei1(EVENT_STATUS, 0));
	handle(0, &events[0], 0, 0);
	sdei0(PE_UNMASK);
	if (boot == 1)
		first_boot();
	sdei2(EVENT_SIGNAL, 0, mpidr_of[0]);
	number("handled", events[0].count);
	off();
}
