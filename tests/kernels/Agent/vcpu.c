/*
 * A vCPU's port: registers, and KVM_RUN.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "port.h"

static int32_t open_vcpu(struct port *port)
{
	int fd = take32(port);
	size_t size = take32(port);
	void *run;

	if (port->run || size < PAGE_LIMIT)
		die("%s: cannot be opened with %zu bytes", port->name, size);
	run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (run == MAP_FAILED)
		return -errno;
	pthread_mutex_lock(&port->lock);
	port->fd = fd;
	port->run_size = size;
	port->run = run;
	port->kicks = port->seen = 0;
	pthread_mutex_unlock(&port->lock);
	return 0;
}

static int32_t close_vcpu(struct port *port)
{
	void *run = port->run;
	int fd = port->fd;

	pthread_mutex_lock(&port->lock);
	port->run = NULL;
	port->fd = -1;
	pthread_mutex_unlock(&port->lock);
	munmap(run, port->run_size);
	return close(fd) < 0 ? -errno : 0;
}

/* The kernel reads and writes the values where they stand in the frame. */
static int32_t registers(int fd, uint32_t request, const uint8_t *ids, uint8_t *values, uint32_t count)
{
	int32_t result = 0;

	for (uint32_t i = 0; i < count && result >= 0; i++) {
		struct kvm_one_reg reg = { .addr = (uintptr_t)(values + 8 * i) };

		memcpy(&reg.id, ids + 8 * i, 8);
		if ((reg.id & KVM_REG_SIZE_MASK) != KVM_REG_SIZE_U64)
			return -EINVAL;
		result = call(fd, request, (uintptr_t)&reg);
	}
	return result;
}

static int32_t get_or_set(struct port *port, int sets)
{
	uint32_t count = take32(port);
	uint8_t *ids, *values;

	take32(port);
	ids = take(port, 8UL * count);
	values = sets ? take(port, 8UL * count) : give(port, 8UL * count);
	return registers(port->fd, sets ? KVM_SET_ONE_REG : KVM_GET_ONE_REG, ids, values, count);
}

static int32_t run(struct port *port)
{
	uint32_t seen = take32(port), completes = take32(port), sets = take32(port), gets = take32(port);
	uint32_t data_size = take32(port), page_size = take32(port);
	uint8_t *set_ids = take(port, 8UL * sets), *set_values = take(port, 8UL * sets), *get_ids = take(port, 8UL * gets);
	uint8_t *data = take(port, data_size), *page, *values;
	int32_t result;

	if (page_size > PAGE_LIMIT || data_size > sizeof(port->run->mmio.data))
		die("%s: %u and %u bytes of kvm_run are too many", port->name, data_size, page_size);
	page = give(port, page_size);
	values = give(port, 8UL * gets);
	result = registers(port->fd, KVM_SET_ONE_REG, set_ids, set_values, sets);
	if (result < 0)
		return result;
	memcpy(port->run->mmio.data, data, data_size);

	pthread_mutex_lock(&port->lock);
	port->seen = seen;
	port->run->immediate_exit = completes || (int32_t)(port->kicks - seen) > 0;
	pthread_mutex_unlock(&port->lock);
	result = call(port->fd, KVM_RUN, 0);

	memcpy(page, port->run, page_size);
	if (result >= 0 && port->run->exit_reason == KVM_EXIT_HYPERCALL)
		result = registers(port->fd, KVM_GET_ONE_REG, get_ids, values, gets);
	return result;
}

int32_t serve_vcpu(struct port *port, uint32_t op)
{
	if (op != VCPU_OPEN && !port->run)
		die("%s: op %u finds no vCPU", port->name, op);
	switch (op) {
	case VCPU_OPEN:
		return open_vcpu(port);
	case VCPU_CLOSE:
		return close_vcpu(port);
	case GET:
	case SET:
		return get_or_set(port, op == SET);
	case RUN:
		return run(port);
	case IOCTL:
		take32(port);
		uint32_t request = take32(port);
		return call(port->fd, request, take64(port));
	case IOCTL_BYTES:
		take32(port);
		return ioctl_bytes(port, port->fd);
	default:
		die("%s: op %u is unknown", port->name, op);
	}
}
