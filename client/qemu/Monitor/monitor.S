/*
 * The EL3 monitor: it turns every SMC, and with an EL2 every HVC, into an exchange through the calling vCPU's mailbox page.
 * It knows no function of any specification. Each exit publishes the whole register file, each answer loads a whole one.
 * SP_EL3 is the mailbox page, always, so that an exception needs no scratch register. MMU and caches are off.
 */
#include "mailbox.h"

#define GICD		0x08000000
#define GICR		0x080a0000
#define DOOR_UART	0x09040000	/* secure PL011 */
#define DOOR_INTID	40
#define DOOR_SGI	8
#define SECURE_GPIO	0x090b0000	/* PL061: line 0 powers off, line 1 resets */

#define ICC_PMR_EL1	S3_0_C4_C6_0
#define ICC_IAR0_EL1	S3_0_C12_C8_0
#define ICC_EOIR0_EL1	S3_0_C12_C8_1
#define ICC_HPPIR0_EL1	S3_0_C12_C8_2
#define ICC_SGI0R_EL1	S3_0_C12_C11_7
#define ICC_DIR_EL1	S3_0_C12_C11_1
#define ICC_CTLR_EL3	S3_6_C12_C12_4

	.arch armv8.2-a
	.text
	.global _start
_start:
	b	reset
	.word	IMAGE_MAGIC
area:	.quad	0			/* patched by the host */

	.macro vector label
	.balign 128
	b	\label
	.endm
	/* x30 goes by TPIDR_EL3, which nothing else uses. */
	.macro unexpected
	.balign 128
	msr	tpidr_el3, x30
	mov	x30, #((. - vectors) >> 7)
	b	bug
	.endm

	.balign	2048
