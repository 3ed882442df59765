/* What a real daemon gives an AArch32 guest. */
#include "guest.h"

#define NARROW		0x83000021	/* (a): a + 1, as SMC32 */
#define CPU_ON_64	0xc4000003
#define HELLO_ADD	0xc2000001
#define SDEI_VERSION	0xc4000020
#define NOBODY		0x86001234

static volatile u32 context_of;

void core_main(u32 context, u32 cpsr, u32 sctlr, u32 thumb)
{
	context_of = context;
	call(t32_smc_0, CPU_OFF, 0, 0, 0);
}

static void refused(const char *name, instruction *how, u32 function)
{
	regs r = { { function, 1, 2, 3, 4 } };

	how(&r);
	print(name);
	fact(" gives -1, r1 to r3 zero", r.r[0] == ~0u && !r.r[1] && !r.r[2] && !r.r[3] && r.r[4] == 4);
}

static void immediate(const char *name, instruction *how)
{
	regs r = { { ECHO, 1 } };

	how(&r);
	print(name);
	print(" reaches its service by conduit ");
	print_hex(r.r[2]);
	number(", immediate", r.r[1]);
}

int main(void)
{
	number("PSCI_VERSION", call(a32_smc_0, PSCI_VERSION, 0, 0, 0));
	number("and by HVC", call(t32_hvc_0, PSCI_VERSION, 0, 0, 0));
	number("NARROW(41)", call(t32_smc_0, NARROW, 41, 0, 0));
	refused("CPU_ON as SMC64", a32_smc_0, CPU_ON_64);
	refused("HELLO_ADD, which is SMC64", t32_hvc_0, HELLO_ADD);
	refused("SDEI_VERSION, which is SMC64", a32_smc_0, SDEI_VERSION);
	refused("SDEI_VERSION with an SMC32 identifier", t32_hvc_0, SDEI_VERSION & ~(1u << 30));
	refused("a function that nobody serves", a32_smc_0, NOBODY);
	refused("smc #15, which nobody claims", t32_smc_f, PSCI_VERSION);
	immediate("A32 smc #1", a32_smc_1);
	immediate("T32 smc #1", t32_smc_1);
	immediate("A32 hvc #0xffff", a32_hvc_ffff);
	number("CPU_ON", call(a32_smc_0, CPU_ON, 1, (u32)core_entry_thumb, 0x77));
	while (call(a32_smc_0, AFFINITY_INFO, 1, 0, 0) != 1)
		;
	number("context", context_of);
	off();
}
