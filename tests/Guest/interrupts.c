/* Interrupts that the responder takes from the guest: timers, private to each core, and the console's, shared. */
#include "guest.h"

#define PHYSICAL_TIMER	30
#define UART_INTID	33
#define CONTEXTS	5

#define REDISTRIBUTOR	0x080a0000ul
#define DISTRIBUTOR	0x08000000ul
#define UART		((volatile u32 *)0x09000000)
#define UARTIMSC	14
#define UARTICR		17
#define TXIM		0x20

#define OF_INTERRUPT	(1ul << 32)

static volatile u64 fired[1020], where[1020], attended, finished[CONTEXTS], core_result, keep_timer;

static instruction *how = smc_0;

static volatile u32 *private_interrupts(u64 n)
{
	return (volatile u32 *)(REDISTRIBUTOR + (n << 17) + 0x10000);
}

static void physical_timer_in(u64 microseconds)
{
	u64 frequency;

	asm("mrs %0, cntfrq_el0" : "=r"(frequency));
	asm volatile("msr cntp_tval_el0, %0; msr cntp_ctl_el0, %1; isb" :: "r"(frequency * microseconds / 1000000), "r"(1ul) : "memory");
}

static void physical_timer_off(void)
{
	asm volatile("msr cntp_ctl_el0, xzr; isb" ::: "memory");
}

static void pause(u64 length)
{
	u64 from = counter();

	while (microseconds(counter() - from) < length)
		;
}

static int within(volatile u64 *word, u64 value, u64 seconds)
{
	u64 from = counter();

	while (*word != value)
		if (microseconds(counter() - from) > seconds * 1000000)
			return 0;
	return 1;
}

static u64 seen(u64 intid)
{
	return call(how, FIRES, intid, 0, 0);
}

static u64 start(u64 n, u64 context)
{
	return call(how, CPU_ON, mpidr_of[n], (u64)core_entry, context);
}

static void await_off(u64 n)
{
	while (call(how, AFFINITY_INFO, mpidr_of[n], 0, 0) != 1)
		;
}

void handler(u64 event)
{
	u64 intid = (u32)event;

	if (!(event & OF_INTERRUPT)) {
		attended++;
		return;
	}
	if (intid == TIMER && keep_timer)
		keep_timer--;
	else if (intid == TIMER)
		timer_off();
	if (intid == PHYSICAL_TIMER)
		physical_timer_off();
	if (intid == UART_INTID)
		UART[UARTICR] = TXIM;
	where[intid] = number_of(this_core());
	fired[intid]++;
}

/* On the second core. */
void core_main(u64 context, u64 pstate, u64 sctlr)
{
	call(how, HANDLER, (u64)handler_entry, 0, 0);
	switch (context) {
	case 0:		/* its own timer */
		timer_in(1000);
		finished[0] = within(&fired[TIMER], 1, 20);
		break;
	case 1:		/* goes off while its timer runs */
		timer_in(50000);
		break;
	case 2:		/* with that timer still due */
		finished[2] = within(&fired[TIMER], 1, 20);
		break;
	case 3:		/* takes a shared one and goes off */
		core_result = call(how, TAKE, UART_INTID, 0, 0);
		break;
	case 4:		/* the same, and goes off when it has fired and nobody has heard */
		core_result = call(how, TAKE, UART_INTID, 0, 0);
		call(how, DEAF, 1, 0, 0);
		UART[UARTICR] = 0x7ff;
		UART[UARTIMSC] = TXIM;
		UART[0] = '\n';
		pause(5000);
		break;
	}
	call(how, CPU_OFF, 0, 0, 0);
}

