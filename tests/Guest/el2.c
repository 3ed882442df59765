/* A guest at EL2: what it starts with, calls from there and from below, HVC of its own, attention at both levels, another core. */
#include "guest.h"

#define HCR_VM		(1ul << 0)
#define HCR_TGE		(1ul << 27)
#define HCR_RW		(1ul << 31)
#define ECHO32		0x83000000

/* Runs code below with x0 to x3 until it makes an exception, whose class is the result. */
u64 enter_el1(u64 code, u64 pstate, u64 *x0_to_x3);
void inner_smc(void), inner_hvc(void), inner_loop(void), inner_a32(void);

asm("enter_el1:	stp	x29, x30, [sp, #-112]!\n"
"	stp	x19, x20, [sp, #16]\n"
"	stp	x21, x22, [sp, #32]\n"
"	stp	x23, x24, [sp, #48]\n"
"	stp	x25, x26, [sp, #64]\n"
"	stp	x27, x28, [sp, #80]\n"
"	str	x2, [sp, #96]\n"
"	msr	elr_el2, x0\n"
"	msr	spsr_el2, x1\n"
"	mov	x4, x2\n"
"	ldp	x0, x1, [x4]\n"
"	ldp	x2, x3, [x4, #16]\n"
"	eret\n"
"	.global	from_below\n"
"from_below:\n"
"	ldr	x4, [sp, #96]\n"
"	stp	x0, x1, [x4]\n"
"	stp	x2, x3, [x4, #16]\n"
"	mrs	x0, esr_el2\n"
"	lsr	x0, x0, #26\n"
"	ldp	x27, x28, [sp, #80]\n"
"	ldp	x25, x26, [sp, #64]\n"
"	ldp	x23, x24, [sp, #48]\n"
"	ldp	x21, x22, [sp, #32]\n"
"	ldp	x19, x20, [sp, #16]\n"
"	ldp	x29, x30, [sp], #112\n"
"	ret\n"
"inner_smc:	smc	#0x33\n"
"inner_hvc:	hvc	#1\n"
"inner_loop:	ldr	x1, [x0]\n"
"	cbz	x1, inner_loop\n"
"	hvc	#2\n"
"inner_a32:	.inst	0xe1600079\n"	/* smc #9 */
"	.inst	0xe1400070\n");	/* hvc #0 */

static volatile u64 handled[2], handled_el, attended, other_runs, other_stop;
static u64 translations[1024] __attribute__((aligned(8192)));

#define read(name) ({ u64 value; asm volatile("mrs %0, " #name : "=r"(value)); value; })
#define write(name, value) asm volatile("msr " #name ", %0; isb" :: "r"((u64)(value)) : "memory")

void handler(u64 event)
{
	handled[this_core()]++;
	handled_el = read(currentel) >> 2;
	attended = 1;
}

static volatile u64 other_pstate, other_sctlr, other_hcr, other_context;

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	other_context = context;
	other_pstate = pstate;
	other_sctlr = sctlr;
	other_hcr = read(hcr_el2);
	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
	other_runs++;
	while (context && !other_stop)
		;
	write(hcr_el2, HCR_RW | HCR_TGE);	/* a core that stops leaves something behind */
	call(smc_0, CPU_OFF, 0, 0, 0);
}

static void report_other(void)
{
	number("starts with PSTATE", other_pstate);
	number(" context", other_context);
	number(" SCTLR_EL2", other_sctlr);
	number(" HCR_EL2", other_hcr);
}

static void storm(const char *name, u64 core, u64 count)
{
	u64 from = handled[core];

	call(smc_0, STORM, core, count, 0);
	while (handled[core] < from + count)
		;
	fact(name, handled[core] == from + count);
}

static void a32_immediate(const char *name, u64 code)
{
	u64 x[4] = { ECHO32, 41, 0, 0 };

	number(name, enter_el1(code, 0x1d3, x) == 0x12 && x[0] == 42 ? x[1] : ~0ul);
}

int main(void)
{
	u64 x[4], vbar, syndrome;
	regs r = { { ECHO, 41 } };

	number("exception level", read(currentel) >> 2);
	fact("with its own stack pointer, masked", read(spsel) == 1 && read(daif) == 0x3c0);
	number("HCR_EL2", read(hcr_el2));
	vbar = read(vbar_el2);
	smc_ffff(&r);
	number("smc #0xffff arrives with immediate", r.r[1]);
	r = (regs){ { ECHO, 41 } };
	smc_e208(&r);
	number("smc #0xe208 arrives with immediate", r.r[1]);
	fact("calls leave VBAR_EL2 alone", read(vbar_el2) == vbar);
	number("system load", call(smc_0, SYSTEM_LOAD, 0, 0, 0));
	number("SP_EL0", read(sp_el0));
	number("ELR_EL2", read(elr_el2));
	number("SPSR_EL2", read(spsr_el2));
	fact("EL1 has its own", read(elr_el1) == 0 && read(spsr_el1) == 0);

	write(sctlr_el1, 0x30d00800);
	x[0] = ECHO, x[1] = 41, x[2] = x[3] = 0;
	syndrome = enter_el1((u64)inner_smc, 0x3c5, x);
	number("a guest of this guest calls with immediate", syndrome == 0x16 && x[0] == 42 ? x[1] : ~0ul);
	syndrome = enter_el1((u64)inner_hvc, 0x3c5, x);
	number("and its HVC comes here with class", syndrome);

	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
	call(smc_0, ATTEND, 0, 20000, 0);
	while (!handled[0])
		;
	number("attention into a masked loop is handled at EL", handled_el);
	attended = 0;
	call(smc_0, ATTEND, 0, 20000, 0);
	x[0] = (u64)&attended;
	syndrome = enter_el1((u64)inner_loop, 0x3c5, x);
	number("and out of the inner guest", handled_el);
	number("which goes on to its HVC of class", syndrome);
	storm("a storm of 500", 0, 500);

	if (call(smc_0, CPU_ON, 1, (u64)core_entry, 0x77) == 0)
		while (!other_runs)
			;
	report_other();
	storm("a storm of 300 at it", 1, 300);
	other_stop = 1;
	while (call(smc_0, AFFINITY_INFO, 1, 0, 0) != 1)
		;
	call(smc_0, CPU_ON, 1, (u64)core_entry, 0);
	while (call(smc_0, AFFINITY_INFO, 1, 0, 0) != 1 || other_runs < 2)
		;
	report_other();

	write(hcr_el2, 0);
	write(sctlr_el1, 0x00c50838);
	a32_immediate("an AArch32 guest of this guest calls with immediate", (u64)inner_a32);
	/* IPA 0 to 1 GiB is RAM. */
	translations[0] = 0x40000000 | 0x7fd;
	write(vttbr_el2, translations);
	write(vtcr_el2, 0x80000000ul | 1 << 6 | 32);	/* 4 GiB, from level 1 */
	asm volatile("dsb sy; tlbi alle1; dsb sy; isb");
	write(hcr_el2, HCR_VM);
	a32_immediate("and by a stage 2 of this guest", (u64)inner_a32 - 0x40000000);
	off();
}
