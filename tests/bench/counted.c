/* Counts system calls and allocations of the library; see counted.h. */
#include "counted.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

counts counted;
long allocations_left = -1;

/* Counts an allocation. False when it is to fail. */
static bool may_allocate(void)
{
    counted.allocations++;
    return allocations_left < 0 || allocations_left-- > 0;
}

counts counted_since(counts before)
{
    return (counts){
        .sends = counted.sends - before.sends,
        .receives = counted.receives - before.receives,
        .waits = counted.waits - before.waits,
        .others = counted.others - before.others,
        .acknowledgements = counted.acknowledgements - before.acknowledgements,
        .allocations = counted.allocations - before.allocations,
    };
}

size_t system_calls(counts c)
{
    return c.sends + c.receives + c.waits + c.others + c.acknowledgements;
}

/* The names that the linker gives to what is wrapped and to what wraps it. Those that end in _chk
 * are what -D_FORTIFY_SOURCE may turn calls into. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
ssize_t __real_send(int fd, const void *data, size_t len, int flags);
ssize_t __real_recv(int fd, void *data, size_t len, int flags);
ssize_t __real___recv_chk(int fd, void *data, size_t len, size_t room, int flags);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __real___poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __real___read_chk(int fd, void *data, size_t len, size_t room);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *data, size_t len, int flags);
ssize_t __wrap___recv_chk(int fd, void *data, size_t len, size_t room, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap___poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room);
ssize_t __wrap_read(int fd, void *data, size_t len);
ssize_t __wrap___read_chk(int fd, void *data, size_t len, size_t room);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len);

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
    return may_allocate() ? __real_realloc(old, size) : NULL;
}

char *__wrap_strdup(const char *s)
{
    return may_allocate() ? __real_strdup(s) : NULL;
}

char *__wrap_strndup(const char *s, size_t n)
{
    return may_allocate() ? __real_strndup(s, n) : NULL;
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
    counted.sends++;
    return __real_send(fd, data, len, flags);
}

ssize_t __wrap_recv(int fd, void *data, size_t len, int flags)
{
    counted.receives++;
    return __real_recv(fd, data, len, flags);
}

ssize_t __wrap___recv_chk(int fd, void *data, size_t len, size_t room, int flags)
{
    counted.receives++;
    return __real___recv_chk(fd, data, len, room, flags);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    counted.waits++;
    return __real_poll(fds, count, timeout);
}

int __wrap___poll_chk(struct pollfd *fds, nfds_t count, int timeout, size_t room)
{
    counted.waits++;
    return __real___poll_chk(fds, count, timeout, room);
}

ssize_t __wrap_read(int fd, void *data, size_t len)
{
    counted.others++;
    return __real_read(fd, data, len);
}

ssize_t __wrap___read_chk(int fd, void *data, size_t len, size_t room)
{
    counted.others++;
    return __real___read_chk(fd, data, len, room);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    counted.others++;
    return __real_write(fd, data, len);
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
#ifdef TCP_QUICKACK
    counted.acknowledgements += level == IPPROTO_TCP && name == TCP_QUICKACK;
#endif
    return __real_setsockopt(fd, level, name, value, len);
}
