/*
 * A client of SDEI on core 0, by one conduit and then by the other: the specification's own examples, what a handler finds and what it leaves behind, wherever
 * it interrupts. Core 1 signals.
 */
#include "sdei.h"

#define PSCI_1_3	0x10003
#define MASKED_ALL	0x3c0
#define NZCV_HOLD	0xa0000000

static struct seen event, kept;
static volatile u64 signal_to, signal_after, signalled;
static u64 (*inside)(struct seen *);

#define read(name) ({ u64 value; asm volatile("mrs %0, " #name : "=r"(value)); value; })
#define write(name, value) asm volatile("msr " #name ", %0; isb" :: "r"((u64)(value)) : "memory")

/* Core 1: a signal to core 0 so many microseconds after it was asked for. */
void core_main(u64 context, u64 pstate, u64 sctlr)
{
	regs r;

	for (u64 done = 0;; done++) {
		while (signal_to == done)
			;
		for (u64 from = counter(); microseconds(counter() - from) < signal_after;)
			;
		r = (regs){ { EVENT_SIGNAL, 0, 0 } };
		smc_0(&r);
		signalled = done + 1;
	}
}

static void signal_in(u64 microseconds)
{
	await(&signalled, signal_to);
	signal_after = microseconds;
	signal_to++;
}

u64 on_event(struct seen *seen)
{
	u64 (*what)(struct seen *) = inside;
	u64 leave = 0;

	if (what)
		leave = what(seen);
	seen->count++;
	return leave;
}

/* ---- the specification's examples */

static u64 context_of_unmask;

static u64 in_first(struct seen *seen)
{
	number("in the handler, CONTEXT(0)", sdei1(EVENT_CONTEXT, 0));
	number("CONTEXT(18)", sdei1(EVENT_CONTEXT, 18));
	number("STATUS", sdei1(EVENT_STATUS, 0));
	return 0;
}

static u64 in_second(struct seen *seen)
{
	number("in the handler, UNREGISTER", sdei1(EVENT_UNREGISTER, 0));
	number("STATUS", sdei1(EVENT_STATUS, 0));
	number("UNREGISTER", sdei1(EVENT_UNREGISTER, 0));
	number("REGISTER", sdei(EVENT_REGISTER, 0, (u64)hold, 0, 0, 0));
	number("C&R to an odd address", sdei1(EVENT_COMPLETE_AND_RESUME, 2));
	return 0;
}

static void examples(void)
{
	u64 from = event.count;

	number("version", sdei0(SDEI_VERSION));
	number("PE_MASK", sdei0(PE_MASK));
	number("PE_UNMASK", sdei0(PE_UNMASK));
	number("PE_MASK", sdei0(PE_MASK));
	number("STATUS", sdei1(EVENT_STATUS, 0));
	number("ENABLE", sdei1(EVENT_ENABLE, 0));
	handle(0, &event, 0, 0);
	number("REGISTER", sdei(EVENT_REGISTER, 0, (u64)hold, 0, 0, 0));
	number("STATUS", sdei1(EVENT_STATUS, 0));
	number("CONTEXT(0)", sdei1(EVENT_CONTEXT, 0));
	number("COMPLETE", sdei1(EVENT_COMPLETE, 0));
	number("C&R", sdei1(EVENT_COMPLETE_AND_RESUME, 0));
	number("GET_INFO(0, 3)", sdei2(EVENT_GET_INFO, 0, 3));
	number("GET_INFO(0x7fffffff, 0)", sdei2(EVENT_GET_INFO, 0x7fffffff, 0));
	number("SIGNAL(1)", sdei2(EVENT_SIGNAL, 1, 0));
	number("SIGNAL to nobody", sdei2(EVENT_SIGNAL, 0, 0x77));
	number("FEATURES(1)", sdei1(SDEI_FEATURES, 1));
	number("FEATURES(2)", sdei1(SDEI_FEATURES, 2));
	number("ROUTING_SET", sdei(EVENT_ROUTING_SET, 0, 0, 0, 0, 0));
	inside = in_first;
	number("SIGNAL to itself, masked", sdei2(EVENT_SIGNAL, 0, this_core()));
	fact("nothing happens", event.count == from);
	context_of_unmask = sdei0(PE_UNMASK);
	fact("the handler has run before the next instruction", event.count == from + 1);
	number("and PE_UNMASK gave", context_of_unmask);
	fact("x0 was the event, x1 its argument", event.x[0] == 0 && event.x[1] == (u64)&event);
	inside = in_second;
	number("SIGNAL to itself", sdei2(EVENT_SIGNAL, 0, this_core()));
	fact("the handler has run before the next instruction", event.count == from + 2);
	number("STATUS", sdei1(EVENT_STATUS, 0));
	handle(0, &event, 0, 0);
}

/* Version 1.1: the entry point as an offset from VBAR. */
static void relative(void)
{
	u64 from = event.count, vbar = read(currentel) == 8 ? read(vbar_el2) : read(vbar_el1);

	inside = 0;
	number("UNREGISTER", sdei1(EVENT_UNREGISTER, 0));
	number("REGISTER, relative", sdei(EVENT_REGISTER, 0, (u64)(conduit == smc_0 ? event_entry_smc : event_entry_hvc) - vbar, (u64)&event, 2, 0));
	number("ENABLE", sdei1(EVENT_ENABLE, 0));
	number("SIGNAL to itself", sdei2(EVENT_SIGNAL, 0, this_core()));
	fact("the handler has run", event.count == from + 1);
}

