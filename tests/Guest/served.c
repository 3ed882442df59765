/* What a real daemon serves: framework rules, a stranger's service, claimed immediates, attention. */
#include "guest.h"

#define HELLO_ADD	0xc2000001	/* (a, b): a + b */
#define NARROW		0x83000021	/* (a): a + 1, as SMC32 */
#define USES		0xc3000022	/* x6 to x17: their sum */
#define THROW		0xc3000020
#define NOBODY		0xc6001234

static volatile u64 handled[2], other_runs, other_stop;

void handler(u64 event)
{
	handled[this_core()]++;
}

void core_main(u64 context, u64 pstate, u64 sctlr)
{
	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
	other_runs = context;
	while (!other_stop)
		;
	call(smc_0, CPU_OFF, 0, 0, 0);
}

static void probe(const char *name, void (*how)(u64 *))
{
	u64 buffer[34] = { ECHO, 41, 0, 0 };
	int kept = 1;

	how(buffer);
	for (int n = 4; n <= 30; n++)
		kept &= buffer[n] == 0x1111111100000000 + n;
	print(name);
	fact(" keeps x4 to x30 and its stack pointers", kept && buffer[31] == 0x5000000000000005 && buffer[32] == buffer[33]);
	print(name);
	fact(" gets x0 to x3", buffer[0] == 42 && buffer[1] == 0 && buffer[2] == (how == probe_smc ? 1 : 2) && buffer[3] == 1);
}

static void immediate(const char *name, instruction *how)
{
	regs r = { { ECHO, 1 } };

	how(&r);
	print(name);
	print(" reaches its service by conduit ");
	print_dec(r.r[2]);
	number(", immediate", r.r[1]);
}

static void refused(const char *name, u64 function)
{
	regs r = { { function, 1, 2, 3, 4 } };

	smc_0(&r);
	print(name);
	fact(" gives -1, x1 to x3 zero", r.r[0] == ~0ul && !r.r[1] && !r.r[2] && !r.r[3] && r.r[4] == 4);
}

static u64 target;

int main(void)
{
	regs r = { { MASKED, 1, 2, 3, 4, 0, 6, 7, 8, 0, 10, 11, 12, 13, 14, 15, 16, 0 } };
	u64 errors = 0, calls = 0;

	number("PSCI_VERSION", call(smc_0, PSCI_VERSION, 0, 0, 0));
	number("HELLO_ADD(40, 2)", call(hvc_0, HELLO_ADD, 40, 2, 0));
	probe("smc", probe_smc);
	probe("hvc", probe_hvc);
	immediate("smc #1", smc_1);
	immediate("smc #0xffff", smc_ffff);
	immediate("hvc #1", hvc_1);
	immediate("hvc #0xe200", hvc_e200);

	smc_0(&r);
	int right = r.r[0] == MASKED;
	for (int n = 1; n < 18; n++)
		right &= r.r[n] == (u64)n;
	fact("x5, x9 and x17 alone are written", right);
	r = (regs){ { USES, 0, 0, 0, 0, 0, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 } };
	smc_0(&r);
	number("x6 to x17 add up to", r.r[0]);
	call(smc_0, WRITE, (u64)&target, 0, 0);
	number("memory holds", *(volatile u64 *)&target);
	number("SMC32 arguments are 32 bits wide", call(smc_0, NARROW, 0xffffffff00000001, 0, 0));
	number("the upper half of x0 is ignored", call(smc_0, 0xdeadbeef00000000 | PSCI_VERSION, 0, 0, 0));
	refused("a service that throws", THROW);
	refused("a function that nobody serves", NOBODY);
	refused("a reserved bit", PSCI_VERSION | 1 << 20);

	call(smc_0, HANDLER, (u64)handler_entry, 0, 0);
	number("attention before the next instruction, a call gives", call(smc_0, ATTEND_HERE, 0, 0, 0));
	fact("and the handler has run", handled[0] == 1);
	call(smc_0, STORM, 0, 300, 0);
	while (handled[0] < 301) {
		errors += hvc_storm(SEVEN, 10);
		calls += 10;
	}
	fact("300 attentions under HVC", handled[0] == 301 && errors == 0);

	number("CPU_ON", call(smc_0, CPU_ON, 1, (u64)core_entry, 0x77));
	while (!other_runs)
		;
	number("context", other_runs);
	call(smc_0, STORM, 1, 100, 0);
	while (handled[1] < 100)
		;
	fact("100 attentions at another core, everything masked", handled[1] == 100);
	other_stop = 1;
	while (call(smc_0, AFFINITY_INFO, 1, 0, 0) != 1)
		;
	off();
}
