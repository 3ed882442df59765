/* Gives typed letters back as capitals, until a q. */
#include "guest.h"

#define UART ((volatile u32 *)0x09000000)

int main(void)
{
	char typed[2] = "";

	UART[0x2c / 4] = 0x10;
	UART[0x30 / 4] = 0x301;
	print("type\n");
	for (;;) {
		while (UART[6] & 0x10)
			;
		typed[0] = UART[0];
		if (typed[0] == 'q')
			break;
		if (typed[0] >= 'a' && typed[0] <= 'z')
			typed[0] -= 32;
		print(typed);
	}
	print("\n");
	off();
}
