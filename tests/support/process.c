/* Other programs under a test's control. */
#define _GNU_SOURCE /* memfd_create(), pipe2() */
#include "support/process.h"

#include "support/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void close_if_open(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* A file without a name that holds `content`, to be read from its beginning; -1 on failure. */
static int file_of(const char *content)
{
    int fd = memfd_create("test", MFD_CLOEXEC);
    size_t len = strlen(content);
    if (fd >= 0 && (write(fd, content, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET) != 0))
        close_if_open(&fd);
    return fd;
}

static bool spawn(process *p, const char *const *argv, int in, int out)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    if (posix_spawn_file_actions_init(&files) != 0)
        return false;
    if (posix_spawnattr_init(&attributes) != 0) {
        posix_spawn_file_actions_destroy(&files);
        return false;
    }
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE); /* the test's own handling of it is not the program's */
    bool ok = posix_spawnattr_setsigdefault(&attributes, &defaults) == 0 &&
              posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF) == 0 &&
              posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO) == 0 &&
              posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO) == 0 &&
              posix_spawn_file_actions_adddup2(&files, p->errors, STDERR_FILENO) == 0;
    /* posix_spawn() does not write to the strings: its type is older than const. */
    char *const *arguments = (char *const *)(void *)argv;
    ok = ok && posix_spawn(&p->pid, argv[0], &files, &attributes, arguments, environ) == 0;
    if (!ok)
        p->pid = 0;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return ok;
}

bool process_start(process *p, const char *const *argv, const char *input)
{
    int ends[2] = {-1, -1};
    *p = PROCESS_NONE;
    int in = file_of(input);
    p->errors = file_of("");
    bool ok =
        in >= 0 && p->errors >= 0 && pipe2(ends, O_CLOEXEC) == 0 && spawn(p, argv, in, ends[1]);
    p->out = ends[0];
    close_if_open(&in);
    close_if_open(&ends[1]);
    if (!ok)
        process_forget(p);
    return ok;
}

/* Waits until there is something to read, or the end. False when neither came until the deadline.
 */
static bool readable(int fd, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - now_ms();
        struct pollfd waiting = {.fd = fd, .events = POLLIN};
        int n = poll(&waiting, 1, left > 0 ? (int)left : 0);
        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

bool process_read_line(process *p, char *line, size_t size)
{
    int64_t deadline = now_ms() + PROCESS_PATIENCE;
    for (size_t len = 0; len + 1 < size; len++) {
        if (!readable(p->out, deadline) || read(p->out, line + len, 1) != 1)
            return false;
        if (line[len] == '\n') {
            line[len] = '\0';
            return true;
        }
    }
    return false;
}

static void reap(process *p)
{
    int status;
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR) {
    }
    p->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

bool process_wait(process *p, char **output)
{
    int64_t deadline = now_ms() + PROCESS_PATIENCE;
    text all = {0};
    if (output != NULL)
        *output = NULL;
    if (p->status >= 0)
        return true;
    /* Its standard output ends when it does. */
    for (;;) {
        char piece[65536];
        if (!readable(p->out, deadline)) {
            free(all.data);
            return false;
        }
        ssize_t n = read(p->out, piece, sizeof piece);
        if (n <= 0)
            break;
        text_add(&all, piece, (size_t)n);
    }
    reap(p);
    text_add(&all, "", 0);
    if (output != NULL)
        *output = all.data;
    else
        free(all.data);
    return true;
}

void process_stop(process *p, int signal)
{
    if (p->pid == 0 || p->status >= 0)
        return;
    kill(p->pid, signal);
    if (process_wait(p, NULL))
        return;
    kill(p->pid, SIGKILL);
    reap(p);
}

char *process_errors(const process *p)
{
    text all = {0};
    char piece[4096];
    off_t at = 0;
    ssize_t n;
    while (p->errors >= 0 && (n = pread(p->errors, piece, sizeof piece, at)) > 0) {
        text_add(&all, piece, (size_t)n);
        at += n;
    }
    text_add(&all, "", 0);
    return all.data;
}

void process_forget(process *p)
{
    close_if_open(&p->out);
    close_if_open(&p->errors);
    *p = PROCESS_NONE;
}
