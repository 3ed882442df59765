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

void print_hex(u32 value)
{
	char digits[11] = "0x";
	int n = 2, shift = 28;

	while (shift > 0 && !(value >> shift & 15))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		digits[n++] = "0123456789abcdef"[value >> shift & 15];
	digits[n] = 0;
	print(digits);
}

void fact(const char *text, int true_)
{
	print(text);
	print(true_ ? ": yes\n" : ": NO\n");
}

void number(const char *text, u32 value)
{
	print(text);
	print(": ");
	print_hex(value);
	print("\n");
}

u32 call(instruction *how, u32 function, u32 a, u32 b, u32 c)
{
	regs r = { { function, a, b, c } };

	how(&r);
	return r.r[0];
}

u32 this_core(void)
{
	u32 mpidr;

	asm("mrc p15, 0, %0, c0, c0, 5" : "=r"(mpidr));
	return mpidr & 0xffffff;
}

void exception(u32 vector, u32 lr, u32 spsr)
{
	number("EXCEPTION", vector);
	number("LR", lr);
	number("SPSR", spsr);
	off();
}

void off(void)
{
	call(a32_smc_0, SYSTEM_OFF, 0, 0, 0);
	for (;;)
		;
}

void __attribute__((weak)) core_main(u32 context, u32 cpsr, u32 sctlr, u32 thumb)
{
}

void __attribute__((weak)) handler(u32 event)
{
}

void *memset(void *at, int value, __SIZE_TYPE__ count)
{
	for (char *p = at; count--; p++)
		*p = value;
	return at;
}

void *memcpy(void *to, const void *from, __SIZE_TYPE__ count)
{
	char *p = to;

	for (const char *q = from; count--; p++, q++)
		*p = *q;
	return to;
}
