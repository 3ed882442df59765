/*
 * SDEI events that arrive while a core runs a 32-bit process: AArch32 at EL0, of a guest whose own level is AArch64. The handler and its argument lie above
 * 4 GiB, where a kernel's do, so that an address that is cut to 32 bits is another. Core 1 signals once it has seen the process run.
 */
#include "sdei.h"

#define GiB		(1ul << 30)
#define HIGH(address)	((u64)(address) + 4 * GiB)	/* the same memory, the guest's own */
#define LOW(address)	((u64)(address) + 1 * GiB)	/* the same memory, the process's */

#define USER		0x10
#define THUMB		0x20

/* What the process counts, whether it is to end by its SVC, and how many processes there have been. */
static volatile struct { u32 turns, stop, processes; } shared;
static char stack[4096] __attribute__((aligned(16)));
static struct seen event;

struct process { u64 x[15], pc, pstate, esr; };
static struct process process;
void run(struct process *);

/* r0: shared. */
extern const char a32_loop[], a32_end[], t32_loop[], t32_end[];
asm(
"	.balign	4\n"
"a32_loop:\n"
"	.inst	0xe5901000\n"		/* ldr	r1, [r0] */
"	.inst	0xe2811001\n"		/* add	r1, r1, #1 */
"	.inst	0xe5801000\n"		/* str	r1, [r0] */
"	.inst	0xe5902004\n"		/* ldr	r2, [r0, #4] */
"	.inst	0xe3520000\n"		/* cmp	r2, #0 */
"	.inst	0x0afffff9\n"		/* beq	a32_loop */
"	.inst	0xef000000\n"		/* svc	#0 */
"a32_end:\n"
"t32_loop:\n"
"	.hword	0x6801\n"
"	.hword	0x3101\n"
"	.hword	0x6001\n"
"	.hword	0x6842\n"
"	.hword	0x2a00\n"
"	.hword	0xd0f9\n"
"	.hword	0xdf00\n"
"t32_end:\n"
"	.balign	4\n"
/* run(process): returns when it has ended by an exception, with what it had then. */
"run:	stp	x29, x30, [sp, #-112]!\n"
"	stp	x19, x20, [sp, #16]\n"
"	stp	x21, x22, [sp, #32]\n"
"	stp	x23, x24, [sp, #48]\n"
"	stp	x25, x26, [sp, #64]\n"
"	stp	x27, x28, [sp, #80]\n"
"	stp	x18, x0, [sp, #96]\n"
"	ldp	x1, x2, [x0, #120]\n"
"	msr	elr_el1, x1\n"
"	msr	spsr_el1, x2\n"
"	.irp	n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14\n"
"	ldr	x\\n, [x0, #(8 * \\n)]\n"
"	.endr\n"
"	ldr	x0, [x0]\n"
"	eret\n"
"	.global	from_below\n"
"from_below:\n"
"	ldr	x18, [sp, #104]\n"
"	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14\n"
"	str	x\\n, [x18, #(8 * \\n)]\n"
"	.endr\n"
"	mrs	x1, elr_el1\n"
"	mrs	x2, spsr_el1\n"
"	mrs	x3, esr_el1\n"
"	stp	x1, x2, [x18, #120]\n"
"	str	x3, [x18, #136]\n"
"	ldr	x18, [sp, #96]\n"
"	ldp	x27, x28, [sp, #80]\n"
"	ldp	x25, x26, [sp, #64]\n"
"	ldp	x23, x24, [sp, #48]\n"
"	ldp	x21, x22, [sp, #32]\n"
"	ldp	x19, x20, [sp, #16]\n"
"	ldp	x29, x30, [sp], #112\n"
"	ret\n");

static u64 tables[512] __attribute__((aligned(4096)));

/* Blocks of 1 GiB: devices and memory where they are, and the memory once more for the process and once more above 4 GiB. */
#define BLOCK		(1ul << 10 | 1)
#define NORMAL		(1ul << 2 | 3ul << 8)
#define EL0_TOO		(1ul << 6)
#define NOT_RUN_BY_EL1	(1ul << 53)
#define NOT_RUN_BY_EL0	(1ul << 54)

