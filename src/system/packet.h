/* Packets with descriptors between two processes. */
#ifndef P3_SYSTEM_PACKET_H
#define P3_SYSTEM_PACKET_H

#include <stddef.h>
#include <sys/types.h>

/* Most descriptors of a message; one more may be received. */
#define P3_PACKET_DESCRIPTORS 3
#define P3_PACKET_ROOM        4

/* Sends a message with descriptors. Returns 0 or an errno; no signal is raised. */
int p3_packet_send(int fd, const void *data, size_t len, const int *fds, int count);

/* Receives the next message, and its *count descriptors, which are close-on-exec and belong to the
 * caller. Returns its octets, 0 at the end, or -1 with errno; continues after signals. */
ssize_t p3_packet_receive(int fd, void *data, size_t size, int fds[P3_PACKET_ROOM], int *count);

#endif
