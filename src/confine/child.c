/* Starts the user's command lines with /bin/sh. */
#include "confine/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* The environment with further variables before it. NULL when out of memory. */
static char **environment(const char *const *more)
{
    size_t count = 0;
    size_t extra = 0;
    while (environ[count] != NULL)
        count++;
    while (more != NULL && more[extra] != NULL)
        extra++;
    char **all = calloc(count + extra + 1, sizeof(char *));
    if (all == NULL)
        return NULL;
    for (size_t i = 0; i < extra; i++)
        all[i] = (char *)(uintptr_t)more[i];
    for (size_t i = 0; i < count; i++)
        all[extra + i] = environ[i];
    return all;
}

/* Unblocks all signals, and restores those that we ignore or catch. */
static void reset_signals(posix_spawnattr_t *attr)
{
    static const int ours[] = {SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGCHLD};
    sigset_t none;
    sigset_t usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        sigaddset(&usual, ours[i]);
    (void)posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setsigmask(attr, &none);
    (void)posix_spawnattr_setsigdefault(attr, &usual);
}

int p3_child_start(const char *command, int input, int output, const char *const *more, pid_t *pid)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    char *argv[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
    char **env = environment(more);
    if (env == NULL)
        return ENOMEM;
    int error = posix_spawn_file_actions_init(&files);
    if (error != 0)
        goto no_files;
    error = posix_spawnattr_init(&attr);
    if (error != 0)
        goto no_attr;
    reset_signals(&attr);
    error = input >= 0 ? posix_spawn_file_actions_adddup2(&files, input, 0)
                       : posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    if (error == 0 && output >= 0)
        error = posix_spawn_file_actions_adddup2(&files, output, 1);
    if (error == 0)
        error = posix_spawn(pid, "/bin/sh", &files, &attr, argv, env);
    (void)posix_spawnattr_destroy(&attr);
no_attr:
    (void)posix_spawn_file_actions_destroy(&files);
no_files:
    free(env);
    return error;
}

int p3_child_wait(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
