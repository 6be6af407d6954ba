/* Descriptors that are created with their flags. */
#define _GNU_SOURCE /* pipe2(), SOCK_NONBLOCK, SOCK_CLOEXEC */
#include "system/descriptor.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int p3_descriptor_socket(int family)
{
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

bool p3_descriptor_pipe(int ends[2], bool blocking)
{
    return pipe2(ends, (blocking ? 0 : O_NONBLOCK) | O_CLOEXEC) == 0;
}
