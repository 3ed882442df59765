/*
 * The mailbox area at the top of guest RAM: what monitor.S and MailboxLayout.cs agree on. Offsets are in bytes, words are little-endian.
 * A test holds each line against the constant of the same name in MailboxLayout.cs.
 */

/* ---- the area */
#define AREA_SIZE		0x200000
#define MAXIMUM_VCPUS		16
#define CONFIG_SPIN		0x08	/* u32, host: polls of RSP before the first WFI */
#define CONFIG_BOOT		0x0c	/* u32, monitor: +1 at each reset */
#define CONFIG_VCPUS		0x10	/* u32, host: number of vCPUs */
#define TOLD_BOOT		0x14	/* u32, host: the last boot that the daemon was told of */
#define TOKEN_LENGTH		0x18	/* u32, host: bytes of the token, written last; 0 while there is none */
#define GIC_LOCK		0x30	/* u32, monitor: 1 while a vCPU changes registers of the GIC that others may change too */
#define TOKEN			0x40	/* host: what the daemon knows this machine by */
#define TOKEN_SIZE		64
#define STUB			0x1000	/* 2 KiB, monitor: the EL2 vectors, which EL2 cannot fetch from secure flash */
#define PRIORITIES		0x2000	/* u8 each, monitor: what interrupts had before a service took them, by INTID */
#define PRIORITIES_SPI		0x400	/* bytes of these for SPIs; those of PPIs follow, vCPU by vCPU */
#define PRIORITIES_PPI		0x20	/* bytes for each vCPU */
#define PAGES			0x10000	/* the page of vCPU n is at PAGES + n * PAGE_SIZE */
#define PAGE_SIZE		0x1000

/* ---- the page of a vCPU. Each word that the two sides poll has a cache line of its own */
#define REQ			0x000	/* u32, monitor: +1 for each exit, store-release; goes on across resets */
#define RSP			0x040	/* u32, host: equal to REQ when answered, store-release */
#define KICK			0x080	/* u32, host: make an exit; cleared by the monitor */
#define WAKE			0x084	/* u32, host: answered while the vCPU slept; cleared by the monitor */
#define SLEEP			0x088	/* u32, monitor: 1 around WFI, the host must ring after its answer */
#define IS_OFF			0x08c	/* u32, host: the exit is that of a power-off; cleared by the monitor when it is answered, set by it at BOOT */

/* ---- the exit, written by the monitor before REQ */
#define REASON			0x0c0	/* u32 */
#define BOOT			0x0c4	/* u32: CONFIG_BOOT */
#define CAUSE			0x0c8	/* u32: of a wake, the INTID of an interrupt, or the vector of an unexpected exception (16 and above: EL2's) */
#define SEQUENCE		0x0cc	/* u32: the exit being written; while it differs from REQ the frame is torn, as a reset can leave it */
#define ESR			0x0d0	/* u64 */
#define FAR			0x0d8	/* u64 */
#define DETAIL			0x0e0	/* u64: HPFAR_EL2 of an EL2 exception, PAR_EL1 of an AArch32 SMC's address */
#define MPIDR			0x0e8	/* u64 */
#define EXIT_FRAME		0x100

/* ---- the answer, written by the host before RSP */
#define COMMAND			0x2c0	/* u32 */
#define LOAD_SYSTEM		0x2c4	/* u32: 1 loads the system registers of the frame too */
#define INTERRUPTS		0x2c8	/* u32: equal to REQ acts on the next ones too; cleared by the monitor when that is done */
#define TAKE			0x2cc	/* u32: an INTID to be taken from the guest, 0 for none */
#define TAKE_REFUSED		0x2d0	/* u64: x0 when it cannot be */
#define TAKE_OUTCOME		0x2d8	/* u64, monitor: REQ of the last exit whose answer took one (upper half), and what became of it */
#define ANSWER_FRAME		0x300
#define ENDED			0x680	/* one bit for each INTID: taken ones that may fire again */
#define RETURNED		0x700	/* the same: taken ones that are the guest's again */
#define INTERRUPT_SET		0x80	/* bytes of such a set */

/* ---- ID registers, written at the BOOT exit, u64 each */
#define IDENTITY		0x480
#define IDENTITY_COUNT		11	/* MIDR ID_AA64: PFR0 PFR1 DFR0 ISAR0 ISAR1 ISAR2 MMFR0 MMFR1 MMFR2; CNTFRQ */

