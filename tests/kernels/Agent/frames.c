/*
 * Requests and replies, and the calls that either kind of port makes.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "port.h"

void receive(struct port *port, uint8_t *bytes, size_t count)
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

void *take(struct port *port, size_t count)
{
	uint8_t *bytes = port->request;

	if (count > (size_t)(port->end - bytes))
		die("%s: a request ends too early", port->name);
	port->request += count;
	return bytes;
}

uint32_t take32(struct port *port)
{
	uint32_t value;

	memcpy(&value, take(port, sizeof(value)), sizeof(value));
	return value;
}

uint64_t take64(struct port *port)
{
	uint64_t value;

	memcpy(&value, take(port, sizeof(value)), sizeof(value));
	return value;
}

void *give(struct port *port, size_t count)
{
	uint8_t *bytes = port->out + 4 + port->length;

	if (count > FRAME_LIMIT - port->length)
		die("%s: a reply would be too long", port->name);
	port->length += count;
	return memset(bytes, 0, count);
}

void give32(struct port *port, uint32_t value)
{
	memcpy(give(port, sizeof(value)), &value, sizeof(value));
}

void send_reply(struct port *port, int32_t result)
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

int32_t call(int fd, uint32_t request, uintptr_t argument)
{
	int result = ioctl(fd, request, argument);

	return result < 0 ? -errno : result;
}

int32_t ioctl_bytes(struct port *port, int fd)
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
