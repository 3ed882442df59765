/* How an AArch32 guest starts; its registers over a call, immediates, conditions, results. */
#include "guest.h"

void a32_probe_smc(u32 *), a32_probe_hvc(u32 *), t32_probe_smc(u32 *), t32_probe_hvc(u32 *);
void loose_a32(void), loose_t32(void);
typedef u32 condition(u32 nzcv, regs *);
extern condition *a32_if[14], *t32_if[14];

#define MAILBOXES	0x5fe00000

static u32 translations[4096] __attribute__((aligned(16384)));
static unsigned short pages[4096] __attribute__((aligned(4096)));

static void probe(const char *name, void (*how)(u32 *), u32 conduit)
{
	u32 buffer[25] = { ECHO, 41, 0, 0 };
	int kept = buffer[13] == buffer[24];

	how(buffer);
	for (u32 n = 4; n <= 14; n++)
		kept &= n == 13 ? buffer[n] == buffer[24] : buffer[n] == 0x11110000 + n;
	for (u32 n = 15; n <= 23; n++)
		kept &= buffer[n] == 0x11110010 + n - 15;
	print(name);
	fact(" keeps r4 to r14 and the banked registers", kept);
	print(name);
	fact(" gets r0 to r3", buffer[0] == 42 && buffer[1] == 0 && buffer[2] == conduit && buffer[3] <= 1);
}

static void immediate(const char *name, instruction *how)
{
	regs r = { { ECHO, 1 } };

	how(&r);
	print(name);
	print(" arrives as conduit ");
	print_hex(r.r[2]);
	number(", immediate", r.r[1]);
}

static void immediate_at(const char *name, u32 code)
{
	regs r = { { ECHO, 1 } };

	through(&r, code);
	number(name, r.r[1]);
}

static void conditions(const char *name, condition **table)
{
	u32 right = 0, calls = 0;

	for (u32 nzcv = 0; nzcv < 16; nzcv++)
		for (int cc = 0; cc < 14; cc++) {
			regs r = { { ECHO, 41 } };
			u32 holds = table[cc](nzcv << 28, &r);

			right += holds ? r.r[0] == 42 && r.r[1] == 1 : r.r[0] == ECHO && r.r[1] == 41;
			calls += holds;
		}
	print(name);
	number(" conditions right", right);
	print(name);
	number(" calls made", calls);
}

/* Sections: everything where it is, and RAM a second time at 0xc0000000. */
static void mmu(int on)
{
	u32 sctlr;

	for (u32 n = 0; n < 4096; n++)
		translations[n] = (n >= 0xc00 && n < 0xe00 ? n - 0x800 : n) << 20 | 0xc02;
	asm volatile("mcr p15, 0, %0, c2, c0, 0; mcr p15, 0, %1, c2, c0, 2; mcr p15, 0, %2, c3, c0, 0; mcr p15, 0, %1, c8, c7, 0; dsb; isb"
		:: "r"(translations), "r"(0), "r"(~0u) : "memory");
	asm volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(sctlr));
	asm volatile("mcr p15, 0, %0, c1, c0, 0; isb" :: "r"(on ? sctlr | 1 : sctlr & ~1u) : "memory");
}

int main(void)
{
	regs r;

	number("r0", entry[0]);
	number("r1", entry[1]);
	fact("r2 is the device tree", *(volatile u32 *)entry[2] == 0xedfe0dd0);
	number("mode and masks", entry[3] & 0x3ff);

	probe("A32 smc", a32_probe_smc, 1);
	probe("A32 hvc", a32_probe_hvc, 2);
	probe("T32 smc", t32_probe_smc, 1);
	probe("T32 hvc", t32_probe_hvc, 2);
	immediate("A32 smc #0", a32_smc_0);
	immediate("A32 smc #1", a32_smc_1);
	immediate("A32 smc #15", a32_smc_f);
	immediate("A32 hvc #0", a32_hvc_0);
	immediate("A32 hvc #1", a32_hvc_1);
	immediate("A32 hvc #0xe200", a32_hvc_e200);
	immediate("A32 hvc #0xffff", a32_hvc_ffff);
	immediate("T32 smc #0", t32_smc_0);
	immediate("T32 smc #1", t32_smc_1);
	immediate("T32 smc #15", t32_smc_f);
	immediate("T32 hvc #0", t32_hvc_0);
	immediate("T32 hvc #1", t32_hvc_1);
	immediate("T32 hvc #0xe200", t32_hvc_e200);
	immediate("T32 hvc #0xffff", t32_hvc_ffff);

	memcpy(&pages[2047], (void *)((u32)loose_t32 & ~1u), 6);
	immediate_at("T32 smc #7 across two pages", (u32)&pages[2047] | 1);
	mmu(1);
	immediate_at("A32 smc #9 by the MMU", (u32)loose_a32 + 0x80000000);
	immediate_at("T32 smc #7 by the MMU", (u32)loose_t32 + 0x80000000);
	immediate_at("and across two pages", ((u32)&pages[2047] | 1) + 0x80000000);
	mmu(0);
	memcpy((void *)(MAILBOXES + 0x100000), loose_a32, 8);
	immediate_at("an immediate that cannot be known", MAILBOXES + 0x100000);

	conditions("A32", a32_if);
	conditions("T32", t32_if);

	r = (regs){ { ECHO, ~0u } };
	a32_smc_0(&r);
	number("32 bits of a sum of 33", r.r[0]);
	r = (regs){ { 0x83000099, 1, 2, 3, 4 } };
	t32_smc_0(&r);
	fact("NOT_SUPPORTED is -1, r1 to r3 zero", r.r[0] == ~0u && !r.r[1] && !r.r[2] && !r.r[3] && r.r[4] == 4);
	off();
}