static void refusals(void)
{
	volatile u32 *mine = private_interrupts(0), *other = private_interrupts(1);

	mine[0x100 / 4] = 1u << TIMER;
	number("enabled here", call(how, TAKE, TIMER, 0, 0));
	mine[0x180 / 4] = 1u << TIMER;
	other[0x100 / 4] = 1u << TIMER;
	number("enabled on another core", call(how, TAKE, TIMER, 0, 0));
	number("what the next call says of that", call(how, LAST, 0, 0, 0));
	other[0x180 / 4] = 1u << TIMER;
	mine[0x300 / 4] = 1u << TIMER;
	number("active", call(how, TAKE, TIMER, 0, 0));
	mine[0x380 / 4] = 1u << TIMER;
	((volatile u32 *)(DISTRIBUTOR + 0x104))[0] = 1u << (UART_INTID - 32);
	number("a shared one, enabled", call(how, TAKE, UART_INTID, 0, 0));
	((volatile u32 *)(DISTRIBUTOR + 0x184))[0] = 1u << (UART_INTID - 32);
	((volatile unsigned char *)mine)[0x400 + TIMER] = 0xa0;
	number("neither", call(how, TAKE, TIMER, 0, 0));
	number("what the next call says of that", call(how, LAST, 0, 0, 0));
	number("taken already", call(how, TAKE, TIMER, 0, 0));
	fact("the guest sees nothing of it", !(mine[0x100 / 4] & 1u << TIMER) && !(other[0x100 / 4] & 1u << TIMER));
	mine[0x180 / 4] = ~0u;	/* as a kernel does that sets up its GIC */
	mine[0x80 / 4] = ~0u;
	other[0x180 / 4] = ~0u;
}

static void levels(void)
{
	u64 active, again;

	timer_in(1000);
	while (!seen(TIMER))
		;
	pause(50000);
	active = seen(TIMER);
	interrupts_on(0);
	send_sgi(0, 5);
	physical_timer_in(1000);
	private_interrupts(0)[0x100 / 4] = 1u << PHYSICAL_TIMER;
	u64 first = acknowledge(), second;
	do
		second = acknowledge();
	while (second == NONE);
	physical_timer_off();
	private_interrupts(0)[0x180 / 4] = 1u << PHYSICAL_TIMER;
	fact("stays asserted, fires once while active", active == 1);
	fact("the guest's own go on meanwhile", first == 5 && second == PHYSICAL_TIMER);
	call(how, END, TIMER, 0, 0);
	again = seen(TIMER);
	fact("fires again when it ends and is asserted yet", again == 2);
	timer_off();
	call(how, END, TIMER, 0, 0);
	pause(20000);
	fact("and no more when it is not", seen(TIMER) == 2);
	timer_in(1000);
	while (seen(TIMER) != 3)
		;
	fact("and when it is again", 1);
	timer_off();
	call(how, END, TIMER, 0, 0);
}

static void everywhere(void)
{
	u64 n = 0, before;

	call(how, HANDLER, (u64)handler_entry, 0, 0);
	timer_in(1000);
	fact("into a masked loop", within(&fired[TIMER], ++n, 20) && seen(TIMER) == 3 + n);
	timer_in(20000);
	asm volatile("wfi" ::: "memory");
	fact("into WFI", within(&fired[TIMER], ++n, 20));
	timer_in(20000);
	before = call(how, CPU_SUSPEND, 0, 0, 0);
	fact("into standby, before the next instruction", before == 0 && fired[TIMER] == ++n);
	timer_in(20000);
	before = deep_sleep(CPU_SUSPEND, 1 << 16);
	fact("into power-down", before == 1 && fired[TIMER] == ++n);
	interrupts_on(0);
	private_interrupts(0)[0x180 / 4] = 1u << TIMER;
	private_interrupts(0)[0x100 / 4] = 1u << PHYSICAL_TIMER;
	before = 0;
	for (u64 round = 0; round < 50; round++) {
		timer_in(round * 4);	/* before it sleeps or after it; the guest's own wakes it from the first */
		physical_timer_in(20000);
		before += call(how, CPU_SUSPEND, 0, 0, 0);
		before += !within(&fired[TIMER], ++n, 20);
		physical_timer_off();
	}
	private_interrupts(0)[0x180 / 4] = 1u << PHYSICAL_TIMER;
	fact("around standby", before == 0);
	timer_in(10000);
	before = call(how, SLOW, 300, 0, 0);
	fact("during a slow call, after it", before == 300 && fired[TIMER] == ++n);
	number("take another", call(how, TAKE, PHYSICAL_TIMER, 0, 0));
	timer_in(10000);
	physical_timer_in(10000);
	before = call(how, SLOW, 100, 0, 0);
	fact("both at once, one after the other", within(&fired[TIMER], ++n, 20) && within(&fired[PHYSICAL_TIMER], 1, 20) && before == 100);
	keep_timer = 99;
	timer_in(1000);
	fact("again and again while it is asserted", within(&fired[TIMER], n += 100, 60));
	pause(10000);
	fact("until it is not", fired[TIMER] == n);
}

