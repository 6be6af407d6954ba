/* Packets with descriptors between two processes. */
#ifndef P3_SYSTEM_PACKET_H
#define P3_SYSTEM_PACKET_H

#include <stddef.h>
#include <sys/types.h>

/* Descriptors that go with a message, at most; one more than that may come with one. */
#define P3_PACKET_DESCRIPTORS 3
#define P3_PACKET_ROOM        4

/* Sends a message with descriptors. Returns 0 or an errno; no signal is raised. */
int p3_packet_send(int fd, const void *data, size_t len, const int *fds, int count);

/* Takes the next message, and the *count descriptors that came with it, closed on exec and the
 * caller's. Returns its octets, 0 at the end, or -1 with errno; a signal does not end the wait. */
ssize_t p3_packet_receive(int fd, void *data, size_t size, int fds[P3_PACKET_ROOM], int *count);

#endif