/*
 * ---- what a host keeps for the one that takes over when it is killed; the monitor neither reads nor writes it, and a reset leaves it.
 * An exit is named by its boot (upper half) and REQ. Records are void while that name is 0: it is cleared first and written last.
 */

/* ---- the last start of this vCPU */
#define START_EXIT		0x500	/* u64: the exit that this start answers */
#define START_INCARNATION	0x508	/* u64: of the daemon that the effect came from */
#define START_COMMIT		0x510	/* u64: of that effect; 0 for the boot core */
#define START_ENTRY		0x518	/* u64 */
#define START_CONTEXT		0x520	/* u64 */
#define START_R1		0x528	/* u64 */
#define START_R2		0x530	/* u64 */
#define START_ENDIANNESS	0x538	/* u32: bit 0 exceptions, bit 1 data */

/* ---- interrupts that stopped this vCPU and of which the daemon has not heard: to be told again. It outlives no reset */
#define OWED			0x780

/* ---- two decisions in turn: what becomes of an exit. One that is complete stands, whether or not it has been carried out */
#define DECISIONS		0x580
#define DECISION_SIZE		0x80
#define DECISION_EXIT		0x00	/* u64: the exit; the answer frame is complete by then */
#define DECISION_LAST_APPLIED	0x08	/* u64: the last exit whose answer was applied */
#define DECISION_OUTCOME	0x10	/* u32: the wire's */
#define DECISION_EFFECT		0x14	/* u32 */
#define DECISION_INCARNATION	0x18	/* u64 */
#define DECISION_COMMIT		0x20	/* u64 */
#define DECISION_TARGET		0x28	/* u64: MPIDR of the core to be started */
#define DECISION_ENTRY		0x30	/* u64 */
#define DECISION_CONTEXT	0x38	/* u64 */
#define DECISION_IF_REFUSED	0x40	/* u64: x0 when it cannot be started */
#define DECISION_ENDIANNESS	0x48	/* u32 */
#define DECISION_ATTEND		0x4c	/* u32: 1 when an attention exit is owed before the next instruction */

/* ---- a frame, u64 each: x0 to x30, then these */
#define FRAME_X0		0x000
#define FRAME_PC		0x0f8
#define FRAME_PSTATE		0x100
#define FRAME_SP_EL0		0x108
#define FRAME_SP_EL1		0x110
#define FRAME_ELR_EL1		0x118
#define FRAME_SPSR_EL1		0x120
#define FRAME_VBAR_EL1		0x128
#define FRAME_SCTLR_EL1		0x130
#define FRAME_ELR_EL2		0x138
#define FRAME_SPSR_EL2		0x140
#define FRAME_VBAR_EL2		0x148
#define FRAME_SCTLR_EL2		0x150
#define FRAME_HCR_EL2		0x158
#define FRAME_SCR_EL3		0x160
#define FRAME_SIZE		0x168

/* ---- REASON */
#define REASON_BOOT		1
#define REASON_EL3		2	/* an SMC, or anything else that EL3 takes from a lower level */
#define REASON_EL2		3	/* an HVC, or anything else that EL2 takes from EL1 */
#define REASON_KICK		4
#define REASON_WAKE		5
#define REASON_BUG		6	/* an exception that nothing should cause: the run is over */
#define REASON_INTERRUPT	7	/* one that a service has taken; the host writes it over KICK where it tells of one again */

/* ---- CAUSE of a wake */
#define CAUSE_INTERRUPT		1
#define CAUSE_KICK		2

/* ---- COMMAND */
#define COMMAND_RESUME		0
#define COMMAND_OFF		1
#define COMMAND_RESET		2
#define COMMAND_WAIT		3	/* load the frame, wait for a guest interrupt or a kick, then make a wake exit */

/* ---- DECISION_EFFECT */
#define EFFECT_NONE		0
#define EFFECT_POWER_ON		1
#define EFFECT_POWER_OFF	2
#define EFFECT_SHUTDOWN		3
#define EFFECT_RESET_COLD	4
#define EFFECT_RESET_WARM	5
#define EFFECT_RESET_CLEAR	6	/* cold, with RAM overwritten */
#define EFFECT_TAKE		7	/* what became of it: TAKE_OUTCOME */

/* ---- TAKE_OUTCOME, lower half */
#define TAKEN			1
#define REFUSED			2

/* ---- monitor.bin: words the host checks and patches */
#define IMAGE_MAGIC_OFFSET	4
#define IMAGE_MAGIC		0x4c415048
#define IMAGE_AREA_OFFSET	8	/* u64: address of the area */
