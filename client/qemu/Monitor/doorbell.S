/*
 * Group 0 interrupts: the host's doorbell, which reaches vCPU 0 by the secure UART, the SGI by which vCPU 0 passes it on, and below these what services have
 * taken from the guest. Both take every doorbell that is pending; take_group0 then acknowledges one of the others, which stays active, while drain_group0
 * leaves it pending. w0 is its INTID, or 1020 and above. Clobbers x0 to x8.
 */
take_group0:
	mov	w8, #1
	b	1f
drain_group0:
	mov	w8, #0
1:	mrs	x0, ICC_HPPIR0_EL1
	and	w0, w0, #0xffffff
	cmp	w0, #1020
	b.hs	5f
	cmp	w0, #DOOR_INTID
	mov	w1, #DOOR_SGI
	ccmp	w0, w1, #4, ne
	b.eq	2f
	cbz	w8, 5f
2:	mrs	x0, ICC_IAR0_EL1	/* perhaps another one by now */
	and	w0, w0, #0xffffff
	cmp	w0, #1020
	b.hs	5f
	cmp	w0, #DOOR_INTID
	b.eq	7f
	cmp	w0, #DOOR_SGI
	b.eq	4f
	msr	ICC_EOIR0_EL1, x0	/* the priority alone: other interrupts go on */
	isb
	ret
7:
	ldr	x1, =DOOR_UART
	mov	w2, #0x7ff
	str	w2, [x1, #0x44]		/* UARTICR first: after the drain it would eat the edge of a byte that came in between */
1:	ldr	w2, [x1, #0x18]		/* then drain, UARTFR.RXFE; then look at KICK and WAKE */
	tbnz	w2, #4, 2f
	ldr	w2, [x1]
	b	1b
2:	dsb	sy
	ldr	x1, area
	ldr	w5, [x1, #CONFIG_VCPUS]
	mov	w2, #MAXIMUM_VCPUS
	cmp	w5, w2
	csel	w5, w5, w2, lo
	add	x1, x1, #PAGES
	ldr	x6, =GICR
	mov	x7, sp
3:	cbz	w5, 4f
	ldr	x3, [x1, #KICK]		/* KICK and WAKE together */
	cbz	x3, 6f
	cmp	x1, x7			/* this one is awake */
	b.eq	6f
	ldr	x3, [x6, #8]		/* GICR_TYPER: Aff3 63:56, Aff2 55:48, Aff1 47:40, Aff0 39:32 */
	ubfx	x2, x3, #32, #4
	mov	x4, #1
	lsl	x4, x4, x2		/* TargetList */
	ubfx	x2, x3, #36, #4
	orr	x4, x4, x2, lsl #44	/* RS */
	ubfx	x2, x3, #40, #8
	orr	x4, x4, x2, lsl #16	/* Aff1 */
	ubfx	x2, x3, #48, #8
	orr	x4, x4, x2, lsl #32	/* Aff2 */
	lsr	x2, x3, #56
	orr	x4, x4, x2, lsl #48	/* Aff3 */
	orr	x4, x4, #(DOOR_SGI << 24)
	msr	ICC_SGI0R_EL1, x4
6:	add	x1, x1, #PAGE_SIZE
	add	x6, x6, #0x20000
	sub	w5, w5, #1
	b	3b
4:	msr	ICC_EOIR0_EL1, x0
	msr	ICC_DIR_EL1, x0
	isb
	cbnz	w8, take_group0
	b	drain_group0
5:	ret

power_off:
	mov	w2, #1
	b	1f
power_reset:
	mov	w2, #2
1:	ldr	x0, =SECURE_GPIO
	str	w2, [x0, #0x400]	/* DIR: output */
	lsl	w3, w2, #2
	str	wzr, [x0, x3]		/* DATA, masked by the address: a rising edge acts */
	str	w2, [x0, x3]
2:	wfi
	b	2b
