/* Runs the user's commands, and waits for them. */
#include "confine/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "confine/runner.h"
#include "confine/child.h"
#include "support/file.h"
#include "system/descriptor.h"
#include "system/nameless.h"

/* A running command: a child of ours, or of the runner. */
typedef struct p3_running {
    pid_t pid;
    int answer; /* -1: a child of ours */
} p3_running;

int p3_spool(const char *data, size_t len, p3_problem *why)
{
    int fd = p3_nameless_memory();
    if (fd >= 0 && p3_write_all(fd, data, len) && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    p3_problem_errno(why, errno, "keeping a header for a command");
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static int start(p3_running *r, const char *command, int input, int output, const char *const *more)
{
    r->answer = -1;
    return p3_runner_is_there() ? p3_runner_ask(command, input, output, more, &r->answer)
                                : p3_child_start(command, input, output, more, &r->pid);
}

static int wait_for(const p3_running *r)
{
    return r->answer >= 0 ? p3_runner_wait(r->answer) : p3_child_wait(r->pid);
}

int p3_spawn_shell(const char *command, int input, const char *const *more, p3_problem *why)
{
    p3_running r;
    int error = start(&r, command, input, -1, more);
    int status = error == 0 ? wait_for(&r) : -1;
    if (status < 0)
        p3_problem_errno(why, error != 0 ? error : errno, "running %s", command);
    return status;
}

int p3_spawn_output(const char *command, char *out, size_t size, size_t *len, p3_problem *why)
{
    int ends[2];
    p3_running r;
    *len = 0;
    if (!p3_descriptor_pipe(ends, true)) {
        p3_problem_errno(why, errno, "running a command");
        return -1;
    }
    int error = start(&r, command, -1, ends[1], NULL);
    (void)close(ends[1]);
    ssize_t n = 0;
    int unread = 0; /* why the rest could not be read, or 0: half a password is useless */
    while (error == 0 && *len < size && (n = read(ends[0], out + *len, size - *len)) != 0) {
        if (n < 0 && errno != EINTR) {
            unread = errno;
            break;
        }
        if (n > 0)
            *len += (size_t)n;
    }
    (void)close(ends[0]);
    int status = error == 0 ? wait_for(&r) : -1;
    if (status < 0)
        p3_problem_errno(why, error != 0 ? error : errno, "running a command");
    if (status < 0 || unread == 0)
        return status;
    p3_problem_errno(why, unread, "reading what a command says");
    return -1;
}
