/* An arm64 Image that runs bare: stack for each core, cleared BSS, main(device tree) on the boot core. */
#define STACK_SHIFT	14

	.text
	.global _start
_start:
	b	1f
	.long	0
	.quad	0			/* text_offset */
	.quad	_end - _start		/* image_size */
	.quad	0xa			/* little-endian, 4 KiB, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0
1:	mov	x19, x0
	adrp	x1, __bss_start
	add	x1, x1, :lo12:__bss_start
	adrp	x2, _end
	add	x2, x2, :lo12:_end
2:	str	xzr, [x1], #8
	cmp	x1, x2
	b.lo	2b
	bl	set_up
	mov	x0, x19
	bl	main
	b	.

/* Where a started core begins; x0 is its context ID. */
	.global	core_entry
core_entry:
	mov	x19, x0
	mrs	x20, daif
	mrs	x21, spsel
	orr	x20, x20, x21
	mrs	x21, currentel
	orr	x20, x20, x21		/* as in PSTATE */
	cmp	x21, #8
	mrs	x21, sctlr_el1
	b.ne	1f
	mrs	x21, sctlr_el2
1:	bl	set_up
	mov	x0, x19
	mov	x1, x20
	mov	x2, x21
	bl	core_main
	b	.

/* base becomes the end of this core's own stack in an area of 17. */
	.macro	stack_top base, a, b
	mrs	\a, mpidr_el1
	and	\b, \a, #0xff
	ubfx	\a, \a, #8, #8
	add	\b, \b, \a, lsl #3
	add	\b, \b, #1
	add	\base, \base, \b, lsl #STACK_SHIFT
	.endm

set_up:
	adrp	x3, stacks
	add	x3, x3, :lo12:stacks
	stack_top x3, x1, x2
	mov	sp, x3
	adr	x1, vectors
	msr	vbar_el1, x1
	mrs	x2, currentel
	cmp	x2, #8
	b.ne	1f
	msr	vbar_el2, x1
1:	isb
	ret

	.balign	2048
vectors:
	.set	n, 0
	.rept	16
	.balign	128
	.if	n == 8 || n == 12
	b	from_below
	.endif
	mov	x0, #n
	b	unexpected
	.set	n, n + 1
	.endr
	.weak	from_below		/* a guest at EL2 may have its own */
from_below:
	mov	x0, #8
unexpected:
	mrs	x1, currentel
	cmp	x1, #8
	mrs	x1, esr_el1
	mrs	x2, elr_el1
	b.ne	1f
	mrs	x1, esr_el2
	mrs	x2, elr_el2
1:	bl	exception
	b	.

/* call(regs): x0 to x17 in and out; one for each instruction under test. */
	.macro	define_call name, instruction:vararg
	.global	\name
