/* What both guests named outcomes call, one in AArch64 and one in AArch32, and what they keep of it. After guest.h, whose types these are. */

#define UART		((volatile u32 *)0x09000000)
#define FAST		0x80000000u
#define SMC64		0x40000000u
#define SVE_HINT	0x10000u
#define COUNT(table)	(sizeof(table) / sizeof(*(table)))

/* Numbers that every owner is asked for. */
static const u32 numbers[] = { 0, 1, 2, 3, 0x20, 0xff00, 0xff01, 0xff03, 0xffff };

/* Functions that somebody serves or a specification knows, by the SMC32 twin; each range is called with its neighbours. */
static const struct { u32 first, last; } known[] = {
	{ 0x80000000, 0x80000006 },	/* SMCCC */
	{ 0x80003fff, 0x80003fff },	/* its workarounds */
	{ 0x80007fff, 0x80008000 },
	{ 0x82000000, 0x82000002 },	/* HELLO */
	{ 0x8200ff00, 0x8200ff03 },	/* general queries */
	{ 0x83000000, 0x83000023 },	/* TRIALS */
	{ 0x8300ff00, 0x8300ff03 },
	{ 0x84000000, 0x84000015 },	/* PSCI */
	{ 0x84000020, 0x84000032 },	/* SDEI */
	{ 0x84000050, 0x84000053 },	/* TRNG */
	{ 0x8400ff00, 0x8400ff03 },
	{ 0x85000020, 0x85000021 },	/* PV time */
	{ 0x86000000, 0x86000007 },	/* KVM */
	{ 0x86000040, 0x86000041 },
	{ 0x95c1ba5e, 0x95c1ba61 },	/* PSCI 0.1 */
};

/* Functions that would end the guest, stop its core or enter a handler whatever their arguments are. The others refuse the arguments given here, or do no harm. */
static const u32 stopping[] = {
	0x84000002,			/* CPU_OFF */
	0x84000008,			/* SYSTEM_OFF */
	0x84000009,			/* SYSTEM_RESET */
	0x8400000b,			/* CPU_FREEZE */
	0xc3000007,			/* ATTEND_HERE */
	0xc300000f,			/* SLOW_ATTEND */
};

#define WRITES		0xc300000au	/* WRITE, which wants an address */

static unsigned long calls, digest;

static u32 without_hint(u32 id)
{
	return id & FAST ? id & ~SVE_HINT : id;
}

static void keep(unsigned long value)
{
	digest = (digest ^ value) * 0x1000193;
}

/* Core 1, address 1, power state 1 and reset type 1 do not exist; one millisecond passes. */
static void make(instruction *how, unsigned long w0)
{
	static u32 target[2];
	regs r = { { w0, without_hint(w0) == WRITES ? (unsigned long)target : 1, 2, 3 } };

	how(&r);
	calls++;
	keep((u32)w0);
	for (int n = 0; n < 4; n++)
		keep(r.r[n]);
}

/* By an instruction whose immediate is 0. */
static void make_unless_stopping(instruction *how, unsigned long w0)
{
	for (u32 n = 0; n < COUNT(stopping); n++)
		if (without_hint(w0) == stopping[n])
			return;
	make(how, w0);
}

static void make_all(instruction *how)
{
	for (u32 owner = 0; owner < 64; owner++)
		for (u32 kind = 0; kind < 4; kind++)
			for (u32 n = 0; n < COUNT(numbers); n++)
				make_unless_stopping(how, kind << 30 | owner << 24 | numbers[n]);
	for (u32 n = 0; n < COUNT(known); n++)
		for (u32 twin = known[n].first - 1; twin != known[n].last + 2; twin++)
			for (u32 width = 0; width <= SMC64; width += SMC64) {
				u32 id = twin ^ width;

				make_unless_stopping(how, id);
				/* The upper half of x0 is ignored; AArch32 has none. */
				make_unless_stopping(how, id | 0xdeadbeeful << 16 << 16);
				for (u32 bit = SVE_HINT; bit < 1 << 24; bit <<= 1)
					make_unless_stopping(how, id ^ bit);
			}
	number("calls so far", calls);
}

/* Not SMCCC: w0 is then no function, and nothing stops. */
static void make_other(instruction *how)
{
	static const u32 words[] = { 0, 1, 0x80000000, 0x82000001, 0x83000021, 0x84000000, 0x84000002, 0x84000008, 0xc2000001, 0xc3000000, 0xc3000020, 0xc4000003, 0xc4020003, 0xffffffff };

	for (u32 n = 0; n < COUNT(words); n++)
		make(how, words[n]);
}

/* The register is asked of a machine that runs: this one runs until somebody types. */
static void __attribute__((noreturn)) tell_and_wait(void)
{
	UART[0x2c / 4] = 0x10;
	UART[0x30 / 4] = 0x301;
	number("calls", calls);
	number("digest", digest);
	print("type a key\n");
	while (UART[6] & 0x10)
		;
	off();
}
