/* Runs commands of the user's. */
#include "sync/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

int p3_spool(const char *data, size_t len, p3_problem *why)
{
    int fd = memfd_create("pop3-header", MFD_CLOEXEC);
    while (fd >= 0 && len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    if (fd >= 0 && len == 0 && lseek(fd, 0, SEEK_SET) == 0)
        return fd;
    p3_problem_errno(why, errno, "keeping a header for a command");
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

/* The environment with further variables in front. NULL when out of memory. */
static char **environment(const char *const *more)
{
    size_t count = 0;
    size_t extra = 0;
    while (environ[count] != NULL)
        count++;
    while (more != NULL && more[extra] != NULL)
        extra++;
    char **all = calloc(count + extra + 1, sizeof(char *));
    for (size_t i = 0; all != NULL && i < extra; i++)
        all[i] = (char *)(uintptr_t)more[i];
    for (size_t i = 0; all != NULL && i < count; i++)
        all[extra + i] = environ[i];
    return all;
}

/* Starts a shell. The child gets the usual signals back, and no descriptor of ours but these. */
static int start(const char *command, int input, int output, char **env, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none;
    sigset_t usual;
    char *argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGXFSZ);
    int error = posix_spawn_file_actions_init(&files);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attr);
    if (error != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return error;
    }
    (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setsigmask(&attr, &none);
    (void)posix_spawnattr_setsigdefault(&attr, &usual);
    error = input >= 0 ? posix_spawn_file_actions_adddup2(&files, input, 0)
                       : posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (error == 0 && output >= 0)
        error = posix_spawn_file_actions_adddup2(&files, output, 1);
    if (error == 0)
        error = posix_spawn(pid, "/bin/sh", &files, &attr, argv, env);
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    return error;
}

static int wait_for(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int p3_spawn_shell(const char *command, int input, const char *const *more, p3_problem *why)
{
    pid_t pid;
    char **env = environment(more);
    int error = env == NULL ? ENOMEM : start(command, input, -1, env, &pid);
    free(env);
    if (error == 0)
        return wait_for(pid);
    p3_problem_errno(why, error, "running %s", command);
    return -1;
}

int p3_spawn_output(const char *command, char *out, size_t size, size_t *len, p3_problem *why)
{
    int ends[2];
    pid_t pid;
    *len = 0;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        p3_problem_errno(why, errno, "running a command");
        return -1;
    }
    int error = start(command, -1, ends[1], environ, &pid);
    (void)close(ends[1]);
    ssize_t n = 0;
    while (error == 0 && *len < size && (n = read(ends[0], out + *len, size - *len)) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        if (n > 0)
            *len += (size_t)n;
    }
    (void)close(ends[0]);
    if (error == 0)
        return wait_for(pid);
    p3_problem_errno(why, error, "running a command");
    return -1;
}
