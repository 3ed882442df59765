/* One call that takes a while, one that does not. */
#include "guest.h"

int main(void)
{
	print("asks\n");
	number("first", call(smc_0, COUNT_CALLS, 1500, 0, 0));
	number("second", call(hvc_0, COUNT_CALLS, 0, 0, 0));
	off();
}
