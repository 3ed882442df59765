/* Raw AArch32 code: stack for each core, cleared BSS, main() on the boot core. */
#define STACK_SHIFT	14

	.syntax	unified
	.arch	armv8-a
	.arch_extension sec
	.arch_extension virt
	.text
	.arm
	.global _start
_start:
	mrs	r7, cpsr
	mov	r4, r0
	mov	r5, r1
	mov	r6, r2
	ldr	r0, =__bss_start
	ldr	r1, =_end
	mov	r2, #0
1:	str	r2, [r0], #4
	cmp	r0, r1
	blo	1b
	ldr	r0, =entry
	stm	r0, {r4-r7}
	bl	set_up
	bl	main
	b	.

/* Where a started core begins; r0 is its context ID. Until SETEND its literals would be read in its caller's endianness. */
	.global	core_entry
	.type	core_entry, %function
core_entry:
	mov	r7, #0
begin:	mrs	r5, cpsr
	mrc	p15, 0, r6, c1, c0, 0
	setend	le
	mov	r4, r0
	bl	set_up
	mov	r0, r4
	mov	r1, r5
	mov	r2, r6
	mov	r3, r7
	bl	core_main
	b	.

	.thumb
	.thumb_func
	.global	core_entry_thumb
	.type	core_entry_thumb, %function
core_entry_thumb:
	mov	r7, #1
	bx	pc
	nop
	.arm
	b	begin

set_up:
	mrc	p15, 0, r1, c0, c0, 5
	and	r1, r1, #0xff
	add	r1, r1, #1
	ldr	r2, =stacks
	add	sp, r2, r1, lsl #STACK_SHIFT
	ldr	r1, =vectors
	mcr	p15, 0, r1, c12, c0, 0
	mrc	p15, 0, r1, c1, c0, 0
	bic	r1, r1, #(1 << 25)	/* EE */
	mcr	p15, 0, r1, c1, c0, 0
	isb
	bx	lr
	.ltorg

	.balign	32
vectors:
	.irp	n, 0,1,2,3,4,5,6,7
	b	vector_\n
	.endr
	.irp	n, 0,1,2,3,4,5,6,7
vector_\n:
	mov	r0, #\n
	b	unexpected
	.endr
unexpected:
	mov	r1, lr
	mrs	r2, spsr
	cps	#0x13
	b	exception

/* call(regs): r0 to r7 in and out; one for each instruction under test, in both instruction sets. */
	.macro	define_call name, mnemonic, immediate
	.arm
	.global	a32_\name
	.type	a32_\name, %function
a32_\name:
	push	{r4-r8, lr}
	mov	r8, r0
	ldm	r8, {r0-r7}
	\mnemonic	#\immediate
	stm	r8, {r0-r7}
	pop	{r4-r8, pc}
	.thumb
	.thumb_func
	.global	t32_\name
	.type	t32_\name, %function
t32_\name:
	push	{r4-r8, lr}
	mov	r8, r0
	ldm	r8, {r0-r7}
	\mnemonic	#\immediate
	stm	r8, {r0-r7}
	pop	{r4-r8, pc}
	.endm
	define_call smc_0, smc, 0
	define_call smc_1, smc, 1
	define_call smc_f, smc, 15
	define_call hvc_0, hvc, 0
	define_call hvc_1, hvc, 1
	define_call hvc_2, hvc, 2
	define_call hvc_e200, hvc, 0xe200
	define_call hvc_ffff, hvc, 0xffff

/* through(regs, code): r0 to r7 in and out of code that keeps the rest. */
	.arm
	.global	through
	.type	through, %function
through:
	push	{r4-r9, lr}
	mov	r8, r0
	mov	r9, r1
	ldm	r8, {r0-r7}
	blx	r9
	stm	r8, {r0-r7}
	pop	{r4-r9, pc}

/*
 * if_CC(nzcv << 28, regs): a call under a condition, and in r0 what a move under the same condition says. In T32 an SMC is the last of its IT block.
 */
	.macro	define_condition cc
	.arm
	.type	a32_if_\cc, %function
a32_if_\cc:
	push	{r4-r6, lr}
	mov	r4, r0
	mov	r5, r1
	mov	r6, #0
	ldm	r5, {r0-r3}
	msr	cpsr_f, r4
	mov\cc	r6, #1
	smc\cc	#1
	stm	r5, {r0-r3}
	mov	r0, r6
	pop	{r4-r6, pc}
	.thumb
	.thumb_func
	.type	t32_if_\cc, %function
t32_if_\cc:
	push	{r4-r6, lr}
	mov	r4, r0
	mov	r5, r1
	mov	r6, #0
	ldm	r5, {r0-r3}
	msr	cpsr_f, r4
	itt	\cc
	mov\cc	r6, #1
	smc\cc	#1
	stm	r5, {r0-r3}
	mov	r0, r6
	pop	{r4-r6, pc}
	.endm
	.irp	cc, eq,ne,cs,cc,mi,pl,vs,vc,hi,ls,ge,lt,gt,le
	define_condition \cc
	.endr

	.section .rodata
	.balign	4
	.global	a32_if, t32_if
