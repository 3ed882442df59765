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
