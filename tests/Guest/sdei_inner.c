/* A guest at EL2 with code of its own at EL1: there is no SDEI for that one, but events interrupt it, and it goes on where it was. */
#include "sdei.h"

u64 enter_inner(void (*code)(void), u64 x0);
void inner_call(void), inner_loop(void);

asm("enter_inner:	stp	x29, x30, [sp, #-96]!\n"
"	stp	x19, x20, [sp, #16]\n"
"	stp	x21, x22, [sp, #32]\n"
"	stp	x23, x24, [sp, #48]\n"
"	stp	x25, x26, [sp, #64]\n"
"	stp	x27, x28, [sp, #80]\n"
"	msr	elr_el2, x0\n"
"	mov	x2, #0x3c5\n"
"	msr	spsr_el2, x2\n"
"	mov	x2, #(1 << 31)\n"
"	msr	hcr_el2, x2\n"
"	isb\n"
"	mov	x0, x1\n"
"	eret\n"
"	.global	from_below\n"
"from_below:	ldp	x27, x28, [sp, #80]\n"
"	ldp	x25, x26, [sp, #64]\n"
"	ldp	x23, x24, [sp, #48]\n"
"	ldp	x21, x22, [sp, #32]\n"
"	ldp	x19, x20, [sp, #16]\n"
"	ldp	x29, x30, [sp], #96\n"
"	ret\n"
"inner_call:	smc	#0\n"
"	hvc	#1\n"
"inner_loop:	ldr	x1, [x0]\n"
"	cbz	x1, inner_loop\n"
"	mov	x0, #0x77\n"
"	hvc	#2\n");

static struct seen event;
static volatile u64 ready;

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	await(&ready, 1);
	for (u64 from = counter(); microseconds(counter() - from) < 20000;)
		;
	sdei2(EVENT_SIGNAL, 0, context);
	for (;;)
		;
}

int main(void)
{
	use_smc();
	number("version", sdei0(SDEI_VERSION));
	for (u64 function = SDEI_VERSION; function <= SHARED_RESET; function++)
		if (enter_inner(inner_call, function) != ~0ul)
			number("SERVED FOR THE INNER ONE", function);
	number("PE_MASK", sdei0(PE_MASK));
	handle(0, &event, 0, 0);
	sdei0(PE_UNMASK);
	call(conduit, CPU_ON, 1, (u64)core_entry, this_core());
	ready = 1;
	number("the inner one ends with", enter_inner(inner_loop, (u64)&event.count));
	fact("it was interrupted in its loop", event.x[2] == (u64)inner_loop || event.x[2] == (u64)inner_loop + 4);
	number("in state", event.x[3] & ~0xf0000000);
	number("by a handler in state", event.pstate & ~0xf0000000);
	off();
}
