/*
 * Events that an operator raises: private and shared ones of normal and critical priority, of which the critical ones interrupt the others. Each handler says
 * on its way in what it has interrupted; one of normal priority goes on when a critical one has run on top of it.
 */
#include "sdei.h"

#define NORMAL		0x40000001	/* private */
#define CRITICAL	0x40000002	/* private */
#define SHARED		0x40000003	/* normal, to any core */
#define ROUTED		0x40000004	/* critical, to core 1 */

static struct seen normal[2], critical[2], shared, routed;
static volatile u64 ready;

/* The other handler's stack is its own: whoever runs on it is that handler. */
static int in_handler(u64 sp, struct seen *other)
{
	return sp > other->stack - 4096 && sp <= other->stack;
}

u64 on_event(struct seen *seen)
{
	u64 core = number_of(this_core());
	u64 before = critical[core].count;

	seen->count++;
	if (seen == &critical[core] || seen == &routed) {
		if (in_handler(seen->sp, &normal[core])) {
			number("critical on top of normal at core", core);
			number(" its x3 without flags", seen->x[3] & ~0xf0000000);
		} else {
			number("critical at core", core);
		}
		return 0;
	}
	number(seen == &shared ? "shared at core" : "normal at core", core);
	number(" its x0", seen->x[0]);
	if (seen != &shared) {
		await(&critical[core].count, before + 1);
		print(" goes on\n");
	}
	return 0;
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	handle(NORMAL, &normal[1], 0, 0);
	handle(CRITICAL, &critical[1], 0, 0);
	sdei0(PE_UNMASK);
	ready = 1;
	for (;;)
		;
}

int main(void)
{
	use_smc();
	find_cores();
	for (u64 event = NORMAL; event <= ROUTED; event++) {
		number("type", sdei2(EVENT_GET_INFO, event, 0));
		number("signalled", sdei2(EVENT_GET_INFO, event, 1));
		number("priority", sdei2(EVENT_GET_INFO, event, 2));
		number("SIGNAL", sdei2(EVENT_SIGNAL, event, 0));
	}
	handle(NORMAL, &normal[0], 0, 0);
	handle(CRITICAL, &critical[0], 0, 0);
	handle(SHARED, &shared, 0, 0);
	handle(ROUTED, &routed, 1, mpidr_of[1]);
	number("mode", sdei2(EVENT_GET_INFO, ROUTED, 3));
	number("affinity", sdei2(EVENT_GET_INFO, ROUTED, 4));
	call(conduit, CPU_ON, mpidr_of[1], (u64)core_entry, 0);
	await(&ready, 1);
	print("masked\n");
	await(&routed.count, 1);
	sdei0(PE_UNMASK);
	await(&shared.count, 2);
	print("unmasked\n");
	await(&normal[0].count, 2);
	await(&normal[1].count, 1);
	await(&shared.count, 3);
	number("a handler of that state", sdei1(EVENT_STATUS, SHARED));
	number("mode", sdei(EVENT_ROUTING_SET, SHARED, 1, mpidr_of[1], 0, 0));
	number("disable", sdei1(EVENT_DISABLE, SHARED));
	number("mode", sdei(EVENT_ROUTING_SET, SHARED, 1, mpidr_of[1], 0, 0));
	print("disabled\n");
	await(&routed.count, 2);
	number("enable", sdei1(EVENT_ENABLE, SHARED));
	await(&shared.count, 4);
	off();
}
