/* Shared by the guests that are clients of SDEI. */
#include "sdei.h"

instruction *conduit;
struct seen landed;
static void (*entry)(struct seen *);
static char stacks[16][5][4096] __attribute__((aligned(16)));
static u64 stacks_used[16];

void use_smc(void)
{
	conduit = smc_0;
	entry = event_entry_smc;
}

void use_hvc(void)
{
	conduit = hvc_0;
	entry = event_entry_hvc;
}

long sdei(u64 function, u64 a, u64 b, u64 c, u64 flags, u64 affinity)
{
	regs r = { { function, a, b, c, flags, affinity } };

	conduit(&r);
	return r.r[0];
}

void handle(u64 event, struct seen *seen, u64 flags, u64 affinity)
{
	u64 core = this_core() & 15;

	if (!seen->stack)
		seen->stack = (u64)stacks[core][++stacks_used[core]];
	number("register", sdei(EVENT_REGISTER, event, (u64)entry, (u64)seen, flags, affinity));
	number("enable", sdei1(EVENT_ENABLE, event));
}

void await(volatile u64 *count, u64 value)
{
	while (*count < value)
		;
}

/* x0 to x29 as hold has them. */
int holds_pattern(const u64 *x)
{
	for (u64 n = 0; n < 30; n++)
		if (x[n] != 0x1111111100000000 + n)
			return 0;
	return 1;
}

u64 __attribute__((weak)) on_event(struct seen *seen)
{
	seen->count++;
	return 0;
}
