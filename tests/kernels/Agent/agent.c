/*
 * The first and only process of a small Linux: makes the calls to KVM that a host asks for (agent.h).
 *
 * A thread serves each port, so a vCPU in KVM_RUN keeps no other waiting. A kick is never lost and never given twice: under the vCPU's lock
 * the run says which kicks it has seen, and one that it has not seen sets immediate_exit, before KVM_RUN or, with a signal, during it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>
#include "agent.h"

#define PORTS (1 + VCPU_PORTS)
#define MAPPINGS 64
#define HOST_PATIENCE 60	/* seconds */

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

static struct port ports[PORTS];
static struct { uint8_t *at; size_t size; } mappings[MAPPINGS];	/* of the control port's thread */

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list arguments;

	printf("agent: ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
	_exit(1);
}

/* --- Frames --- */

static void receive(struct port *port, uint8_t *bytes, size_t count)
{
	while (count) {
		ssize_t got = read(port->device, bytes, count);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			die("%s: the host has gone", port->name);
		bytes += got;
		count -= got;
	}
}

static void *take(struct port *port, size_t count)
{
	uint8_t *bytes = port->request;

	if (count > (size_t)(port->end - bytes))
		die("%s: a request ends too early", port->name);
	port->request += count;
	return bytes;
}

static uint32_t take32(struct port *port)
{
	uint32_t value;

	memcpy(&value, take(port, sizeof(value)), sizeof(value));
	return value;
}

static uint64_t take64(struct port *port)
{
	uint64_t value;

	memcpy(&value, take(port, sizeof(value)), sizeof(value));
	return value;
}

/* A place of the reply, zero. */
static void *give(struct port *port, size_t count)
{
	uint8_t *bytes = port->out + 4 + port->length;

	if (count > FRAME_LIMIT - port->length)
		die("%s: a reply would be too long", port->name);
	port->length += count;
	return memset(bytes, 0, count);
}

static void give32(struct port *port, uint32_t value)
{
	memcpy(give(port, sizeof(value)), &value, sizeof(value));
}

static void send_reply(struct port *port, int32_t result)
{
	uint32_t length = port->length;
	uint8_t *bytes = port->out;
	size_t count = 4 + length;

	memcpy(bytes, &length, 4);
	memcpy(bytes + 4, &result, 4);
	while (count) {
		ssize_t sent = write(port->device, bytes, count);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			die("%s: cannot be written: %m", port->name);
		bytes += sent;
		count -= sent;
	}
}

/* --- Calls of either kind of port --- */

static int32_t call(int fd, uint32_t request, uintptr_t argument)
{
	int result = ioctl(fd, request, argument);

	return result < 0 ? -errno : result;
}

static int32_t ioctl_bytes(struct port *port, int fd)
{
	uint32_t request = take32(port), size = take32(port), at = take32(port), pointed_size = take32(port);
	uint8_t *structure = take(port, size), *pointed = take(port, pointed_size);
	int32_t result;

	if (size < _IOC_SIZE(request))
		die("%s: %u bytes are too few for ioctl %#x", port->name, size, request);
	if (at != NO_ADDRESS) {
		if (size < 8 || at > size - 8)
			die("%s: no address fits at %u of %u bytes", port->name, at, size);
		memcpy(structure + at, &pointed, 8);
	}
	result = call(fd, request, (uintptr_t)structure);
	memcpy(give(port, size), structure, size);
	memcpy(give(port, pointed_size), pointed, pointed_size);
	return result;
}

/* --- The machine --- */

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

static int32_t serve_machine(struct port *port, uint32_t op)
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

/* --- A vCPU --- */

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

static int32_t serve_vcpu(struct port *port, uint32_t op)
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

/* --- Ports --- */

static void say_hello(struct port *port)
{
	struct utsname name;
	char text[sizeof(name.release) + sizeof(name.machine)];
	int count;

	uname(&name);
	count = snprintf(text, sizeof(text), "%s\n%s", name.release, name.machine);
	port->length = 4;
	memcpy(give(port, count), text, count);
	/* A port is written once its host is there; read before that, it would be at its end. */
	send_reply(port, PROTOCOL);
}

