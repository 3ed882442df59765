/*
 * A bare guest that makes calls: for each record of the table behind it, it loads x0 to x17, executes the record's instruction, stores x0 to x17 and sends them to the UART.
 * Runs at EL1 and EL2, wherever it is loaded, with the MMU off: all data is device memory, so that every access is aligned.
 */
#include "caller.h"

#define UART		0x09000000	/* PL011 */
#define UART_DR		0x00
#define UART_FR		0x18
#define UART_FR_TXFF	5
#define UART_CR		0x30
#define UART_CR_ON	0x301		/* UARTEN, TXE, RXE */

	.text
	.global _start
_start:
	adr	x1, taken
	ldr	w2, [x1]
	cbnz	w2, park		/* a core that a call has started here */
	mov	w2, #1
	str	w2, [x1]
	adr	x1, vectors
	mrs	x2, currentel
	cmp	x2, #8
	b.eq	1f
	msr	vbar_el1, x1
	b	2f
1:	msr	vbar_el2, x1
2:	isb
	mov	x1, #UART
	mov	w2, #UART_CR_ON
	str	w2, [x1, #UART_CR]
	mov	w0, #SAYS_BEGUN
	bl	say
	adr	x19, table
	ldr	x20, [x19, #TABLE_COUNT]
	add	x19, x19, #TABLE_RECORDS
next:
	cbz	x20, end
	/* The instruction goes past data and instruction caches before it is fetched. */
	ldr	w1, [x19, #RECORD_INSTRUCTION]
	adr	x2, slot
	str	w1, [x2]
	dc	cvau, x2
	dsb	ish
	ic	ivau, x2
	dsb	ish
	isb
	/* In memory: an answer may load any register. */
	adr	x2, current
	stp	x19, x20, [x2]
	ldp	x0, x1, [x19, #RECORD_X]
	ldp	x2, x3, [x19, #RECORD_X + 16]
	ldp	x4, x5, [x19, #RECORD_X + 32]
	ldp	x6, x7, [x19, #RECORD_X + 48]
	ldp	x8, x9, [x19, #RECORD_X + 64]
	ldp	x10, x11, [x19, #RECORD_X + 80]
	ldp	x12, x13, [x19, #RECORD_X + 96]
	ldp	x14, x15, [x19, #RECORD_X + 112]
	ldp	x16, x17, [x19, #RECORD_X + 128]
slot:	.word	0
	adr	x20, current
	ldp	x19, x20, [x20]
	stp	x0, x1, [x19, #RECORD_X]
	stp	x2, x3, [x19, #RECORD_X + 16]
	stp	x4, x5, [x19, #RECORD_X + 32]
	stp	x6, x7, [x19, #RECORD_X + 48]
	stp	x8, x9, [x19, #RECORD_X + 64]
	stp	x10, x11, [x19, #RECORD_X + 80]
	stp	x12, x13, [x19, #RECORD_X + 96]
	stp	x14, x15, [x19, #RECORD_X + 112]
	stp	x16, x17, [x19, #RECORD_X + 128]
	mov	w0, #SAYS_RETURNED
	bl	say
	add	x1, x19, #RECORD_X
	ldr	w2, [x19, #RECORD_TOLD]
	bl	send
	ldr	w1, [x19, #RECORD_SIZE]
	add	x19, x19, x1
	sub	x20, x20, #1
	b	next

end:	mov	w0, #SAYS_END
	bl	say
park:	wfi
	b	park

/* send(x1, x2): x2 bytes from x1 on. */
send:	mov	x3, x30
1:	cbz	x2, 2f
	ldrb	w0, [x1], #1
	bl	say
	sub	x2, x2, #1
	b	1b
2:	ret	x3

/* say(w0): a byte. */
say:	mov	x4, #UART
1:	ldr	w5, [x4, #UART_FR]
	tbnz	w5, #UART_FR_TXFF, 1b
	str	w0, [x4, #UART_DR]
	ret

exception:
	adr	x19, current
	mrs	x1, currentel
	cmp	x1, #8
	b.eq	1f
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	mrs	x2, far_el1
	b	2f
1:	mrs	x0, esr_el2
	mrs	x1, elr_el2
	mrs	x2, far_el2
2:	stp	x0, x1, [x19]
	str	x2, [x19, #16]
	mov	w0, #SAYS_EXCEPTION
	bl	say
	mov	x1, x19
	mov	x2, #(8 * EXCEPTION_WORDS)
	bl	send
	b	park

	.balign	8
current:
	.quad	0, 0, 0
taken:	.word	0

	.balign	2048
vectors:
	.rept	16
	.balign	128
	b	exception
	.endr

	.balign	TABLE_ALIGNMENT
table:
