/* Registers, immediates, results, fallback. */
#include "guest.h"

static void probe(const char *name, void (*how)(u64 *))
{
	u64 buffer[34] = { ECHO, 41, 0, 0 };
	int kept = 1;

	how(buffer);
	for (int n = 4; n <= 30; n++)
		kept &= buffer[n] == 0x1111111100000000 + n;
	print(name);
	fact(" keeps x4 to x30", kept);
	print(name);
	fact(" keeps SP_EL0 and SP_EL1", buffer[31] == 0x5000000000000005 && buffer[32] == buffer[33]);
	print(name);
	fact(" gets x0 to x3", buffer[0] == 42 && buffer[1] == 0 && buffer[2] == (how == probe_smc ? 1 : 2));
}

static void immediate(const char *name, instruction *how)
{
	regs r = { { ECHO, 1 } };

	how(&r);
	print(name);
	print(" arrives as conduit ");
	print_dec(r.r[2]);
	number(", immediate", r.r[1]);
}

static void fallback(const char *name, u64 function)
{
	regs r = { { function, 1, 2, 3, 4 } };

	smc_0(&r);
	print(name);
	fact(" falls back", r.r[0] == ~0ul && !r.r[1] && !r.r[2] && !r.r[3] && r.r[4] == 4);
	r = (regs){ { ECHO, 1 } };
	smc_0(&r);
	number("the next exit says of it", r.r[3]);
}

static u64 target;

int main(void)
{
	u64 el;

	asm("mrs %0, currentel" : "=r"(el));
	number("exception level", el >> 2);
	probe("smc", probe_smc);
	probe("hvc", probe_hvc);
	immediate("smc #0", smc_0);
	immediate("smc #1", smc_1);
	immediate("smc #0xe200", smc_e200);
	immediate("smc #0xe208", smc_e208);
	immediate("smc #0xffff", smc_ffff);
	immediate("hvc #0", hvc_0);
	immediate("hvc #1", hvc_1);
	immediate("hvc #0xe200", hvc_e200);
	immediate("hvc #0xffff", hvc_ffff);

	regs r = { { MASKED, 1, 2, 3, 4, 0, 6, 7, 8, 0, 10, 11, 12, 13, 14, 15, 16, 0 } };
	smc_0(&r);
	int right = r.r[0] == MASKED;
	for (int n = 1; n < 18; n++)
		right &= r.r[n] == (u64)n;
	fact("masked results", right);

	number("memory write", call(smc_0, WRITE, (u64)&target, 0, 0));
	number("memory holds", *(volatile u64 *)&target);

	r = (regs){ { NEED, (u64)&target, 0, 0, 4 } };
	smc_0(&r);
	fact("supplied x30 is this code", r.r[0] - (u64)main < 0x1000 || r.r[0] >> 16 == (u64)main >> 16);
	number("supplied memory", r.r[1]);

	u64 sp, elr, spsr;
	number("system load", call(hvc_0, SYSTEM_LOAD, 0, 0, 0));
	asm volatile("mrs %0, sp_el0; mrs %1, elr_el1; mrs %2, spsr_el1" : "=r"(sp), "=r"(elr), "=r"(spsr));
	number("SP_EL0", sp);
	number("ELR_EL1", elr);
	number("SPSR_EL1", spsr);

	number("slow answer", call(smc_0, SLOW, 300, 0, 0));
	fallback("silence", SILENT);
	fallback("an answer into the mailboxes", WRITE_MAILBOX);
	fallback("an answer above EL1", LOAD_EL3);
	off();
}
