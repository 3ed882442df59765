/* Calls of every kind; what became of each is for the test to compare. */
#include "guest.h"
#include "outcomes.h"

int main(void)
{
	static instruction *const others[] = { smc_1, smc_2, smc_e200, smc_e208, smc_ffff, hvc_1, hvc_2, hvc_e200, hvc_e208, hvc_ffff };

	make_all(smc_0);
	make_all(hvc_0);
	for (u32 n = 0; n < COUNT(others); n++)
		make_other(others[n]);
	tell_and_wait();
}