static void mmu_on(void)
{
	u64 sctlr;

	tables[0] = BLOCK | NOT_RUN_BY_EL1 | NOT_RUN_BY_EL0;
	tables[1] = GiB | BLOCK | NORMAL | NOT_RUN_BY_EL0;
	tables[2] = GiB | BLOCK | NORMAL | EL0_TOO | NOT_RUN_BY_EL1;
	tables[5] = GiB | BLOCK | NORMAL | NOT_RUN_BY_EL0;
	asm volatile("msr mair_el1, %0" :: "r"(0xff00ul));
	/* T0SZ for 39 bits, write-back, inner shareable; no TTBR1. */
	asm volatile("msr tcr_el1, %0" :: "r"(25ul | 1ul << 8 | 1ul << 10 | 3ul << 12 | 1ul << 23));
	asm volatile("msr ttbr0_el1, %0; dsb sy; isb; tlbi vmalle1; dsb sy; isb" :: "r"(tables) : "memory");
	asm volatile("mrs %0, sctlr_el1" : "=r"(sctlr));
	asm volatile("msr sctlr_el1, %0; isb" :: "r"(sctlr | 1ul << 0 | 1ul << 2 | 1ul << 12) : "memory");
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	regs r;

	mmu_on();
	for (u32 process = 1;; process++) {
		while (shared.processes < process || shared.turns < 1000)
			;
		r = (regs){ { EVENT_SIGNAL, 0, 0 } };
		smc_0(&r);
	}
}

u64 on_event(struct seen *seen)
{
	u64 here;

	asm volatile("adr %0, ." : "=r"(here));
	number(" the handler runs at", here >> 32);
	seen->count++;
	shared.stop = 1;
	return 0;
}

static void interrupted(const char *what, const char *loop, const char *end, u64 state)
{
	u64 from = event.count;
	int found = 1, kept = 1;

	print(what);
	print("\n");
	for (u64 n = 0; n < 15; n++)
		process.x[n] = 0x11111100 + n;
	process.x[0] = LOW(&shared);
	process.pc = LOW(loop);
	process.pstate = USER | state;
	shared.turns = 0;
	shared.stop = 0;
	asm volatile("dmb ish" ::: "memory");
	shared.processes++;
	run(&process);
	fact(" once", event.count == from + 1);
	fact(" x0 was the event, x1 its whole argument", event.x[0] == 0 && event.x[1] == HIGH(&event));
	fact(" x2 in the loop", event.x[2] >= LOW(loop) && event.x[2] < LOW(end));
	number(" x3", event.x[3] & 0x3f);
	number(" PSTATE without flags", event.pstate & 0xfffffff);
	for (u64 n = 4; n < 15; n++)
		found &= event.x[n] == 0x11111100 + n;
	fact(" x4 to x14 as interrupted", found);
	for (u64 n = 3; n < 15; n++)
		kept &= process.x[n] == 0x11111100 + n;
	fact(" afterwards r3 to r14 as before", kept);
	fact(" which ends by its own call", process.esr >> 26 == 0x11 && process.pc == LOW(end) && (process.pstate & 0x3f) == (USER | state));
}

int main(void)
{
	mmu_on();
	use_smc();
	event.stack = HIGH(stack + sizeof stack);
	number("register", sdei(EVENT_REGISTER, 0, HIGH(event_entry_smc), HIGH(&event), 0, 0));
	number("enable", sdei1(EVENT_ENABLE, 0));
	number("PE_UNMASK", sdei0(PE_UNMASK));
	number("CPU_ON", call(smc_0, CPU_ON, 1, (u64)core_entry, 0));
	interrupted("in A32", a32_loop, a32_end, 0);
	interrupted("in T32", t32_loop, t32_end, THUMB);
	off();
}
