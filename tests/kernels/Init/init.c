/*
 * /init of a guest: says which cores are online, turns each off and on as often as rounds=N on the command line says, shows what the kernel found in
 * firmware, then asks what to do: "poweroff" or "reboot"; then=WORD on the command line answers that. Says all else that goes wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#define CPU "/sys/devices/system/cpu/"

static void fail(const char *what)
{
	printf("guest: %s: %s\n", what, strerror(errno));
}

static void mount_at(const char *type, const char *path)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL) && errno != EBUSY)
		fail(path);
}

static const char *read_file(const char *path, char *text, int size)
{
	int file = open(path, O_RDONLY);
	int length = file < 0 ? -1 : read(file, text, size - 1);

	if (length < 0)
		fail(path);
	text[length < 0 ? 0 : length] = 0;
	text[strcspn(text, "\n")] = 0;
	close(file);
	return text;
}

static void set_online(int core, const char *value)
{
	char path[64];
	int file;

	snprintf(path, sizeof path, CPU "cpu%d/online", core);
	file = open(path, O_WRONLY);
	if (file < 0 || write(file, value, 1) != 1)
		fail(path);
	close(file);
}

static void show_firmware(void)
{
	static char log[1 << 18];
	int length = klogctl(3, log, sizeof log - 1);		/* SYSLOG_ACTION_READ_ALL */

	log[length < 0 ? 0 : length] = 0;
	for (char *line = strtok(log, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, "psci: ") || strstr(line, "sdei: ") || strstr(line, "SMCCC") || strstr(line, "smccc"))
			printf("guest: %s\n", strstr(line, "] ") ? strstr(line, "] ") + 2 : line);
}

int main(void)
{
	char text[4096], answer[32];
	const char *rounds, *then;
	int cores = sysconf(_SC_NPROCESSORS_CONF);

	setvbuf(stdout, NULL, _IOLBF, 0);
	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	rounds = strstr(read_file("/proc/cmdline", text, sizeof text), "rounds=");
	then = strstr(text, "then=");
	snprintf(answer, sizeof answer, "%s", then ? then + 5 : "");
	for (int round = rounds ? atoi(rounds + 7) : 0; round > 0; round--)
		for (int core = 0; core < cores; core++) {
			set_online(core, "0");
			set_online(core, "1");
		}
	show_firmware();
	printf("guest: cores %s are online\n", read_file(CPU "online", text, sizeof text));
	if (!then) {
		printf("guest: asks\n");
		if (!fgets(answer, sizeof answer, stdin))
			fail("nobody answers");
	}
	sync();
	reboot(strncmp(answer, "reboot", 6) ? RB_POWER_OFF : RB_AUTOBOOT);
	fail("it goes on");
	for (;;)
		pause();
}
