/*
 * The control port: descriptors, memory, kicks.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "port.h"

#define MAPPINGS 64

static struct { uint8_t *at; size_t size; } mappings[MAPPINGS];	/* of this port's thread */

static int32_t open_path(struct port *port)
{
	char path[256] = "";
	size_t count = port->end - port->request;
	int fd;

	if (count >= sizeof(path))
		die("a path of %zu bytes is too long", count);
	memcpy(path, take(port, count), count);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int32_t map(struct port *port)
{
	uint64_t size = take64(port), address;
	int i = 0;
	void *at;

	while (i < MAPPINGS && mappings[i].at)
		i++;
	if (i == MAPPINGS)
		return -ENOMEM;
	at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return -errno;
	mappings[i].at = at;
	mappings[i].size = size;
	address = (uintptr_t)at;
	memcpy(give(port, 8), &address, 8);
	return i;
}

static uint32_t take_mapping(struct port *port)
{
	uint32_t i = take32(port);

	if (i >= MAPPINGS || !mappings[i].at)
		die("mapping %u is none", i);
	return i;
}

static int32_t unmap(struct port *port)
{
	uint32_t i = take_mapping(port);
	int result = munmap(mappings[i].at, mappings[i].size);

	mappings[i].at = NULL;
	return result < 0 ? -errno : 0;
}

static int32_t access_memory(struct port *port, int writes)
{
	uint32_t i = take_mapping(port), count = take32(port);
	uint64_t offset = take64(port);

	if (count > CHUNK_LIMIT || offset > mappings[i].size || count > mappings[i].size - offset)
		die("%u bytes at %#lx are not in a mapping of %#zx", count, offset, mappings[i].size);
	if (writes)
		memcpy(mappings[i].at + offset, take(port, count), count);
	else
		memcpy(give(port, count), mappings[i].at + offset, count);
	return 0;
}

static int32_t clear(struct port *port)
{
	uint32_t i = take_mapping(port);

	return madvise(mappings[i].at, mappings[i].size, MADV_DONTNEED) < 0 ? -errno : 0;
}

static int32_t kick(struct port *port)
{
	uint32_t i = take32(port), number = take32(port);
	struct port *vcpu = &ports[1 + i];

	if (i >= VCPU_PORTS)
		die("vCPU port %u is none", i);
	pthread_mutex_lock(&vcpu->lock);
	if (vcpu->run) {
		/* Of two at once, either may come first. */
		if ((int32_t)(number - vcpu->kicks) > 0)
			vcpu->kicks = number;
		if ((int32_t)(number - vcpu->seen) > 0) {
			vcpu->run->immediate_exit = 1;
			pthread_kill(vcpu->thread, SIGUSR1);
		}
	}
	pthread_mutex_unlock(&vcpu->lock);
	return 0;
}

static int32_t leftovers(struct port *port)
{
	uint32_t descriptors = 0, mapped = 0, vcpus = 0;
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	char target[64];

	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		ssize_t count = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);

		target[count < 0 ? 0 : count] = 0;
		descriptors += !strcmp(target, "/dev/kvm") || !strncmp(target, "anon_inode:kvm", 14);
	}
	closedir(folder);
	for (int i = 0; i < MAPPINGS; i++)
		mapped += !!mappings[i].at;
	for (int i = 1; i < PORTS; i++) {
		pthread_mutex_lock(&ports[i].lock);
		vcpus += !!ports[i].run;
		pthread_mutex_unlock(&ports[i].lock);
	}
	give32(port, descriptors);
	give32(port, mapped);
	give32(port, vcpus);
	return 0;
}

int32_t serve_machine(struct port *port, uint32_t op)
{
	int fd;

	switch (op) {
	case OPEN:
		return open_path(port);
	case CLOSE:
		return close(take32(port)) < 0 ? -errno : 0;
	case MAP:
		return map(port);
	case UNMAP:
		return unmap(port);
	case READ:
	case WRITE:
		return access_memory(port, op == WRITE);
	case CLEAR:
		return clear(port);
	case KICK:
		return kick(port);
	case LEFTOVERS:
		return leftovers(port);
	case IOCTL:
		fd = take32(port);
		uint32_t request = take32(port);
		return call(fd, request, take64(port));
	case IOCTL_BYTES:
		fd = take32(port);
		return ioctl_bytes(port, fd);
	default:
		die("%s: op %u is unknown", port->name, op);
	}
}