static void *serve(void *argument)
{
	struct port *port = argument;

	say_hello(port);
	if (port == ports)
		alarm(0);
	for (;;) {
		uint32_t length, op;
		int32_t result;

		receive(port, (uint8_t *)&length, sizeof(length));
		if (length > FRAME_LIMIT)
			die("%s: a frame of %u bytes is too long", port->name, length);
		receive(port, port->in, length);
		port->request = port->in;
		port->end = port->in + length;
		port->length = 4;
		op = take32(port);
		result = port == ports ? serve_machine(port, op) : serve_vcpu(port, op);
		if (port->request != port->end)
			die("%s: op %u has %td bytes too many", port->name, op, port->end - port->request);
		send_reply(port, result);
	}
	return NULL;
}

/* Opens what has got its name by now, which is later than its device; says how many are open. */
static int find_ports(void)
{
	DIR *folder = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	char path[320], name[32];
	int found = 0;

	while (folder && (entry = readdir(folder))) {
		FILE *file;

		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "%31s", name) == 1)
			for (int i = 0; i < PORTS; i++)
				if (ports[i].device < 0 && !strcmp(name, ports[i].name)) {
					snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
					ports[i].device = open(path, O_RDWR | O_CLOEXEC);
				}
		fclose(file);
	}
	if (folder)
		closedir(folder);
	for (int i = 0; i < PORTS; i++)
		found += ports[i].device >= 0;
	return found;
}

static void await_ports(int events)
{
	char event[4096];

	while (find_ports() < PORTS)
		/* More than fit in between (ENOBUFS) are as good as one. */
		if (recv(events, event, sizeof(event), 0) < 0 && errno != ENOBUFS)
			die("no event of a device: %m");
}

static void load_modules(void)
{
	struct dirent **entries;
	char path[320];
	int count = scandir("/modules", &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		int fd;

		if (entries[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", entries[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0)
			die("%s: %m", path);
		close(fd);
	}
}

static void mount_at(const char *type, const char *path)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL) < 0 && errno != EBUSY)
		die("%s: %m", path);
}

static void ends_call(int signal)
{
	(void)signal;
}

static void ends_wait(int signal)
{
	static const char words[] = "agent: no host came\n";

	(void)signal;
	if (write(STDOUT_FILENO, words, sizeof(words) - 1) >= 0)
		tcdrain(STDOUT_FILENO);
	reboot(RB_POWER_OFF);
}

int main(void)
{
	/* Without SA_RESTART: a kick has to end KVM_RUN. */
	struct sigaction kicked = { .sa_handler = ends_call }, late = { .sa_handler = ends_wait };
	struct sockaddr_nl devices = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int console, events;

	mount_at("devtmpfs", "/dev");
	mount_at("sysfs", "/sys");
	mount_at("proc", "/proc");
	console = open("/dev/console", O_RDWR);
	for (int i = 0; console >= 0 && i < 3; i++)
		dup2(console, i);
	sigaction(SIGUSR1, &kicked, NULL);
	sigaction(SIGALRM, &late, NULL);
	alarm(HOST_PATIENCE);

	for (int i = 0; i < PORTS; i++) {
		if (i == 0)
			strcpy(ports[i].name, "hc.control");
		else
			snprintf(ports[i].name, sizeof(ports[i].name), "hc.vcpu%d", i - 1);
		ports[i].device = ports[i].fd = -1;
		pthread_mutex_init(&ports[i].lock, NULL);
	}
	events = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (events < 0 || bind(events, (struct sockaddr *)&devices, sizeof(devices)) < 0)
		die("events of devices: %m");
	load_modules();
	await_ports(events);
	close(events);

	for (int i = 1; i < PORTS; i++)
		if (pthread_create(&ports[i].thread, NULL, serve, &ports[i]))
			die("%s: no thread", ports[i].name);
	serve(&ports[0]);
}
