/* Asks the runner for files. */
#include "confine/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "confine/runner.h"
#include "confine/runner_protocol.h"
#include "support/input.h"
#include "support/local_socket.h"
#include "system/packet.h"
#include "system/nameless.h"

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

/* Sends a request and receives the answer with its descriptor, *fd, or -1. Returns an errno or 0.
 */
static int exchange(const void *request, size_t size, bool wants_fd, int *fd)
{
    p3_file_answer answer = {.error = EACCES};
    int fds[P3_PACKET_ROOM];
    int count = 0;
    if (p3_runner_send(request, size, NULL, 0) != 0)
        return EACCES; /* the runner has ended */
    ssize_t n = p3_packet_receive(p3_runner_socket(), &answer, sizeof answer, fds, &count);
    for (int i = 1; i < count; i++)
        (void)close(fds[i]);
    if (count > 0)
        *fd = fds[0];
    if (n != (ssize_t)sizeof answer)
        return EACCES;
    /* A descriptor can be lost if too many are open. */
    return answer.error == 0 && *fd < 0 && wants_fd ? EMFILE : answer.error;
}

static int exchange_alone(const void *request, size_t size, bool wants_fd, int *fd)
{
    (void)pthread_mutex_lock(&one_at_a_time);
    int error = exchange(request, size, wants_fd, fd);
    (void)pthread_mutex_unlock(&one_at_a_time);
    return error;
}

static int ask_runner(p3_file_deed deed, const char *path, const char *to, int flags, int *fd)
{
    p3_file_request r = {.ask = P3_ASK_FILE, .deed = deed, .flags = flags};
    size_t len = path != NULL ? strlen(path) : 0;
    size_t len_to = to != NULL ? strlen(to) : 0;
    if (len >= sizeof r.path || len_to >= sizeof r.to)
        return ENAMETOOLONG;
    if (path != NULL)
        memcpy(r.path, path, len);
    if (to != NULL)
        memcpy(r.to, to, len_to);
    return exchange_alone(&r, sizeof r, deed == P3_FILE_OPEN || deed == P3_FILE_CONNECT, fd);
}

/* Asks the runner after a call that failed for lack of rights, and returns what the call should. */
static int ask_instead(p3_file_deed deed, const char *path, const char *to)
{
    int none = -1;
    if (errno != EACCES || !p3_runner_is_there())
        return -1;
    errno = ask_runner(deed, path, to, 0, &none);
    return errno == 0 ? 0 : -1;
}

int p3_outside_open(const char *path, int flags, mode_t mode)
{
    int fd = open(path, flags, mode);
    if (fd >= 0 || errno != EACCES || !p3_runner_is_there())
        return fd;
    errno = ask_runner(P3_FILE_OPEN, path, NULL, flags, &fd);
    return fd;
}

int p3_outside_read(const char *path)
{
    return p3_outside_open(path, P3_INPUT_FLAGS, 0);
}

int p3_outside_link(const char *path, const char *to)
{
    return link(path, to) == 0 ? 0 : ask_instead(P3_FILE_LINK, path, to);
}

int p3_outside_unlink(const char *path)
{
    return unlink(path) == 0 ? 0 : ask_instead(P3_FILE_UNLINK, path, NULL);
}

bool p3_outside_is_alive(pid_t pid)
{
    int none = -1;
    int error = p3_runner_is_there() ? ask_runner(P3_FILE_IS_ALIVE, NULL, NULL, (int)pid, &none)
                : kill(pid, 0) == 0  ? 0
                                     : errno;
    return error != ESRCH;
}

int p3_outside_connect(const char *path)
{
    int fd = -1;
    if (!p3_runner_is_there())
        return p3_local_connect(path);
    errno = ask_runner(P3_FILE_CONNECT, path, NULL, 0, &fd);
    return fd;
}

int p3_outside_dial(void *ctx, const struct sockaddr_storage *to,
                    const struct sockaddr_storage *source)
{
    p3_dial_request r = {.ask = P3_ASK_DIAL, .has_source = source != NULL, .to = *to};
    (void)ctx;
    if (to->ss_family == AF_UNIX)
        return p3_outside_connect(((const struct sockaddr_un *)(const void *)to)->sun_path);
    int fd = p3_dial_socket(to, source);
    if (fd >= 0 || errno != EPERM || !p3_runner_is_there())
        return fd;
    if (source != NULL)
        r.source = *source;
    errno = exchange_alone(&r, sizeof r, true, &fd);
    return fd;
}

int p3_outside_spool(void)
{
    int fd = -1;
    if (!p3_runner_is_there())
        return p3_nameless_file(p3_nameless_directory());
    errno = ask_runner(P3_FILE_SPOOL, NULL, NULL, 0, &fd);
    return fd;
}
