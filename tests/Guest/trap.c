/* Touches a register that only EL3 may: nothing can answer that. */
#include "guest.h"

int main(void)
{
	print("before\n");
	asm volatile("mrs x0, s3_0_c12_c8_0" ::: "x0");
	print("AFTER\n");
	off();
}
