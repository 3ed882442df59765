/*
 * Interrupts that services have taken from the guest: Group 0, so that they reach EL3 whatever the guest masks, and below the doorbell, so that no handler
 * keeps that from ringing. A core whose exit waits for its answer hides them all; one that is off lets SPIs in, which stand above PPIs for this, and sends
 * them on to a core that runs. A redistributor's frame of its 32 interrupts is laid out as the distributor's.
 */
#define PRIORITY_SPI		0x40
#define PRIORITY_PPI		0x60

#define GROUPR			0x80
#define SET_ENABLE		0x100
#define CLEAR_ENABLE		0x180
#define CLEAR_PENDING		0x280
#define IS_ACTIVE		0x300
#define CLEAR_ACTIVE		0x380
#define PRIORITYR		0x400
#define ROUTER			0x6000

/* x12 = this core's own frame. Clobbers x0. */
own_frame:
	ldr	x0, area
	add	x0, x0, #PAGES
	sub	x12, sp, x0
	lsr	x12, x12, #12
	ldr	x0, =GICR
	add	x0, x0, #0x10, lsl #12
	add	x12, x0, x12, lsl #17
	ret

/* For a core that starts: what its former life left active would never fire again. */
end_own:
	mov	x17, x30
	bl	own_frame
	ldr	w0, [x12, #GROUPR]
	mvn	w0, w0
	and	w0, w0, #0xffff0000
	str	w0, [x12, #CLEAR_ACTIVE]
	ret	x17

/* What the host asks beside its answer. Done once: the word that asks is cleared last. Clobbers x0 to x8, x10 to x17. */
act_on_interrupts:
	ldr	w0, [sp, #INTERRUPTS]
	ldr	w1, [sp, #REQ]		/* of another exit they are those of the boot before, written late */
	cmp	w0, w1
	b.eq	1f
	ret
1:	mov	x17, x30
	ldr	x16, area
	add	x0, x16, #GIC_LOCK	/* the group registers are changed by reading and writing */
	mov	w1, #1
2:	ldaxr	w2, [x0]
	cbnz	w2, 2b
	stxr	w2, w1, [x0]
	cbnz	w2, 2b
	add	x16, x16, #PRIORITIES
	ldr	w0, [sp, #TAKE]
	cbz	w0, 3f
	bl	take
3:	mov	x15, #0
4:	add	x0, sp, x15, lsl #2
	ldr	w10, [x0, #ENDED]
	ldr	w11, [x0, #RETURNED]
	orr	w0, w10, w11
	cbz	w0, 7f
	ldr	x12, =GICD
	mov	x13, x16
	mov	w14, #1
	cbnz	x15, 5f
	bl	own_frame		/* a PPI ends on the core that answers, and is returned on all */
5:	add	x0, x12, x15, lsl #2
	ldr	w1, [x0, #GROUPR]
	bic	w1, w10, w1
	str	w1, [x0, #CLEAR_ACTIVE]
	cbnz	x15, 6f
	bl	all_frames
6:	cbz	w11, 7f
	bl	give_back
7:	add	x15, x15, #1
	cmp	x15, #(1024 / 32)
	b.lo	4b
	dsb	sy
	ldr	x0, area
	add	x0, x0, #GIC_LOCK
	stlr	wzr, [x0]
	str	wzr, [sp, #INTERRUPTS]
	ret	x17

/* x12 = the frame of vCPU 0, w14 = their number, x13 = the priorities kept of it. Clobbers x0. */
all_frames:
	ldr	x12, =GICR
	add	x12, x12, #0x10, lsl #12
	add	x13, x16, #PRIORITIES_SPI
	ldr	x0, area
	ldr	w14, [x0, #CONFIG_VCPUS]
	mov	w0, #MAXIMUM_VCPUS
	cmp	w14, w0
	csel	w14, w14, w0, lo
	ret

/* Those of w11 that were taken, in word x15 of w14 frames from x12. */
give_back:
1:	add	x0, x12, x15, lsl #2
	ldr	w2, [x0, #GROUPR]
	bic	w1, w11, w2
	orr	w2, w2, w1
	str	w1, [x0, #CLEAR_ENABLE]
	str	w1, [x0, #CLEAR_PENDING]
	str	w1, [x0, #CLEAR_ACTIVE]
	cbz	w1, 3f
2:	rbit	w3, w1
	clz	w3, w3
	add	w4, w3, w15, lsl #5
	ldrb	w5, [x13, w4, uxtw]
	orr	w5, w5, #0x80		/* the guest's half, whatever it has written there */
	add	x6, x12, w4, uxtw
	strb	w5, [x6, #PRIORITYR]
	sub	w6, w1, #1
	ands	w1, w1, w6
	b.ne	2b
3:	str	w2, [x0, #GROUPR]
	add	x12, x12, #0x20, lsl #12
	add	x13, x13, #PRIORITIES_PPI
	subs	w14, w14, #1
	b.ne	1b
	ret

/* INTID w0: only one that is the guest's, disabled and inactive, wherever it has a register. */
take:	mov	x8, x30
	mov	w7, w0
	lsr	w15, w0, #5
	mov	w1, #1
	lsl	w10, w1, w0
	ldr	x12, =GICD
	mov	x13, x16
	mov	w14, #1
	cbnz	w15, 1f
	bl	all_frames
1:	mov	x3, x12
	mov	w4, w14
2:	add	x5, x3, x15, lsl #2
	ldr	w1, [x5, #GROUPR]
	ldr	w2, [x5, #SET_ENABLE]
	orn	w1, w2, w1
	ldr	w2, [x5, #IS_ACTIVE]
	orr	w1, w1, w2
	tst	w1, w10
	b.ne	5f
	add	x3, x3, #0x20, lsl #12
	subs	w4, w4, #1
	b.ne	2b
	mov	w6, #PRIORITY_PPI
	cbz	w15, 3f
	mov	w6, #PRIORITY_SPI
	mrs	x1, mpidr_el1
	and	x1, x1, #0xffffffff00ffffff
	add	x2, x12, #(ROUTER >> 12), lsl #12
	str	x1, [x2, w7, uxtw #3]	/* here: this core runs */
3:	add	x5, x12, x15, lsl #2
	add	x3, x12, w7, uxtw
	ldrb	w1, [x3, #PRIORITYR]
	strb	w1, [x13, w7, uxtw]
	strb	w6, [x3, #PRIORITYR]
	ldr	w1, [x5, #GROUPR]
	bic	w1, w1, w10
	str	w1, [x5, #GROUPR]
	str	w10, [x5, #CLEAR_PENDING]
	str	w10, [x5, #SET_ENABLE]
	add	x12, x12, #0x20, lsl #12
	add	x13, x13, #PRIORITIES_PPI
	subs	w14, w14, #1
	b.ne	3b
	mov	x1, #TAKEN
4:	ldr	w0, [sp, #REQ]
	orr	x1, x1, x0, lsl #32
	str	x1, [sp, #TAKE_OUTCOME]
	tbnz	w1, #0, 6f
	dsb	sy
	ldr	x0, area		/* the host need not wait for the next exit to tell of it */
	sub	x0, sp, x0
	sub	x0, x0, #PAGES
	lsr	x0, x0, #12
	ldr	x1, =DOOR_UART
	str	w0, [x1]
6:	ret	x8
5:	ldr	x0, [sp, #TAKE_REFUSED]
	str	x0, [sp, #ANSWER_FRAME]
	mov	x1, #REFUSED
	b	4b

/* Before a waiting core sleeps: what may wake it beside the doorbell. */
hide_interrupts:
	mov	x0, #PRIORITY_SPI
	ldr	w1, [sp, #IS_OFF]
	cbz	w1, 5f
	mov	x20, x30
	bl	act_on_interrupts	/* an answer that turned the core off is never given */
	mov	x30, x20
1:	mrs	x1, ICC_HPPIR0_EL1
	and	w1, w1, #0xffffff
	mov	x0, #PRIORITY_PPI
	sub	w2, w1, #32
	cmp	w2, #(1020 - 32)
	b.hs	5f
	cmp	w1, #DOOR_INTID
	b.eq	5f
	ldr	x2, area
	ldr	w3, [x2, #CONFIG_VCPUS]
	mov	w4, #MAXIMUM_VCPUS
	cmp	w3, w4
	csel	w3, w3, w4, lo
	add	x2, x2, #PAGES
	ldr	x4, =GICR
	mov	x0, #PRIORITY_SPI	/* where no core is on it stays hidden: nothing but a reset can follow */
2:	cbz	w3, 5f
	ldr	w5, [x2, #IS_OFF]
	cbz	w5, 3f
	add	x2, x2, #PAGE_SIZE
	add	x4, x4, #0x20, lsl #12
	sub	w3, w3, #1
	b	2b
3:	ldr	x3, [x4, #8]		/* GICR_TYPER: Aff3 63:56, Aff2 55:48, Aff1 47:40, Aff0 39:32 */
	lsr	x3, x3, #32
	ubfx	x5, x3, #24, #8
	and	x3, x3, #0xffffff
	orr	x3, x3, x5, lsl #32
	ldr	x4, =GICD
	add	x4, x4, #(ROUTER >> 12), lsl #12
	str	x3, [x4, w1, uxtw #3]
	dsb	sy
	b	1b
5:	msr	ICC_PMR_EL1, x0
	isb
	ret