\name:	stp	x29, x30, [sp, #-48]!
	stp	x19, x20, [sp, #16]
	str	x18, [sp, #32]
	mov	x19, x0
	ldp	x0, x1, [x19]
	ldp	x2, x3, [x19, #16]
	ldp	x4, x5, [x19, #32]
	ldp	x6, x7, [x19, #48]
	ldp	x8, x9, [x19, #64]
	ldp	x10, x11, [x19, #80]
	ldp	x12, x13, [x19, #96]
	ldp	x14, x15, [x19, #112]
	ldp	x16, x17, [x19, #128]
	\instruction
	stp	x0, x1, [x19]
	stp	x2, x3, [x19, #16]
	stp	x4, x5, [x19, #32]
	stp	x6, x7, [x19, #48]
	stp	x8, x9, [x19, #64]
	stp	x10, x11, [x19, #80]
	stp	x12, x13, [x19, #96]
	stp	x14, x15, [x19, #112]
	stp	x16, x17, [x19, #128]
	ldr	x18, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #48
	ret
	.endm
	define_call smc_0, smc #0
	define_call smc_1, smc #1
	define_call smc_2, smc #2
	define_call smc_e200, smc #0xe200
	define_call smc_e208, smc #0xe208
	define_call smc_ffff, smc #0xffff
	define_call hvc_0, hvc #0
	define_call hvc_1, hvc #1
	define_call hvc_2, hvc #2
	define_call hvc_e200, hvc #0xe200
	define_call hvc_e208, hvc #0xe208
	define_call hvc_ffff, hvc #0xffff

/*
 * probe(buffer): x0 to x3 from the buffer's first words; x4 to x30 and SP_EL0 hold a pattern over the call; afterwards x0 to x30, SP_EL0 and SP_EL1 are stored
 * in words 0 to 32. The address of the buffer goes over the call in TPIDR_EL1.
 */
	.macro	define_probe name, instruction:vararg
	.global	\name
\name:	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x18, [sp, #96]
	msr	tpidr_el1, x0
	mov	x1, sp
	str	x1, [x0, #(8 * 33)]
	ldr	x1, =0x5000000000000005
	msr	sp_el0, x1
	ldp	x2, x3, [x0, #16]
	ldp	x0, x1, [x0]
	.irp	n, 4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	ldr	x\n, =(0x1111111100000000 + \n)
	.endr
	\instruction
	stp	x30, x0, [sp, #-16]!
	mrs	x30, tpidr_el1
	str	x1, [x30, #8]
	.irp	n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
	str	x\n, [x30, #(8 * \n)]
	.endr
	ldp	x1, x0, [sp], #16
	str	x0, [x30]
	str	x1, [x30, #(8 * 30)]
	mrs	x0, sp_el0
	str	x0, [x30, #(8 * 31)]
	mov	x0, sp
	str	x0, [x30, #(8 * 32)]
	ldr	x18, [sp, #96]
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #112
	ret
	.ltorg
	.endm
	define_probe probe_smc, smc #0
	define_probe probe_hvc, hvc #0

/*
 * Entered by an answer that loads PC; the interrupted x0 to x17, PC and PSTATE are with the responder, the rest is kept here. Its stack is its own: a core
 * that has just woken has none.
 */
	.global	handler_entry
handler_entry:
	adrp	x2, handler_stacks
	add	x2, x2, :lo12:handler_stacks
	stack_top x2, x1, x3
	mov	x1, sp
	mov	sp, x2
	stp	x29, x30, [sp, #-48]!
	stp	x18, x1, [sp, #16]
	bl	handler
	ldp	x18, x1, [sp, #16]
	ldp	x29, x30, [sp], #48
	mov	sp, x1
	ldr	x0, =0xc3000005
	smc	#0
	b	.
	.ltorg

	.global	deep_sleep
deep_sleep:
	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x18, [sp, #96]
	adr	x2, entered_again
	mov	x3, sp
	ldr	w4, =0xc400000e		/* SYSTEM_SUSPEND takes no power_state */
	cmp	w0, w4
	csel	x1, x2, x1, eq
	csel	x2, x3, x2, eq
	smc	#0
	b	1f
entered_again:
	mov	sp, x0
	adr	x1, vectors
	msr	vbar_el1, x1
	adrp	x1, woken
	add	x1, x1, :lo12:woken
	mrs	x2, daif
	mrs	x3, sctlr_el1
	stp	x2, x3, [x1]
	mrs	x2, currentel
	mrs	x3, spsel
	stp	x2, x3, [x1, #16]
	mov	x0, #1
1:	ldr	x18, [sp, #96]
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #112
	ret
	.ltorg

/* hvc_storm(function, count): calls as fast as it can; the number of calls whose x0 was not the function's answer, 7. */
	.global	hvc_storm
hvc_storm:
	stp	x29, x30, [sp, #-48]!
	stp	x20, x21, [sp, #16]
	str	x22, [sp, #32]
	mov	x20, x0
	mov	x21, x1
	mov	x22, #0
1:	mov	x0, x20
	mov	x5, x21
	hvc	#0
	cmp	x5, x21
	b.ne	2f
	cmp	x0, #7
	b.eq	3f
2:	add	x22, x22, #1
3:	subs	x21, x21, #1
	b.ne	1b
	mov	x0, x22
	ldr	x22, [sp, #32]
	ldp	x20, x21, [sp, #16]
	ldp	x29, x30, [sp], #48
	ret

	.bss
	.balign	16
stacks:	.space	(17 << STACK_SHIFT)
handler_stacks:
	.space	(17 << STACK_SHIFT)
	.global	woken
woken:	.space	32
