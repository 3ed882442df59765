/* One call that takes a while, one that does not. Whoever answers the first may start core 1 at the entry that it names. */
#include "guest.h"

static volatile u64 starts, context_is;

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	context_is = context;
	starts++;
	call(smc_0, CPU_OFF, 0, 0, 0);
}

int main(void)
{
	u64 from = counter(), first;

	print("asks\n");
	first = call(smc_0, COUNT_CALLS, 1500, (u64)core_entry, 0);
	number("first", first);
	number("second", call(hvc_0, COUNT_CALLS, 0, 0, 0));
	while (!first && !starts && microseconds(counter() - from) < 60000000)
		;
	number("starts", starts);
	number("context", context_is);
	off();
}
