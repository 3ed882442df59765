/*
 * Handlers of SDEI events. x1, the argument, is the address of a struct seen (sdei.h): all that the handler finds goes there first, word by word.
 * on_event(seen) then says how to leave: 0 by COMPLETE, else by COMPLETE_AND_RESUME at that address. x18 and up are put back as they were found.
 */
#define SEEN_SP		248
#define SEEN_PSTATE	256
#define SEEN_ELR	264
#define SEEN_SPSR	272
#define SEEN_ESR	280
#define SEEN_FAR	288
#define SEEN_SP_EL0	296
#define SEEN_STACK	304
#define SEEN_REFUSED	312

	.macro define_handler name, instruction:vararg
	.global	\name
	.balign	4
\name:	stp	x0, x1, [x1]
	.irp	n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	str	x\n, [x1, #(8 * \n)]
	.endr
	mov	x2, sp
	str	x2, [x1, #SEEN_SP]
	mrs	x2, nzcv
	mrs	x3, daif
	orr	x2, x2, x3
	mrs	x3, spsel
	orr	x2, x2, x3
	mrs	x3, currentel
	orr	x2, x2, x3
	str	x2, [x1, #SEEN_PSTATE]
	mrs	x2, sp_el0
	str	x2, [x1, #SEEN_SP_EL0]
	cmp	x3, #8
	b.eq	2f
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	mrs	x4, esr_el1
	mrs	x5, far_el1
	b	3f
2:	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	mrs	x4, esr_el2
	mrs	x5, far_el2
3:	stp	x2, x3, [x1, #SEEN_ELR]
	stp	x4, x5, [x1, #SEEN_ESR]
	ldr	x2, [x1, #SEEN_STACK]
	mov	sp, x2
	mov	x19, x1
	mov	x0, x1
	bl	on_event
	mov	x1, x0
	ldr	x0, =0xc4000025
	cbz	x1, 4f
	add	x0, x0, #1
4:	ldr	x2, [x19, #SEEN_SP]
	mov	sp, x2
	.irp	n, 18,20,21,22,23,24,25,26,27,28,29,30
	ldr	x\n, [x19, #(8 * \n)]
	.endr
	mov	x3, x19
	ldr	x19, [x19, #(8 * 19)]
	\instruction
	str	x0, [x3, #SEEN_REFUSED]	/* nobody comes here but after an error */
	b	.
	.ltorg
	.endm
	.text
	define_handler event_entry_smc, smc #0
	define_handler event_entry_hvc, hvc #0

/*
 * hold(nzcv, daif): x0 to x29 hold a pattern while it spins until held, a word, is not zero; then x0 to x29 and NZCV are stored where it points to.
 * SP_EL0 holds a pattern too.
 */
	.global	hold, hold_loop, held
hold:	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mrs	x2, daif
	stp	x18, x2, [sp, #96]
	ldr	x2, =0x5000000000000005
	msr	sp_el0, x2
	msr	daif, x1
	msr	nzcv, x0
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
	ldr	x\n, =(0x1111111100000000 + \n)
	.endr
hold_loop:
	ldr	x30, held
	cbz	x30, hold_loop
	stp	x0, x1, [x30]
	.irp	n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
	str	x\n, [x30, #(8 * \n)]
	.endr
	mrs	x0, nzcv
	mrs	x1, daif
	orr	x0, x0, x1
	str	x0, [x30, #SEEN_PSTATE]
	mrs	x0, sp_el0
	str	x0, [x30, #SEEN_SP_EL0]
	ldp	x18, x2, [sp, #96]
	msr	daif, x2
	ldp	x27, x28, [sp, #80]
	ldp	x25, x26, [sp, #64]
	ldp	x23, x24, [sp, #48]
	ldp	x21, x22, [sp, #32]
	ldp	x19, x20, [sp, #16]
	ldp	x29, x30, [sp], #112
	ret
	.balign	8
held:	.quad	0
	.ltorg

/*
 * Where COMPLETE_AND_RESUME goes on: what an exception would find there is stored in landed, a struct seen, and then it returns as from an exception to what
 * the event had interrupted, every register as it was.
 */
	.global	landing
	.balign	4
landing:
	msr	tpidr_el1, x30
	ldr	x30, =landed
	stp	x0, x1, [x30]
	.irp	n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
	str	x\n, [x30, #(8 * \n)]
	.endr
	mrs	x0, tpidr_el1
	str	x0, [x30, #(8 * 30)]
	mov	x0, sp
	str	x0, [x30, #SEEN_SP]
	mrs	x0, nzcv
	mrs	x1, daif
	orr	x0, x0, x1
	mrs	x1, spsel
	orr	x0, x0, x1
	mrs	x1, currentel
	orr	x0, x0, x1
	str	x0, [x30, #SEEN_PSTATE]
	cmp	x1, #8
	b.eq	1f
	mrs	x0, elr_el1
	mrs	x1, spsr_el1
	b	2f
1:	mrs	x0, elr_el2
	mrs	x1, spsr_el2
2:	stp	x0, x1, [x30, #SEEN_ELR]
	ldp	x0, x1, [x30]
	ldr	x30, [x30, #(8 * 30)]
	eret
	.ltorg
