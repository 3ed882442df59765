#include "guest.h"

#define UART ((volatile u32 *)0x09000000)

void print(const char *text)
{
	for (; *text; text++) {
		while (UART[6] & 0x20)
			;
		UART[0] = *text;
	}
}

void print_hex(u64 value)
{
	char digits[19] = "0x";
	int n = 2, shift = 60;

	while (shift > 0 && !(value >> shift & 15))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		digits[n++] = "0123456789abcdef"[value >> shift & 15];
	digits[n] = 0;
	print(digits);
}

void print_dec(u64 value)
{
	char digits[21];
	int n = 20;

	digits[n] = 0;
	do
		digits[--n] = '0' + value % 10;
	while (value /= 10);
	print(digits + n);
}

void fact(const char *text, int true_)
{
	print(text);
	print(true_ ? ": yes\n" : ": NO\n");
}

void number(const char *text, u64 value)
{
	print(text);
	print(": ");
	print_hex(value);
	print("\n");
}

u64 call(instruction *how, u64 function, u64 a, u64 b, u64 c)
{
	regs r = { { function, a, b, c } };

	how(&r);
	return r.r[0];
}

u64 counter(void)
{
	u64 value;

	asm volatile("isb; mrs %0, cntvct_el0" : "=r"(value) :: "memory");
	return value;
}

u64 microseconds(u64 ticks)
{
	u64 frequency;

	asm("mrs %0, cntfrq_el0" : "=r"(frequency));
	return ticks * 1000000 / frequency;
}

u64 this_core(void)
{
	u64 mpidr;

	asm("mrs %0, mpidr_el1" : "=r"(mpidr));
	return mpidr & 0xff00fffffful;
}

u64 mpidr_of[16], cores;

#define DISTRIBUTOR	0x08000000ul
#define REDISTRIBUTOR	0x080a0000ul

void find_cores(void)
{
	u64 typer;

	do {
		typer = *(volatile u64 *)(REDISTRIBUTOR + (cores << 17) + 8);
		mpidr_of[cores++] = (typer >> 32 & 0xffffff) | (typer >> 56 << 32);
	} while (!(typer & 0x10));
}

u64 number_of(u64 mpidr)
{
	u64 n = 0;

	while (mpidr_of[n] != mpidr)
		n++;
	return n;
}

void interrupts_on(u64 n)
{
	*(volatile u32 *)DISTRIBUTOR |= 1 << 1;		/* group 1, by a name that both security states have for this bit */
	*(volatile u32 *)(REDISTRIBUTOR + (n << 17) + 0x10100) = 1u << TIMER | 0xff;
	asm volatile("msr s3_0_c12_c12_5, %0; isb; msr s3_0_c4_c6_0, %1; msr s3_0_c12_c12_7, %0; isb" :: "r"(1ul), "r"(0xfful) : "memory");
}

void timer_in(u64 microseconds)
{
	u64 frequency;

	asm("mrs %0, cntfrq_el0" : "=r"(frequency));
	asm volatile("msr cntv_tval_el0, %0; msr cntv_ctl_el0, %1; isb" :: "r"(frequency * microseconds / 1000000), "r"(1ul) : "memory");
}

void timer_off(void)
{
	asm volatile("msr cntv_ctl_el0, xzr; isb" ::: "memory");
}

void send_sgi(u64 n, u64 intid)
{
	u64 mpidr = mpidr_of[n];
	u64 value = 1ul << (mpidr & 15) | (mpidr >> 4 & 15) << 44 | (mpidr >> 8 & 255) << 16 | (mpidr >> 16 & 255) << 32 | mpidr >> 32 << 48 | intid << 24;

	asm volatile("dsb sy; msr s3_0_c12_c11_5, %0; isb" :: "r"(value) : "memory");
}

u64 acknowledge(void)
{
	u64 intid;

	asm volatile("mrs %0, s3_0_c12_c12_0; dsb sy" : "=r"(intid) :: "memory");
	intid &= 0xffffff;
	if (intid == TIMER)
		timer_off();
	if (intid < 1020)
		asm volatile("msr s3_0_c12_c12_1, %0; isb" :: "r"(intid) : "memory");
	return intid;
}

void exception(u64 vector, u64 esr, u64 elr)
{
	print("EXCEPTION ");
	print_dec(vector);
	number(" ESR", esr);
	number("ELR", elr);
	off();
}

void off(void)
{
	call(smc_0, SYSTEM_OFF, 0, 0, 0);
	for (;;)
		;
}

void __attribute__((weak)) core_main(u64 context, u64 pstate, u64 sctlr)
{
}

void __attribute__((weak)) handler(u64 event)
{
}

void *memset(void *at, int value, u64 count)
{
	for (char *p = at; count--; p++)
		*p = value;
	return at;
}

void *memcpy(void *to, const void *from, u64 count)
{
	char *p = to;

	for (const char *q = from; count--; p++, q++)
		*p = *q;
	return to;
}
