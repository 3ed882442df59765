/* What the guests share: calls, console, the functions that the test's responder answers. */
typedef unsigned long u64;
typedef unsigned int u32;

typedef struct { u64 r[18]; } regs;
typedef void instruction(regs *);

instruction smc_0, smc_1, smc_2, smc_e200, smc_e208, smc_ffff, hvc_0, hvc_1, hvc_2, hvc_e200, hvc_e208, hvc_ffff;
void probe_smc(u64 *), probe_hvc(u64 *);
void core_entry(void), handler_entry(void);
u64 hvc_storm(u64 function, u64 count);

#define PSCI_VERSION	0x84000000
#define CPU_SUSPEND	0xc4000001
#define CPU_OFF		0x84000002
#define CPU_ON		0xc4000003
#define AFFINITY_INFO	0xc4000004
#define SYSTEM_OFF	0x84000008
#define SYSTEM_RESET	0x84000009
#define SYSTEM_SUSPEND	0xc400000e
#define SYSTEM_RESET2	0xc4000012

#define ECHO		0xc3000000	/* (a): a + 1, immediate, conduit, previous outcome */
#define ATTEND		0xc3000001	/* (core, microseconds): attention later */
#define SLOW		0xc3000002	/* (milliseconds): the answer comes then */
#define SILENT		0xc3000003	/* no answer at all */
#define STORM		0xc3000004	/* (core, count): that many attentions, one after another */
#define COMPLETE	0xc3000005	/* of the handler */
#define BOOT		0xc3000006	/* (): number of this boot */
#define ATTEND_HERE	0xc3000007	/* attention before the next instruction */
#define HANDLER		0xc3000008	/* (entry): of this core */
#define MASKED		0xc3000009	/* x5, x9, x17 get 5, 9, 17 */
#define WRITE		0xc300000a	/* (address): eight bytes 0x0102030405060708 */
#define WRITE_MAILBOX	0xc300000b	/* the answer writes where it must not */
#define LOAD_EL3	0xc300000c	/* the answer loads a PSTATE of EL3 */
#define SEVEN		0xc300000d	/* 7 */
#define SYSTEM_LOAD	0xc300000e	/* loads SP_EL0, ELR_EL1, SPSR_EL1, VBAR unchanged */
#define SLOW_ATTEND	0xc300000f	/* (milliseconds): attention becomes wanted during the call */
#define WITHDRAWN	0xc3000010	/* attention wanted and withdrawn at once, many times */
#define RESET_CLEAR	0xc3000011	/* reset, with RAM overwritten */
#define CRASH		0xc3000012
#define NEED		0xc3000013	/* (address): x30 as the host supplies it, the word there, what it supplies of memory it must not */
#define COUNT_CALLS	0xc3000023	/* (milliseconds): the calls of it by this core, this one included */
#define DEAF		0xc3000015	/* (count): so many attention and wake exits get no answer */
#define TAKE		0xc3000016	/* (intid): 0, or DENIED where it is refused */
#define GIVE_BACK	0xc3000017	/* (intid) */
#define END		0xc3000018	/* (intid): may fire again */
#define FIRES		0xc3000019	/* (intid): how often it was heard of */
#define LAST		0xc300001a	/* what became of the answer before: 1 applied, 2 fell back */
#define FORCE_ON	0xc3000014	/* (core): a power-on that the host refuses */

void print(const char *text), print_hex(u64 value), print_dec(u64 value);
void fact(const char *text, int true_);
void number(const char *text, u64 value);

u64 call(instruction *how, u64 function, u64 a, u64 b, u64 c);
u64 counter(void);
u64 microseconds(u64 ticks);
u64 this_core(void);

/* The cores in the order of their redistributors; a core's number is its place. */
extern u64 mpidr_of[16], cores;
void find_cores(void);
u64 number_of(u64 mpidr);

/* Interrupts: enabled at the GIC, masked in PSTATE, so that they pend until they are acknowledged. */
#define TIMER		27
#define NONE		1023
void interrupts_on(u64 n);
void timer_in(u64 microseconds), timer_off(void);
void send_sgi(u64 n, u64 intid);
u64 acknowledge(void);

/* deep_sleep(CPU_SUSPEND, power_state) or (SYSTEM_SUSPEND, 0): 1 when it was entered again, with what it found in woken; else the call's result. */
u64 deep_sleep(u64 function, u64 power_state);
extern volatile struct { u64 daif, sctlr, el, spsel; } woken;
void off(void) __attribute__((noreturn));

/* MMU, data cache, instruction cache off, little-endian: what PSCI promises of SCTLR_EL1 where a core is entered; the rest is the hardware's. */
#define mmu_off(sctlr)	(!((sctlr) & (1 << 0 | 1 << 2 | 1 << 12 | 1 << 25)))
