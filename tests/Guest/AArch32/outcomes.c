/* Calls of every kind, from both instruction sets; what became of each is for the test to compare. */
#include "guest.h"
#include "../outcomes.h"

int main(void)
{
	static instruction *const others[] = { a32_smc_1, t32_smc_1, a32_smc_f, t32_smc_f, a32_hvc_1, t32_hvc_1, a32_hvc_2, t32_hvc_2, a32_hvc_e200, t32_hvc_ffff };

	make_all(a32_smc_0);
	make_all(t32_hvc_0);
	for (u32 n = 0; n < COUNT(others); n++)
		make_other(others[n]);
	tell_and_wait();
}
