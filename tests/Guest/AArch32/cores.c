/* What a core starts with, by the instruction set of its entry and the endianness of its caller; standby and power-down. */
#include "guest.h"

#define TIMER		27

static volatile u32 ran, context_of, cpsr_of, sctlr_of, thumb_of;

static void timer_in(u32 milliseconds)
{
	u32 frequency;

	asm("mrc p15, 0, %0, c14, c0, 0" : "=r"(frequency));
	*(volatile u32 *)0x08000000 |= 1 << 1;	/* group 1 */
	*(volatile u32 *)0x080b0100 = 1u << TIMER;
	asm volatile("mcr p15, 0, %0, c12, c12, 5; isb; mcr p15, 0, %1, c4, c6, 0; mcr p15, 0, %0, c12, c12, 7; isb" :: "r"(1), "r"(0xff));
	asm volatile("mcr p15, 0, %0, c14, c3, 0; mcr p15, 0, %1, c14, c3, 1; isb" :: "r"(frequency / 1000 * milliseconds), "r"(1));
}

static void timer_off(void)
{
	asm volatile("mcr p15, 0, %0, c14, c3, 1; isb" :: "r"(0));
}

void core_main(u32 context, u32 cpsr, u32 sctlr, u32 thumb)
{
	if (this_core() == 0) {
		timer_off();
		number("power-down wakes at its entry with context", context);
		number("CPSR", cpsr & 0x3ff);
		number("SCTLR", sctlr);
		off();
	}
	context_of = context;
	cpsr_of = cpsr;
	sctlr_of = sctlr;
	thumb_of = thumb;
	ran++;
	asm volatile("mcr p15, 0, %0, c1, c0, 0; isb" :: "r"(sctlr | 1 << 12));	/* a core that stops leaves something behind */
	call(t32_smc_0, CPU_OFF, 0, 0, 0);
	print("CPU_OFF RETURNED\n");
}

static void report(const char *name, u32 result)
{
	while (call(a32_smc_0, AFFINITY_INFO, 1, 0, 0) != 1)
		;
	print(name);
	print(": ");
	print_hex(result);
	number(", runs", ran);
	number(" r0", context_of);
	number(" CPSR", cpsr_of & 0x3ff);
	number(" SCTLR", sctlr_of);
	fact(" T32", thumb_of);
}

/* The call alone is big-endian: there is no data access between the two. */
static u32 start_big(int exceptions)
{
	register u32 r0 asm("r0") = CPU_ON, r1 asm("r1") = 1, r2 asm("r2") = (u32)core_entry, r3 asm("r3") = 0xb16;
	u32 sctlr, big;

	asm volatile("mrc p15, 0, %0, c1, c0, 0" : "=r"(sctlr));
	big = exceptions ? sctlr | 1 << 25 : sctlr;
	asm volatile(".arch_extension sec\nmcr p15, 0, %4, c1, c0, 0\nisb\nsetend be\nsmc #0\nsetend le\nmcr p15, 0, %5, c1, c0, 0\nisb"
		: "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3) : "r"(big), "r"(sctlr) : "memory");
	return r0;
}

int main(void)
{
	report("A32 entry", call(t32_smc_0, CPU_ON, 1, (u32)core_entry, 0xffffffff));
	report("T32 entry", call(a32_hvc_0, CPU_ON, 1, (u32)core_entry_thumb, 0x77));
	report("big-endian data", start_big(0));
	report("big-endian data and exceptions", start_big(1));

	timer_in(20);
	number("standby ends with the timer", call(a32_smc_0, CPU_SUSPEND, 0, 0, 0));
	timer_off();
	timer_in(20);
	call(a32_hvc_0, CPU_SUSPEND, 1 << 16, (u32)core_entry, 0x78);
	print("CPU_SUSPEND RETURNED\n");
	off();
}
