/*
 * How a host talks to the agent, over one virtio-serial port for the machine ("hc.control") and one for each vCPU ("hc.vcpu0"…).
 *
 * All numbers are little-endian. A request is { u32 length of what follows, u32 op, what the op takes }; its reply
 * { u32 length of what follows, s32 result, what the op gives }, where the result is that of the system call, or -errno. One request of a port
 * is answered before the next is read. Unasked, each port says one reply first: { PROTOCOL, "RELEASE\nMACHINE" as uname has them }.
 *
 * A frame that is too long, too short, or names what is not there ends the agent with a line on the console: it is never a kernel's answer.
 * The names here are those of AgentLayout's constants; a test holds one against the other.
 */
#pragma once

#define PROTOCOL 1
#define VCPU_PORTS 9
#define CHUNK_LIMIT 0x100000	/* bytes of memory read or written at once */
#define FRAME_LIMIT 0x101000	/* of a frame, without its own length */
#define PAGE_LIMIT 256		/* bytes of kvm_run that a run gives back */
#define NO_ADDRESS 0xffffffff

/* Of the control port */
#define OPEN 1		/* path, without a NUL -> (descriptor) */
#define CLOSE 2		/* s32 descriptor */
#define MAP 3		/* u64 size -> u64 address (number of the mapping) */
#define UNMAP 4		/* u32 mapping */
#define READ 5		/* u32 mapping, u32 count, u64 offset -> bytes */
#define WRITE 6		/* u32 mapping, u32 count, u64 offset, bytes */
#define CLEAR 7		/* u32 mapping */
#define KICK 8		/* u32 vCPU port, u32 number of the kick, counted from 1 since the vCPU was opened */
#define LEFTOVERS 9	/* -> u32 descriptors of KVM, u32 mappings, u32 vCPU ports in use */

/* Of each port; on a vCPU's the descriptor is its own, whatever the request says */
#define IOCTL 16	/* s32 descriptor, u32 request, u64 argument */
#define IOCTL_BYTES 17	/* s32 descriptor, u32 request, u32 size, u32 offset of an address or NO_ADDRESS, u32 size of what it points to,
			   structure, what it points to -> both */

/* Of a vCPU port */
#define VCPU_OPEN 32	/* s32 descriptor, u32 size of kvm_run: it is the agent's from here on, unless the result is an error */
#define VCPU_CLOSE 33	/* */
#define GET 34		/* u32 count, u32 0, u64 ids -> u64 values */
#define SET 35		/* u32 count, u32 0, u64 ids, u64 values */
#define RUN 36		/* u32 kicks seen, u32 1 where only what is unfinished is completed, u32 set count, u32 get count, u32 bytes of data,
			   u32 bytes of kvm_run to give back, u64 ids to set, u64 values, u64 ids to get, data of an MMIO read
			   -> bytes of kvm_run, u64 values (0 unless the exit was KVM_EXIT_HYPERCALL) */