vectors:
	.rept	8
	unexpected			/* from EL3 itself */
	.endr
	vector	lower_sync
	unexpected			/* IRQ: never routed here */
	vector	lower_fiq
	unexpected
	vector	lower_sync		/* AArch32 */
	unexpected
	vector	lower_fiq
	unexpected

	.macro save_gprs
	stp	x0, x1,   [sp, #EXIT_FRAME + 16 * 0]
	stp	x2, x3,   [sp, #EXIT_FRAME + 16 * 1]
	stp	x4, x5,   [sp, #EXIT_FRAME + 16 * 2]
	stp	x6, x7,   [sp, #EXIT_FRAME + 16 * 3]
	stp	x8, x9,   [sp, #EXIT_FRAME + 16 * 4]
	stp	x10, x11, [sp, #EXIT_FRAME + 16 * 5]
	stp	x12, x13, [sp, #EXIT_FRAME + 16 * 6]
	stp	x14, x15, [sp, #EXIT_FRAME + 16 * 7]
	stp	x16, x17, [sp, #EXIT_FRAME + 16 * 8]
	stp	x18, x19, [sp, #EXIT_FRAME + 16 * 9]
	stp	x20, x21, [sp, #EXIT_FRAME + 16 * 10]
	stp	x22, x23, [sp, #EXIT_FRAME + 16 * 11]
	stp	x24, x25, [sp, #EXIT_FRAME + 16 * 12]
	stp	x26, x27, [sp, #EXIT_FRAME + 16 * 13]
	stp	x28, x29, [sp, #EXIT_FRAME + 16 * 14]
	str	x30,      [sp, #EXIT_FRAME + 16 * 15]
	.endm

bug:
	save_gprs
	mov	x25, x30
	mrs	x0, tpidr_el3
	str	x0, [sp, #EXIT_FRAME + 16 * 15]
	mov	w19, #REASON_BUG
	b	syndrome_el3

lower_sync:
	save_gprs
	mov	w19, #REASON_EL3
	mov	w25, #0
syndrome_el3:
	mrs	x20, esr_el3
	mrs	x21, elr_el3
	mrs	x22, spsr_el3
	mrs	x23, far_el3
	mov	x24, #0
	cmp	w19, #REASON_BUG
	b.eq	exit_to_host
	lsr	x0, x20, #26
	cmp	x0, #0x13
	b.ne	1f
	mrs	x1, par_el1		/* an AArch32 SMC: its syndrome has no immediate, the host reads the instruction */
	sub	w0, w21, #4
	mrs	x2, hcr_el2
	tbnz	x2, #0, 2f		/* VM: a guest at EL2 runs this one */
	at	s1e1r, x0
	b	3f
2:	at	s12e1r, x0
3:	isb
	mrs	x24, par_el1
	msr	par_el1, x1
	b	exit_to_host
1:	ubfx	x0, x20, #8, #8		/* SMC #0xE2nn from the stub, and only from there: an HVC */
	cmp	x0, #0xe2
	b.ne	exit_to_host
	bl	is_stub
	b.ne	exit_to_host
	and	w0, w20, #0xff
from_stub:
	mov	w19, #REASON_EL2
	mrs	x20, esr_el2
	mrs	x21, elr_el2
	mrs	x22, spsr_el2
	mrs	x23, far_el2
	mrs	x24, hpfar_el2
	cmp	w0, #8			/* synchronous from AArch64 or AArch32; no other vector of EL2 has a reason to be taken */
	b.eq	exit_to_host
	cmp	w0, #12
	b.eq	exit_to_host
	mov	w19, #REASON_BUG
	add	w25, w0, #16
	b	exit_to_host

/* A doorbell, or an interrupt that a service has, while a lower level ran. */
lower_fiq:
	save_gprs
	bl	drain_group0
	mrs	x21, elr_el3
	mrs	x22, spsr_el3
	bl	is_stub
	b.ne	1f
	ubfx	x0, x21, #7, #4		/* between the guest's HVC and the stub's SMC, which would never be reached while an interrupt is pending: it is the HVC's exit */
	b	from_stub
1:	bl	take_group0
	mov	w25, w0
	mov	w19, #REASON_INTERRUPT	/* a kick beside it is found before ERET */
	cmp	w0, #1020
	b.lo	no_syndrome
	ldr	w0, [sp, #KICK]
	cbz	w0, restore_gprs
kicked:
	str	wzr, [sp, #KICK]
	mov	w19, #REASON_KICK
	mov	w25, #0
no_syndrome:
	mov	x20, #0
	mov	x23, #0
	mov	x24, #0

/* w19 reason, x20 ESR, x21 PC, x22 PSTATE, x23 FAR, x24 detail, w25 cause; x0 to x30 are in the exit frame. */
exit_to_host:
	ldr	w28, [sp, #REQ]		/* goes on from its old value at a reset: an unanswered request of before is no answer to this one */
	add	w28, w28, #1
	str	w28, [sp, #SEQUENCE]
	str	w19, [sp, #REASON]
	str	w25, [sp, #CAUSE]
	add	x9, sp, #ESR
	stp	x20, x23, [x9]
	mrs	x0, mpidr_el1
	stp	x24, x0, [x9, #16]
	add	x9, sp, #EXIT_FRAME
	add	x9, x9, #FRAME_PC
	stp	x21, x22, [x9], #16
	mrs	x0, sp_el0
	mrs	x1, sp_el1
	stp	x0, x1, [x9], #16
	mrs	x0, elr_el1
	mrs	x1, spsr_el1
	stp	x0, x1, [x9], #16
	mrs	x0, vbar_el1
	mrs	x1, sctlr_el1
	stp	x0, x1, [x9], #16
	mrs	x0, elr_el2		/* without EL2 these read as zero at EL3 */
	mrs	x1, spsr_el2
	stp	x0, x1, [x9], #16
	mrs	x0, vbar_el2
	mrs	x1, sctlr_el2
	stp	x0, x1, [x9], #16
	mrs	x0, hcr_el2
	mrs	x1, scr_el3
	stp	x0, x1, [x9]

	ldr	x26, area
	ldr	w27, [x26, #CONFIG_SPIN]
	ldr	w0, [x26, #CONFIG_BOOT]
	str	w0, [sp, #BOOT]
	add	x9, sp, #REQ
	stlr	w28, [x9]
	mov	x0, sp			/* ring: one byte, the number of this vCPU */
	sub	x0, x0, x26
	sub	x0, x0, #PAGES
	lsr	x0, x0, #12
	ldr	x1, =DOOR_UART
	str	w0, [x1]

	add	x9, sp, #RSP
1:	ldar	w0, [x9]
	cmp	w0, w28
	b.eq	answered
	subs	w27, w27, #1
	b.gt	1b
	mrs	x27, ICC_PMR_EL1
	mov	w0, #1
	str	w0, [sp, #SLEEP]
	dmb	sy			/* SLEEP before RSP: the host writes RSP, fences, reads SLEEP */
2:	ldar	w0, [x9]
	cmp	w0, w28
	b.eq	3f
	bl	hide_interrupts		/* the guest's and the services': WFI would not sleep */
	wfi
	bl	drain_group0
	b	2b
3:	str	wzr, [sp, #SLEEP]
	msr	ICC_PMR_EL1, x27
	isb

answered:
	str	wzr, [sp, #WAKE]
	bl	act_on_interrupts
	ldr	w0, [sp, #IS_OFF]
	cbz	w0, 1f
	str	wzr, [sp, #IS_OFF]
	bl	end_own
1:	ldr	w27, [sp, #COMMAND]
	cmp	w27, #COMMAND_OFF
	b.eq	power_off
	cmp	w27, #COMMAND_RESET
	b.eq	power_reset
	add	x8, sp, #ANSWER_FRAME	/* from here the exit frame holds what the guest will have */
	add	x9, sp, #EXIT_FRAME
	mov	w2, #((FRAME_PSTATE + 8) / 8 - 1) / 2
4:	ldp	x0, x1, [x8], #16
	stp	x0, x1, [x9], #16
	subs	w2, w2, #1
	b.ne	4b
	ldr	x0, [x8], #8
	str	x0, [x9]
	msr	spsr_el3, x0
	ldr	x0, [x9, #-8]
	msr	elr_el3, x0
	ldr	w0, [sp, #LOAD_SYSTEM]
	cbz	w0, 5f
	ldp	x0, x1, [x8], #16
	msr	sp_el0, x0
	msr	sp_el1, x1
	ldp	x0, x1, [x8], #16
	msr	elr_el1, x0
	msr	spsr_el1, x1
	ldp	x0, x1, [x8], #16
	msr	vbar_el1, x0
	msr	sctlr_el1, x1
	ldp	x0, x1, [x8], #16
	msr	elr_el2, x0
	msr	spsr_el2, x1
	ldp	x0, x1, [x8], #16
	msr	vbar_el2, x0
	msr	sctlr_el2, x1
	ldp	x0, x1, [x8]
	msr	hcr_el2, x0
	msr	scr_el3, x1
	isb
5:	cmp	w27, #COMMAND_WAIT
	b.eq	wait_for_wake
	ldr	w0, [sp, #KICK]		/* a kick whose doorbell was taken meanwhile must not be lost */
	cbz	w0, restore_gprs
	mrs	x21, elr_el3
	mrs	x22, spsr_el3
	b	kicked

restore_gprs:
	ldp	x0, x1,   [sp, #EXIT_FRAME + 16 * 0]
	ldp	x2, x3,   [sp, #EXIT_FRAME + 16 * 1]
	ldp	x4, x5,   [sp, #EXIT_FRAME + 16 * 2]
	ldp	x6, x7,   [sp, #EXIT_FRAME + 16 * 3]
	ldp	x8, x9,   [sp, #EXIT_FRAME + 16 * 4]
	ldp	x10, x11, [sp, #EXIT_FRAME + 16 * 5]
	ldp	x12, x13, [sp, #EXIT_FRAME + 16 * 6]
	ldp	x14, x15, [sp, #EXIT_FRAME + 16 * 7]
	ldp	x16, x17, [sp, #EXIT_FRAME + 16 * 8]
	ldp	x18, x19, [sp, #EXIT_FRAME + 16 * 9]
	ldp	x20, x21, [sp, #EXIT_FRAME + 16 * 10]
	ldp	x22, x23, [sp, #EXIT_FRAME + 16 * 11]
	ldp	x24, x25, [sp, #EXIT_FRAME + 16 * 12]
	ldp	x26, x27, [sp, #EXIT_FRAME + 16 * 13]
	ldp	x28, x29, [sp, #EXIT_FRAME + 16 * 14]
	ldr	x30,      [sp, #EXIT_FRAME + 16 * 15]
	eret

/* The guest's own PMR and enables decide what wakes; PSTATE masks nothing here. */
wait_for_wake:
	bl	drain_group0
	mov	w25, #CAUSE_KICK
	ldr	w1, [sp, #KICK]
	cbnz	w1, 2f
	cmp	w0, #1020		/* an interrupt that a service has: it stops the guest before its first instruction */
	b.lo	1f
	mrs	x0, isr_el1
	tst	x0, #0x1c0		/* A, I, F */
	b.eq	3f
	mrs	x0, ICC_HPPIR0_EL1	/* what came after the drain is looked at there */
	and	w0, w0, #0xffffff
	cmp	w0, #1020
	b.lo	wait_for_wake
1:	mov	w25, #CAUSE_INTERRUPT
2:	str	wzr, [sp, #KICK]
	mov	w19, #REASON_WAKE
	mrs	x21, elr_el3
	mrs	x22, spsr_el3
	b	no_syndrome
3:	wfi
	b	wait_for_wake

/* EQ when PSTATE x22 is EL2h and PC x21 lies in the stub. */
is_stub:
	and	w0, w22, #0x1f
	cmp	w0, #9
	b.ne	1f
	ldr	x0, area
	add	x0, x0, #STUB
	eor	x0, x0, x21
	cmp	xzr, x0, lsr #12
1:	ret

#include "doorbell.S"
#include "interrupts.S"
#include "reset.S"