/* ---- what it finds, wherever it interrupts */

static u64 release(struct seen *seen)
{
	held = &kept;
	return 0;
}

static u64 release_and_resume(struct seen *seen)
{
	held = &kept;
	return (u64)landing;
}

static int within_loop(u64 pc)
{
	return pc == (u64)hold_loop || pc == (u64)hold_loop + 4;
}

static void interrupted(const char *what, u64 daif, u64 (*leave)(struct seen *))
{
	u64 from = event.count, level = read(currentel), sp, esr, far;

	print(what);
	print("\n");
	held = 0;
	inside = leave;
	if (level == 8) {
		write(elr_el2, 0xe11);
		write(spsr_el2, 0x3c9);
		esr = read(esr_el2), far = read(far_el2);
	} else {
		write(elr_el1, 0xe11);
		write(spsr_el1, 0x3c5);
		esr = read(esr_el1), far = read(far_el1);
	}
	signal_in(2000);
	hold(NZCV_HOLD, daif);
	asm volatile("mov %0, sp" : "=r"(sp));
	fact(" once", event.count == from + 1);
	fact(" x2 in the loop, x3 its state", within_loop(event.x[2]) && event.x[3] == (NZCV_HOLD | daif | level | 1));
	fact(" x4 to x29 as interrupted", event.x[4] == 0x1111111100000004 && event.x[17] == 0x1111111100000011 && event.x[29] == 0x111111110000001d);
	fact(" SP_EL0 and SP", event.sp_el0 == 0x5000000000000005 && event.sp == sp - 112);
	number(" PSTATE", event.pstate);
	fact(" ELR, SPSR, ESR, FAR untouched", event.elr == 0xe11 && event.spsr == (level == 8 ? 0x3c9 : 0x3c5) && event.esr == esr && event.far == far);
	fact(" afterwards all as before", holds_pattern(kept.x) && kept.pstate == (NZCV_HOLD | daif) && kept.sp_el0 == 0x5000000000000005);
	if (leave == release_and_resume) {
		number(" resumed with PSTATE", landed.pstate);
		fact(" ELR and SPSR what was interrupted", landed.elr == event.x[2] && landed.spsr == event.x[3]);
		fact(" x0 to x29 as interrupted", holds_pattern(landed.x) && landed.sp == event.sp);
	} else {
		fact(" ELR and SPSR untouched", level == 8 ? read(elr_el2) == 0xe11 : read(elr_el1) == 0xe11 && read(spsr_el1) == 0x3c5);
	}
}

/* ---- in the middle of calls, which have their results before the handler is entered */

static u64 after_call, in_calls, wrong_contexts;

static u64 read_context(struct seen *seen)
{
	if (seen->x[2] == after_call) {
		in_calls++;
		wrong_contexts += sdei1(EVENT_CONTEXT, 0) != PSCI_1_3 || sdei1(EVENT_CONTEXT, 1) || sdei1(EVENT_CONTEXT, 4) != 0x4404 || sdei1(EVENT_CONTEXT, 17) != 0x4411;
	}
	return 0;
}

static void in_a_call(void)
{
	u64 from = event.count, wrong = 0, signals = 0;
	regs r;

	for (after_call = (u64)conduit; *(u32 *)after_call >> 2 << 2 != 0xd4000000; after_call += 4)
		;
	after_call += 4;
	in_calls = 0;
	wrong_contexts = 0;
	inside = read_context;
	while (in_calls < 100) {
		if (event.count == from + signals) {
			signals++;
			signal_in(signals * 7 % 500);
		}
		r = (regs){ { PSCI_VERSION, 1, 2, 3, 0x4404 } };
		r.r[17] = 0x4411;
		conduit(&r);
		wrong += r.r[0] != PSCI_1_3 || r.r[1] || r.r[2] || r.r[3] || r.r[4] != 0x4404 || r.r[17] != 0x4411;
	}
	await(&event.count, from + signals);
	fact("in the middle of a hundred calls: their results stand", wrong == 0);
	fact(" and CONTEXT has them", wrong_contexts == 0);
}

static void asleep(void)
{
	u64 from = event.count;

	inside = 0;
	signal_in(20000);
	while (event.count == from)
		asm volatile("wfi" ::: "memory");
	fact("out of WFI", event.count == from + 1);
	signal_in(20000);
	number("out of standby, which gives", call(conduit, CPU_SUSPEND, 0, 0, 0));
	fact(" and the handler has run", event.count == from + 2);
}

static void all(void)
{
	examples();
	relative();
	interrupted("unmasked", 0, release);
	interrupted("with all interrupts masked", MASKED_ALL, release);
	interrupted("left by COMPLETE_AND_RESUME", 0, release_and_resume);
	in_a_call();
	asleep();
	inside = 0;
	number("PRIVATE_RESET", sdei0(PRIVATE_RESET));
	number("STATUS", sdei1(EVENT_STATUS, 0));
	number("SHARED_RESET", sdei0(SHARED_RESET));
	number("PE_MASK", sdei0(PE_MASK));
}

int main(void)
{
	use_smc();
	call(conduit, CPU_ON, 1, (u64)core_entry, 0);
	all();
	if (read(currentel) == 4) {
		print("by HVC\n");
		use_hvc();
		all();
	}
	off();
}