a32_if:	.irp	cc, eq,ne,cs,cc,mi,pl,vs,vc,hi,ls,ge,lt,gt,le
	.word	a32_if_\cc
	.endr
t32_if:	.irp	cc, eq,ne,cs,cc,mi,pl,vs,vc,hi,ls,ge,lt,gt,le
	.word	t32_if_\cc
	.endr
	.text

/* An SMC that runs wherever it is put. */
	.arm
	.global	loose_a32
	.type	loose_a32, %function
loose_a32:
	smc	#9
	bx	lr
	.thumb
	.thumb_func
	.balign	4
	.global	loose_t32
	.type	loose_t32, %function
loose_t32:
	smc	#7
	bx	lr

/*
 * probe(buffer): r0 to r3 from the buffer; r4 to r12, LR and the banked registers that a C program leaves alone hold a pattern over the call; afterwards
 * r0 to r14 and those are stored in words 0 to 23, the stack pointer as it was before in word 24. The buffer's address goes over the call in TPIDRPRW.
 */
	.macro	define_probe name, mnemonic, immediate
	.global	\name
	.type	\name, %function
\name:	push	{r4-r11, lr}
	mcr	p15, 0, r0, c13, c0, 4
	str	sp, [r0, #(4 * 24)]
	ldr	r4, =0x11110010
	.irp	bank, sp_usr,lr_usr,sp_irq,lr_irq,sp_abt,lr_abt,sp_und,lr_und,spsr_cxsf
	msr	\bank, r4
	add	r4, r4, #1
	.endr
	ldr	r4, =0x11110004
	add	r5, r4, #1
	add	r6, r4, #2
	add	r7, r4, #3
	add	r8, r4, #4
	add	r9, r4, #5
	add	r10, r4, #6
	add	r11, r4, #7
	add	r12, r4, #8
	add	lr, r4, #10
	ldm	r0, {r0-r3}
	\mnemonic	#\immediate
	push	{r12}
	mrc	p15, 0, r12, c13, c0, 4
	stm	r12, {r0-r11}
	pop	{r0}
	str	r0, [r12, #(4 * 12)]
	str	sp, [r12, #(4 * 13)]
	str	lr, [r12, #(4 * 14)]
	add	r12, r12, #(4 * 15)
	.irp	bank, sp_usr,lr_usr,sp_irq,lr_irq,sp_abt,lr_abt,sp_und,lr_und,spsr
	mrs	r0, \bank
	str	r0, [r12], #4
	.endr
	pop	{r4-r11, pc}
	.ltorg
	.endm
	.arm
	define_probe a32_probe_smc, smc, 0
	define_probe a32_probe_hvc, hvc, 0
	.thumb
	.thumb_func
	define_probe t32_probe_smc, smc, 0
	.thumb_func
	define_probe t32_probe_hvc, hvc, 0
	.arm

/* Entered by an answer that loads PC; the interrupted r0 to r12, PC and PSTATE are with the responder, the rest is kept here. */
	.global	handler_entry
	.type	handler_entry, %function
handler_entry:
	push	{r0, lr}
	bl	handler
	pop	{r0, lr}
	ldr	r0, =0x83000005
	smc	#0
	b	.
	.ltorg

/* hvc_storm(function, count): calls as fast as it can; the number of calls whose r0 was not the function's answer, 7. */
	.global	hvc_storm
	.type	hvc_storm, %function
hvc_storm:
	push	{r4-r7, lr}
	mov	r4, r0
	mov	r6, r1
	mov	r7, #0
1:	mov	r0, r4
	mov	r5, r6
	hvc	#0
	cmp	r5, r6
	cmpeq	r0, #7
	addne	r7, r7, #1
	subs	r6, r6, #1
	bne	1b
	mov	r0, r7
	pop	{r4-r7, pc}

/* it_storm(until): IT blocks until the word is not zero; 0 when each took one branch of the two. */
	.thumb
	.thumb_func
	.global	it_storm
	.type	it_storm, %function
it_storm:
	push	{r4-r7, lr}
	mov	r4, #0
	mov	r5, #0
	mov	r6, #0
1:	add	r6, r6, #1
	tst	r6, #1
	b	2f
	.balign	4096
	.space	4092			/* QEMU looks for interrupts at the end of a page, and this one ends in a block */
2:	ittee	eq
	addeq	r4, r4, #1
	addeq	r4, r4, #1
	addne	r5, r5, #1
	addne	r5, r5, #1
	ldr	r7, [r0]
	cmp	r7, #0
	beq	1b
	add	r4, r4, r5
	sub	r0, r4, r6, lsl #1
	pop	{r4-r7, pc}
	.arm

	.bss
	.balign	16
	.global	entry
entry:	.space	16
stacks:	.space	(17 << STACK_SHIFT)
