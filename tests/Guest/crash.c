/* A service that gives up. */
#include "guest.h"

int main(void)
{
	call(smc_0, CRASH, 0, 0, 0);
	print("AFTER\n");
	off();
}
