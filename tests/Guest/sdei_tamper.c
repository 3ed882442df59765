/* A vendor's service that raises an event of SDEI at its caller: the handler runs between the refused call and the next instruction. */
#include "sdei.h"

#define TAMPER		0x40000001
#define ACME_EXTEND	0xc3000001
#define ACME_LOCK	0x83000005
#define LOCKED		(-3)

static struct seen seen;
static volatile u64 at_handler;

u64 on_event(struct seen *found)
{
	found->count++;
	at_handler = sdei1(EVENT_CONTEXT, 0);
	return 0;
}

int main(void)
{
	static const char measured[] = "late";

	use_smc();
	find_cores();
	handle(TAMPER, &seen, 0, 0);
	sdei0(PE_UNMASK);
	number("extend", call(smc_0, ACME_EXTEND, 0, (u64)measured, 4));
	number("handled", seen.count);
	number("lock", call(smc_0, ACME_LOCK, 0, 0, 0));
	for (u64 round = 1; round <= 100; round++) {
		long refused = call(smc_0, ACME_EXTEND, 0, (u64)measured, 4);
		/* The handler found the call's own result in x0 of what it interrupted: it was written first. */
		if (refused != LOCKED || seen.count != round || (long)at_handler != LOCKED) {
			number("wrong in round", round);
			number(" extend", refused);
			number(" handled", seen.count);
			number(" its x0", at_handler);
			off();
		}
	}
	number("handled", seen.count);
	off();
}
