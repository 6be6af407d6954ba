/* Connecting sockets: Unix-domain and TCP. */
#include "support/local_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "system/descriptor.h"

/* Closes it, keeping errno. */
static int give_up(int fd)
{
    int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

int p3_local_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, len + 1);
    int fd = p3_descriptor_socket(AF_UNIX);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    return give_up(fd);
}

static socklen_t length_of(const struct sockaddr_storage *a)
{
    return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

int p3_dial_socket(const struct sockaddr_storage *to, const struct sockaddr_storage *source)
{
    int fd = p3_descriptor_socket(to->ss_family);
    if (fd < 0)
        return -1;
    if (source != NULL && bind(fd, (const struct sockaddr *)source, length_of(source)) != 0)
        return give_up(fd);
    int r;
    do
        r = connect(fd, (const struct sockaddr *)to, length_of(to));
    while (r != 0 && errno == EINTR);
    return r == 0 || errno == EINPROGRESS || errno == EALREADY ? fd : give_up(fd);
}
