/* What the guests share that are clients of SDEI. Functions as in the specification's table; results negative as it has them. */
#include "guest.h"

#define SDEI_VERSION		0xc4000020
#define EVENT_REGISTER		0xc4000021
#define EVENT_ENABLE		0xc4000022
#define EVENT_DISABLE		0xc4000023
#define EVENT_CONTEXT		0xc4000024
#define EVENT_COMPLETE		0xc4000025
#define EVENT_COMPLETE_AND_RESUME 0xc4000026
#define EVENT_UNREGISTER	0xc4000027
#define EVENT_STATUS		0xc4000028
#define EVENT_GET_INFO		0xc4000029
#define EVENT_ROUTING_SET	0xc400002a
#define PE_MASK			0xc400002b
#define PE_UNMASK		0xc400002c
#define INTERRUPT_BIND		0xc400002d
#define INTERRUPT_RELEASE	0xc400002e
#define EVENT_SIGNAL		0xc400002f
#define SDEI_FEATURES		0xc4000030
#define PRIVATE_RESET		0xc4000031
#define SHARED_RESET		0xc4000032

/* What a handler found, and what it may use; sdei.S has the offsets. */
struct seen {
	u64 x[31], sp, pstate, elr, spsr, esr, far, sp_el0;
	u64 stack;	/* set by the guest: the end of the handler's own */
	u64 refused;	/* x0 of a COMPLETE that came back */
	volatile u64 count;
};

void event_entry_smc(struct seen *), event_entry_hvc(struct seen *);
void hold(u64 nzcv, u64 daif), hold_loop(void), landing(void);
extern struct seen *volatile held;
extern struct seen landed;
u64 on_event(struct seen *seen);

/* The conduit, and the handlers that go with it. */
extern instruction *conduit;
void use_smc(void), use_hvc(void);

long sdei(u64 function, u64 a, u64 b, u64 c, u64 flags, u64 affinity);
#define sdei0(function)		sdei(function, 0, 0, 0, 0, 0)
#define sdei1(function, a)	sdei(function, a, 0, 0, 0, 0)
#define sdei2(function, a, b)	sdei(function, a, b, 0, 0, 0)

/* Registers this core's handler of a private event, or that of a shared one, with a record of its own, and enables it. */
void handle(u64 event, struct seen *seen, u64 flags, u64 affinity);
void await(volatile u64 *count, u64 value);
int holds_pattern(const u64 *x);
