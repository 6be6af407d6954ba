/* Opens an address in the user's browser. */
#include "cli/browser.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

static bool has_desktop(void)
{
    const char *x11 = getenv("DISPLAY");
    const char *wayland = getenv("WAYLAND_DISPLAY");
    return (x11 != NULL && x11[0] != '\0') || (wayland != NULL && wayland[0] != '\0');
}

bool p3_browser_open(const char *url)
{
    static const char program[] = "xdg-open";
    char *argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)url, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t usual;
    pid_t pid;
    if (!has_desktop() || posix_spawn_file_actions_init(&files) != 0)
        return false;
    if (posix_spawnattr_init(&attr) != 0) {
        (void)posix_spawn_file_actions_destroy(&files);
        return false;
    }
    /* The browser's output must not appear on this terminal, nor may it read from it. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        (void)posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGXFSZ);
    (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    (void)posix_spawnattr_setsigdefault(&attr, &usual);
    bool ok = posix_spawnp(&pid, program, &files, &attr, argv, environ) == 0;
    (void)posix_spawnattr_destroy(&attr);
    (void)posix_spawn_file_actions_destroy(&files);
    return ok;
}
