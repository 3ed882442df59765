/* The console's interrupt is routed to a core that is about to go off, and comes before, while and after it does: on one of the two it fires, once. */
#include "guest.h"

#define ROUNDS		300
#define UART_INTID	33
#define UART		((volatile u32 *)0x09000000)
#define UARTIMSC	14
#define UARTICR		17
#define TXIM		0x20
#define OF_INTERRUPT	(1ul << 32)

static volatile u64 fired, on[2], wrong;

void handler(u64 event)
{
	wrong += event != (OF_INTERRUPT | UART_INTID);
	UART[UARTIMSC] = 0;
	on[number_of(this_core())]++;
	fired++;
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
	wrong += call(hvc_0, TAKE, UART_INTID, 0, 0) != 0;
	call(smc_0, CPU_OFF, 0, 0, 0);
}

int main(void)
{
	find_cores();
	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
	for (u64 round = 1; round <= ROUNDS; round++) {
		u64 from;

		UART[UARTICR] = 0x7ff;
		wrong += call(smc_0, CPU_ON, mpidr_of[1], (u64)core_entry, 0) != 0;
		from = counter();
		while (microseconds(counter() - from) < round * 17 % 1500)
			;
		UART[0] = '.';
		UART[UARTIMSC] = TXIM;
		from = counter();
		while (fired < round)
			if (microseconds(counter() - from) > 60000000) {
				print("LOST\n");
				off();
			}
		while (call(smc_0, AFFINITY_INFO, mpidr_of[1], 0, 0) != 1)
			;
		wrong += fired != round;
		wrong += call(hvc_0, GIVE_BACK, UART_INTID, 0, 0) != 0;
	}
	print("\n");
	number("wrong", wrong);
	fact("before it went off and after", on[0] && on[1] && on[0] + on[1] == ROUNDS);
	off();
}
