/*
 * Interrupts bound to events: what may be bound, each core's virtual timer as a private event, the real-time clock's as a shared one. Cores mask everything, so
 * that an interrupt that comes as one is never taken; at the end the guest has its timer back.
 */
#include "sdei.h"

#define PHYSICAL_TIMER	30
#define SPURIOUS_SPI	200	/* nobody raises it */
#define RTC		34
#define RTC_DATA	((volatile u32 *)0x09010000)	/* PL031: DR, MR, LR, CR, IMSC, RIS, MIS, ICR */
#define TIMES		1000
#define PERIOD		50	/* microseconds */
#define SGI		1

static struct seen timer[2], alarm;
static volatile u64 spurious[2], ready, wrong, alarms, alarm_core, fired[2], off_now;
static u64 timer_event, alarm_event;

u64 on_event(struct seen *seen)
{
	u64 core = number_of(this_core());

	if (seen == &alarm) {
		RTC_DATA[7] = 1;
		alarm_core = core;
		alarms++;
	} else {
		u64 control;

		/* Level-sensitive: whoever comes here without its condition comes for a second time. */
		asm volatile("mrs %0, cntv_ctl_el0" : "=r"(control));
		spurious[core] += !(control & 4);
		if (++fired[core] < TIMES)
			timer_in(PERIOD);
		else
			timer_off();
		wrong += seen != &timer[core] || seen->x[0] != timer_event;
	}
	seen->count++;
	return 0;
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	handle(timer_event, &timer[1], 0, 0);
	timer_in(PERIOD);
	sdei0(PE_UNMASK);
	ready = 1;
	while (fired[1] < TIMES)
		call(conduit, PSCI_VERSION, 0, 0, 0);
	while (!off_now)
		;
	sdei0(PRIVATE_RESET);
	call(conduit, CPU_OFF, 0, 0, 0);
}

static void alarm_in(u32 seconds)
{
	RTC_DATA[1] = RTC_DATA[0] + seconds;
	RTC_DATA[4] = 1;
}

static u32 enabled(u64 core)
{
	return *(volatile u32 *)(0x080a0000ul + (core << 17) + 0x10100);
}

int main(void)
{
	u64 other;

	use_smc();
	find_cores();
	number("FEATURES(0)", sdei1(SDEI_FEATURES, 0));
	number("BIND of an SGI", sdei1(INTERRUPT_BIND, SGI));
	number("BIND of none", sdei1(INTERRUPT_BIND, 1020));
	number("BIND of the doorbell", sdei1(INTERRUPT_BIND, 40));
	interrupts_on(0);
	number("BIND of an enabled one", sdei1(INTERRUPT_BIND, TIMER));
	*(volatile u32 *)(0x080a0000ul + 0x10180) = ~0u;	/* GICR_ICENABLER0 */
	timer_event = sdei1(INTERRUPT_BIND, TIMER);
	number("BIND", timer_event);
	number("again", sdei1(INTERRUPT_BIND, TIMER));
	other = sdei1(INTERRUPT_BIND, PHYSICAL_TIMER);
	number("BIND of another", other);
	number("STATUS", sdei1(EVENT_STATUS, other));
	number("SIGNAL", sdei2(EVENT_SIGNAL, other, 0));
	number("priority", sdei2(EVENT_GET_INFO, other, 2));
	number("type", sdei2(EVENT_GET_INFO, other, 0));
	alarm_event = sdei1(INTERRUPT_BIND, RTC);
	number("BIND of a shared one", alarm_event);
	number("type", sdei2(EVENT_GET_INFO, alarm_event, 0));
	number("BIND", sdei1(INTERRUPT_BIND, SPURIOUS_SPI));
	number("BIND", sdei1(INTERRUPT_BIND, SPURIOUS_SPI + 1));
	number("BIND, all taken", sdei1(INTERRUPT_BIND, SPURIOUS_SPI + 2));

	timer_in(1000);
	for (u64 from = counter(); microseconds(counter() - from) < 20000;)
		;
	print("it fires before there is a handler\n");
	handle(timer_event, &timer[0], 0, 0);
	sdei0(PE_UNMASK);	/* handlers follow one another from here on: each sets the timer for the next */
	await(&fired[0], TIMES);
	call(conduit, CPU_ON, mpidr_of[1], (u64)core_entry, 0);
	await(&ready, 1);
	fired[0] = 0;
	timer_in(PERIOD);
	while (fired[0] < TIMES)
		call(conduit, PSCI_VERSION, 0, 0, 0);
	await(&fired[1], TIMES);
	number("fired at core 0", timer[0].count);
	number("and at core 1", timer[1].count);
	number("without cause", spurious[0] + spurious[1]);
	number("wrong", wrong);
	number("RELEASE", sdei1(INTERRUPT_RELEASE, timer_event));

	handle(alarm_event, &alarm, 0, 0);
	alarm_in(1);
	await(&alarms, 1);
	number("the alarm, at core", alarm_core);
	number("ROUTING_SET", sdei(EVENT_DISABLE, alarm_event, 0, 0, 0, 0) | sdei(EVENT_ROUTING_SET, alarm_event, 1, mpidr_of[1], 0, 0));
	number("enable", sdei1(EVENT_ENABLE, alarm_event));
	alarm_in(1);
	await(&alarms, 2);
	number("the alarm, at core", alarm_core);
	number("routed to any", sdei(EVENT_DISABLE, alarm_event, 0, 0, 0, 0) | sdei(EVENT_ROUTING_SET, alarm_event, 0, 0, 0, 0) | sdei1(EVENT_ENABLE, alarm_event));
	off_now = 1;
	while (call(conduit, AFFINITY_INFO, mpidr_of[1], 0, 0) != 1)
		;
	alarm_in(1);
	while (alarms < 3)
		asm volatile("wfi" ::: "memory");
	number("the alarm, at core", alarm_core);
	number("SHARED_RESET", sdei0(SHARED_RESET));
	number("PRIVATE_RESET", sdei0(PRIVATE_RESET));
	number("SHARED_RESET", sdei0(SHARED_RESET));
	number("STATUS", sdei1(EVENT_STATUS, timer_event));
	fact("returned disabled", !(enabled(0) >> TIMER & 1));
	interrupts_on(0);
	timer_in(100);
	while (acknowledge() != TIMER)
		;
	print("the timer is the guest's again\n");
	off();
}