static void other_cores(void)
{
	fired[TIMER] = 0;
	start(1, 0);
	await_off(1);
	fact("on another core, its own", finished[0] && where[TIMER] == 1);
	fired[TIMER] = 0;
	start(1, 1);
	await_off(1);
	pause(200000);
	fact("not on one that is off", fired[TIMER] == 0);
	start(1, 2);
	await_off(1);
	fact("but when it runs again", finished[2] && fired[TIMER] == 1 && where[TIMER] == 1);
	UART[UARTICR] = 0x7ff;
	start(1, 3);
	await_off(1);
	number("another core takes a shared one and goes off", core_result);
	for (u64 n = 1; n <= 2; n++) {
		UART[UARTICR] = 0x7ff;
		UART[UARTIMSC] = TXIM;
		UART[0] = '\n';
		finished[3] = within(&fired[UART_INTID], n, 20) && where[UART_INTID] == 0;
		UART[UARTIMSC] = 0;
		fact(n == 1 ? "which fires on a core that runs" : "and again", finished[3]);
	}
	call(how, GIVE_BACK, UART_INTID, 0, 0);
}

static void unheard(void)
{
	u64 before = fired[TIMER], physical = fired[PHYSICAL_TIMER];

	call(how, DEAF, 3, 0, 0);
	timer_in(1000);
	physical_timer_in(1000);
	fact("nobody hears, and then", within(&fired[TIMER], before + 1, 60) && within(&fired[PHYSICAL_TIMER], physical + 1, 60));
	pause(300000);
	fact("each is told once", fired[TIMER] == before + 1 && fired[PHYSICAL_TIMER] == physical + 1);
	before = fired[UART_INTID];
	start(1, 4);
	await_off(1);
	int told = within(&fired[UART_INTID], before + 1, 60);
	UART[UARTIMSC] = 0;
	fact("one that nobody heard on a core that went off is told on another", told && where[UART_INTID] == 0 && core_result == 0);
}

static void given_back(void)
{
	volatile u32 *mine = private_interrupts(0), *other = private_interrupts(1);
	u64 before = fired[TIMER];

	call(how, HANDLER, 0, 0, 0);
	timer_in(0);
	pause(1000);	/* active, and asserted yet */
	number("give back", call(how, GIVE_BACK, TIMER, 0, 0));
	fact("it is disabled and inactive, on each core",
		!((mine[0x100 / 4] | other[0x100 / 4] | mine[0x300 / 4] | other[0x300 / 4]) & 1u << TIMER));
	number("its priority", ((volatile unsigned char *)mine)[0x400 + TIMER]);
	pause(20000);
	fact("and fires no more", fired[TIMER] == before);
	timer_off();
	interrupts_on(0);
	timer_in(1000);
	u64 intid;
	do
		intid = acknowledge();
	while (intid == NONE);
	number("the guest takes it itself", intid);
	mine[0x180 / 4] = 1u << TIMER;
	number("and it can be taken again", call(how, TAKE, TIMER, 0, 0));
}

int main(void)
{
	u64 el, features;

	asm("mrs %0, currentel; mrs %1, id_aa64pfr0_el1" : "=&r"(el), "=r"(features));
	if (el == 4 && (features >> 8 & 15))
		how = hvc_0;
	find_cores();
	refusals();
	levels();
	everywhere();
	other_cores();
	unheard();
	given_back();
	off();
}
