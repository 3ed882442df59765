/* What the AArch32 guests share; the functions are those of ../guest.h by their 32-bit numbers. */
typedef unsigned int u32;

typedef struct { u32 r[8]; } regs;
typedef void instruction(regs *);

instruction a32_smc_0, a32_smc_1, a32_smc_f, a32_hvc_0, a32_hvc_1, a32_hvc_2, a32_hvc_e200, a32_hvc_ffff;
instruction t32_smc_0, t32_smc_1, t32_smc_f, t32_hvc_0, t32_hvc_1, t32_hvc_2, t32_hvc_e200, t32_hvc_ffff;
void through(regs *, u32 code);
void core_entry(void), core_entry_thumb(void), handler_entry(void);
u32 hvc_storm(u32 function, u32 count);

/* r0 to r2 and CPSR at the first instruction. */
extern u32 entry[4];

#define PSCI_VERSION	0x84000000
#define CPU_SUSPEND	0x84000001
#define CPU_OFF		0x84000002
#define CPU_ON		0x84000003
#define AFFINITY_INFO	0x84000004
#define SYSTEM_OFF	0x84000008

#define ECHO		0x83000000
#define ATTEND		0x83000001
#define STORM		0x83000004
#define COMPLETE	0x83000005
#define HANDLER		0x83000008
#define SEVEN		0x8300000d

void print(const char *text), print_hex(u32 value);
void fact(const char *text, int true_);
void number(const char *text, u32 value);

u32 call(instruction *how, u32 function, u32 a, u32 b, u32 c);
u32 this_core(void);
void *memcpy(void *to, const void *from, __SIZE_TYPE__ count);
void off(void) __attribute__((noreturn));
