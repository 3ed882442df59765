/* Out of reset: every vCPU at once, at EL3, at address 0. */
reset:
	mrs	x0, mpidr_el1		/* this vCPU's number is that of its redistributor: any affinity will do */
	lsr	x1, x0, #8
	and	w1, w1, #0xff000000
	and	w0, w0, #0xffffff
	orr	w0, w0, w1
	ldr	x1, =GICR
	mov	x19, #0
1:	ldr	x2, [x1, #8]		/* GICR_TYPER */
	lsr	x3, x2, #32
	cmp	w0, w3
	b.eq	2f
	tbnz	w2, #4, park		/* Last */
	add	x1, x1, #0x20000
	add	x19, x19, #1
	b	1b
2:	cmp	x19, #MAXIMUM_VCPUS
	b.lo	3f
park:	wfi
	b	park
3:	mov	x20, x1			/* the redistributor */
	ldr	x26, area
	add	x0, x26, #PAGES
	add	x0, x0, x19, lsl #12
	mov	sp, x0
	adr	x0, vectors
	msr	vbar_el3, x0
	isb

/* SCR_EL3: what the CPU has must not trap. Bits that do not exist stay zero. */
	mov	x0, #0x535		/* NS, FIQ, RES1, HCE, RW */
	mrs	x1, id_aa64isar1_el1
	and	x2, x1, #0xff0		/* APA, API */
	ubfx	x3, x1, #24, #8		/* GPA, GPI */
	orr	x2, x2, x3
	mrs	x3, S3_0_C0_C6_2	/* ID_AA64ISAR2_EL1: APA3, GPA3 */
	and	x3, x3, #0xff00
	orr	x2, x2, x3
	cbz	x2, 1f
	orr	x0, x0, #(3 << 16)	/* APK, API */
1:	mrs	x1, S3_0_C0_C4_1	/* ID_AA64PFR1_EL1 */
	ubfx	x2, x1, #8, #4		/* MTE */
	cbz	x2, 1f
	orr	x0, x0, #(1 << 26)	/* ATA */
1:	ubfx	x21, x1, #24, #4	/* SME */
	cbz	x21, 1f
	orr	x0, x0, #(1 << 41)	/* EnTP2 */
1:	ubfx	x2, x1, #44, #4		/* GCS */
	cbz	x2, 1f
	orr	x0, x0, #(1 << 39)	/* GCSEn */
1:	mrs	x1, S3_0_C0_C7_1	/* ID_AA64MMFR1_EL1 */
	ubfx	x22, x1, #40, #4	/* HCX */
	cbz	x22, 1f
	orr	x0, x0, #(1 << 38)	/* HXEn */
1:	mrs	x1, S3_0_C0_C7_0	/* ID_AA64MMFR0_EL1. FGTEn stays 0 for a guest at EL1: the reset value of HFGxTR_EL2 would trap it */
	lsr	x2, x1, #60		/* ECV */
	cbz	x2, 1f
	orr	x0, x0, #(1 << 28)	/* ECVEn */
1:	mrs	x1, S3_0_C0_C7_3	/* ID_AA64MMFR3_EL1 */
	ubfx	x2, x1, #0, #4		/* TCRX */
	cbz	x2, 1f
	orr	x0, x0, #(1 << 43)	/* TCR2En */
1:	ubfx	x2, x1, #4, #4		/* SCTLRX */
	cbz	x2, 1f
	orr	x0, x0, #(1 << 44)	/* SCTLR2En */
1:	ubfx	x2, x1, #8, #16		/* S1PIE, S2PIE, S1POE, S2POE */
	cbz	x2, 1f
	orr	x0, x0, #(1 << 45)	/* PIEn */
1:	mrs	x1, S3_0_C0_C4_2	/* ID_AA64PFR2_EL1 */
	ubfx	x2, x1, #32, #4		/* FPMR */
	cbz	x2, 1f
	orr	x0, x0, #(1 << 50)	/* EnFPM */
1:	msr	scr_el3, x0
	isb

	mov	x0, #0			/* CPTR_EL3: no trap of floating point */
	mrs	x1, id_aa64pfr0_el1
	ubfx	x23, x1, #32, #4	/* SVE */
	cbz	x23, 1f
	orr	x0, x0, #(1 << 8)	/* EZ */
1:	cbz	x21, 1f
	orr	x0, x0, #(1 << 12)	/* ESM */
1:	msr	cptr_el3, x0
	isb
	mov	x2, #0xf		/* the longest vectors */
	mov	x3, #0xf
	movk	x3, #0x8000, lsl #16	/* FA64 */
	cbz	x23, 1f
	msr	S3_6_C1_C2_0, x2	/* ZCR_EL3 */
1:	cbz	x21, 1f
	msr	S3_6_C1_C2_6, x3	/* SMCR_EL3 */
1:	msr	mdcr_el3, xzr
	mov	x0, #0xf		/* SRE, DFB, DIB, Enable */
	msr	S3_6_C12_C12_5, x0	/* ICC_SRE_EL3 */
	isb
	msr	S3_0_C12_C12_5, x0	/* ICC_SRE_EL1 */
	isb

	ubfx	x24, x1, #8, #4		/* EL2 */
	cbz	x24, no_el2
	mov	x0, #(1 << 31)		/* HCR_EL2: RW, APK, API, ATA */
	orr	x0, x0, #(3 << 40)
	orr	x0, x0, #(1 << 56)
	msr	hcr_el2, x0
	mov	x0, #0x22ff		/* no traps, SVE and SME included */
	msr	cptr_el2, x0
	msr	hstr_el2, xzr
	mov	x0, #3
	msr	cnthctl_el2, x0
	msr	cntvoff_el2, xzr
	msr	vttbr_el2, xzr
	mrs	x0, midr_el1
	msr	vpidr_el2, x0
	mrs	x0, mpidr_el1
	msr	vmpidr_el2, x0
	mrs	x0, pmcr_el0
	ubfx	x0, x0, #11, #5
	msr	mdcr_el2, x0
	mov	x0, #0xf
	msr	S3_4_C12_C9_5, x0	/* ICC_SRE_EL2 */
	isb
	cbz	x22, 1f
	ldr	x0, =0xc2c800		/* MSCEn, TCR2En, SCTLR2En, D128En, GCSEn, EnFPM: 0 would trap */
	msr	S3_4_C1_C2_2, x0	/* HCRX_EL2 */
1:	add	x0, x26, #STUB
	msr	vbar_el2, x0
	ldr	x0, =0x30c50830
	msr	sctlr_el2, x0
	isb
	cbz	x23, 1f
	msr	S3_4_C1_C2_0, x2	/* ZCR_EL2 */
1:	cbz	x21, no_el2
	msr	S3_4_C1_C2_6, x3	/* SMCR_EL2 */
no_el2:
	ldr	x0, =0x30d00800
	msr	sctlr_el1, x0

	ldr	x1, =GICD
	cbz	x19, first
1:	ldr	w0, [x1]		/* EnableGrp0, set last of all by vCPU 0: unlike a flag in RAM, a reset clears it */
	tbz	w0, #0, 1b
	b	each

first:	str	wzr, [x26, #GIC_LOCK]
	ldr	w0, [x26, #CONFIG_BOOT]
	add	w0, w0, #1
	str	w0, [x26, #CONFIG_BOOT]
	add	x2, x26, #STUB
	adr	x3, stub
	mov	w4, #(2048 / 16)
1:	ldp	x5, x6, [x3], #16
	stp	x5, x6, [x2], #16
	subs	w4, w4, #1
	b.ne	1b
	mov	w0, #0x30		/* ARE_S, ARE_NS */
	str	w0, [x1]
	dsb	sy
	ldr	w2, [x1, #4]		/* GICD_TYPER */
	and	w2, w2, #0x1f		/* ITLinesNumber */
	add	x3, x1, #0x84		/* GICD_IGROUPR<1..n>: the guest's */
	mov	w4, #-1
1:	cbz	w2, 2f
	str	w4, [x3], #4
	sub	w2, w2, #1
	b	1b
2:	ldr	w2, [x1, #4]
	and	w2, w2, #0x1f
	add	x3, x1, #0x420		/* GICD_IPRIORITYR of the same: a guest that sets none must not have what PMR cannot hide from a waiting monitor */
	mov	w4, #0x80808080
	lsl	w2, w2, #3
1:	cbz	w2, 2f
	str	w4, [x3], #4
	sub	w2, w2, #1
	b	1b
2:	ldr	w0, [x1, #(0x80 + 4 * (DOOR_INTID / 32))]
	bic	w0, w0, #(1 << (DOOR_INTID % 32))
	str	w0, [x1, #(0x80 + 4 * (DOOR_INTID / 32))]
	str	wzr, [x1, #(0xd00 + 4 * (DOOR_INTID / 32))]	/* GICD_IGRPMODR: Group 0 */
	add	x3, x1, #(0x400 + DOOR_INTID)
	strb	wzr, [x3]		/* GICD_IPRIORITYR: the highest */
	add	x3, x1, #0x6000
	mrs	x0, mpidr_el1
	and	x0, x0, #0xffffff	/* GICD_IROUTER: here */
	str	x0, [x3, #(8 * DOOR_INTID)]
	mov	w0, #(1 << (DOOR_INTID % 32))
	str	w0, [x1, #(0x100 + 4 * (DOOR_INTID / 32))]	/* GICD_ISENABLER */
	ldr	x2, =DOOR_UART
	mov	w0, #0x10		/* UARTLCR_H.FEN */
	str	w0, [x2, #0x2c]
	mov	w0, #0x301		/* UARTCR: UARTEN, TXE, RXE */
	str	w0, [x2, #0x30]
	mov	w0, #0x50		/* UARTIMSC: RXIM, RTIM */
	str	w0, [x2, #0x38]
	dsb	sy
	mov	w0, #0x33		/* and EnableGrp0, EnableGrp1NS */
	str	w0, [x1]
	dsb	sy

each:	ldr	w0, [x20, #0x14]	/* GICR_WAKER */
	bic	w0, w0, #2		/* ProcessorSleep */
	str	w0, [x20, #0x14]
1:	ldr	w0, [x20, #0x14]
	tbnz	w0, #2, 1b		/* ChildrenAsleep */
	add	x1, x20, #0x10000
	mov	w0, #~(1 << DOOR_SGI)
	str	w0, [x1, #0x80]		/* GICR_IGROUPR0 */
	str	wzr, [x1, #0xd00]	/* GICR_IGRPMODR0 */
	add	x2, x1, #0x400		/* GICR_IPRIORITYR */
	mov	w3, #8
	mov	w4, #0x80808080
1:	str	w4, [x2], #4
	subs	w3, w3, #1
	b.ne	1b
	strb	wzr, [x1, #(0x400 + DOOR_SGI)]
	mov	w0, #(1 << DOOR_SGI)
	str	w0, [x1, #0x100]	/* GICR_ISENABLER0 */
	dsb	sy
	mov	x0, #0xff
	msr	ICC_PMR_EL1, x0
	mrs	x0, ICC_CTLR_EL3
	orr	x0, x0, #4		/* EOImode_EL3: what a service has stays active when its priority is dropped */
	msr	ICC_CTLR_EL3, x0
	mov	x0, #1
	msr	S3_0_C12_C12_6, x0	/* ICC_IGRPEN0_EL1 */
	msr	S3_6_C12_C12_7, x0	/* ICC_IGRPEN1_EL3: EnableGrp1NS */
	isb

/* The BOOT exit: its answer comes when this vCPU shall run. */
	ldr	w0, [sp, #REQ]		/* the host may be reading the exit of before */
	add	w0, w0, #1
	str	w0, [sp, #SEQUENCE]
	dmb	sy
	str	xzr, [sp, #KICK]	/* and WAKE */
	str	wzr, [sp, #SLEEP]
	str	wzr, [sp, #INTERRUPTS]
	mov	w0, #1
	str	w0, [sp, #IS_OFF]
	add	x9, sp, #EXIT_FRAME
	mov	w2, #16
1:	stp	xzr, xzr, [x9], #16
	subs	w2, w2, #1
	b.ne	1b
	add	x9, sp, #IDENTITY
	mrs	x0, midr_el1
	mrs	x1, id_aa64pfr0_el1
	stp	x0, x1, [x9], #16
	mrs	x0, S3_0_C0_C4_1	/* ID_AA64PFR1_EL1 */
	mrs	x1, id_aa64dfr0_el1
	stp	x0, x1, [x9], #16
	mrs	x0, id_aa64isar0_el1
	mrs	x1, id_aa64isar1_el1
	stp	x0, x1, [x9], #16
	mrs	x0, S3_0_C0_C6_2	/* ID_AA64ISAR2_EL1 */
	mrs	x1, id_aa64mmfr0_el1
	stp	x0, x1, [x9], #16
	mrs	x0, id_aa64mmfr1_el1
	mrs	x1, S3_0_C0_C7_2	/* ID_AA64MMFR2_EL1 */
	stp	x0, x1, [x9], #16
	mrs	x0, cntfrq_el0
	str	x0, [x9]
	mov	w19, #REASON_BOOT
	mov	w25, #0
	mov	x21, #0
	mov	x22, #0x3c5		/* EL1h, DAIF */
	b	no_syndrome

/* Copied to non-secure RAM; runs at EL2, needs no register and no stack. */
	.balign	2048
stub:
	.set	n, 0
	.rept	16
	.balign	128
	smc	#(0xe200 + n)
	.set	n, n + 1
	.endr
	.balign	2048
	.ltorg
