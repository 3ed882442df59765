/* What resets do to RAM: a warm one keeps all that is not loaded anew, one that clears memory leaves nothing. For a machine of 64 MiB. */
#include "guest.h"

#define RAM		0x40000000ul
#define MAILBOXES	(RAM + (62ul << 20))
#define COOKIE		0xc00c1e

extern char _end[];

typedef void visit(u64 *from, u64 *to);

static u64 wrong, left;

static void write(u64 *from, u64 *to)
{
	for (u64 *at = from; at < to; at++)
		*at = (u64)at * 0x9e3779b97f4a7c15;
}

static void check(u64 *from, u64 *to)
{
	for (u64 *at = from; at < to; at++)
		wrong += *at != (u64)at * 0x9e3779b97f4a7c15;
}

static void look(u64 *from, u64 *to)
{
	for (u64 *at = from; at < to; at++)
		left += *at != 0;
}

/* Around QEMU's own tree at the start of RAM, this image and the tree it was given. */
static void all(u64 tree, visit *how)
{
	u64 size = __builtin_bswap32(*(u32 *)(tree + 4));

	how((u64 *)(RAM + (1ul << 20)), (u64 *)0x40400000);
	how((u64 *)(((u64)_end + 7) & ~7ul), (u64 *)tree);
	how((u64 *)(tree + ((size + 7) & ~7ul)), (u64 *)MAILBOXES);
}

int main(u64 tree)
{
	u64 boot = call(smc_0, BOOT, 0, 0, 0);

	number("boot", boot);
	switch (boot) {
	case 1:
		all(tree, write);
		call(smc_0, SYSTEM_RESET2, 0, COOKIE, 0);
		break;
	case 2:
	case 3:
		all(tree, check);
		number("words that a reset has changed", wrong);
		if (boot == 2)
			call(smc_0, SYSTEM_RESET2, 0x80000000, COOKIE, 0);	/* a vendor's, which need not keep anything; this host's does */
		else
			call(smc_0, RESET_CLEAR, 0, 0, 0);
		break;
	case 4:
		all(tree, look);
		number("words that it has left", left);
		call(smc_0, SYSTEM_RESET, 0, 0, 0);
	}
	off();
}
