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
#include <linux/netlink.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>
#include "port.h"

#define HOST_PATIENCE 60	/* seconds */

struct port ports[PORTS];

void die(const char *format, ...)
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
