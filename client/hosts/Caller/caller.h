/*
 * The table of calls behind caller.bin and what the caller says of each: what caller.S and CallerLayout.cs agree on. Offsets are in bytes, words are little-endian.
 * A test holds each line against the constant of the same name in CallerLayout.cs.
 */

/* ---- the table, at the first multiple of its alignment behind caller.bin */
#define TABLE_ALIGNMENT		16
#define TABLE_COUNT		0x00	/* u64: records */
#define TABLE_RECORDS		0x10	/* they follow one another */

/* ---- a record: one call */
#define RECORD_SIZE		0x00	/* u32: bytes to the next record, a multiple of TABLE_ALIGNMENT */
#define RECORD_INSTRUCTION	0x04	/* u32: the SMC or HVC to be executed */
#define RECORD_TOLD		0x08	/* u32: bytes from RECORD_X on that are sent behind SAYS_RETURNED: registers and memory */
#define RECORD_X		0x10	/* u64 each: x0 to x17 before the call, and then after it */
#define RECORD_REGISTERS	18
#define RECORD_MEMORY		0xa0	/* what arguments point to */

/* ---- what the caller says at the UART: a byte, and what follows it */
#define SAYS_BEGUN		0x42	/* before the first call; nothing follows */
#define SAYS_RETURNED		0x52	/* RECORD_TOLD bytes of the record */
#define SAYS_EXCEPTION		0x58	/* u64 each: ESR, ELR, FAR of its exception level; nothing follows */
#define SAYS_END		0x45	/* every record has been called; nothing follows */
#define EXCEPTION_WORDS		3
