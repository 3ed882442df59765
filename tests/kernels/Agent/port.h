/*
 * What the files of the agent share: a port, and its frames.
 */
#pragma once
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/kvm.h>
#include "agent.h"

#define PORTS (1 + VCPU_PORTS)

struct port {
	char name[16];
	int device;			/* -1: not there yet */
	uint8_t *request, *end;		/* what is not yet taken of the request */
	size_t length;			/* of the reply, without the frame's length */
	uint8_t in[FRAME_LIMIT], out[4 + FRAME_LIMIT];

	/* A vCPU's alone. The lock is for what a kick touches. */
	int fd;
	size_t run_size;
	pthread_t thread;
	pthread_mutex_t lock;
	struct kvm_run *run;
	uint32_t kicks, seen;
};

extern struct port ports[PORTS];	/* the machine's, then the vCPUs' */

/* Ends the agent with a line on the console. */
void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...);

/* Frames (frames.c): what is asked for next, and places of the reply, zero. */
void receive(struct port *port, uint8_t *bytes, size_t count);
void *take(struct port *port, size_t count);
uint32_t take32(struct port *port);
uint64_t take64(struct port *port);
void *give(struct port *port, size_t count);
void give32(struct port *port, uint32_t value);
void send_reply(struct port *port, int32_t result);

/* A system call's result, or -errno. */
int32_t call(int fd, uint32_t request, uintptr_t argument);
int32_t ioctl_bytes(struct port *port, int fd);

/* One request (machine.c, vcpu.c): its result. */
int32_t serve_machine(struct port *port, uint32_t op);
int32_t serve_vcpu(struct port *port, uint32_t op);
