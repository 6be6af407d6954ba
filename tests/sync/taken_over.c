/* Preloaded into `pop3 sync`, it is code that has taken the process over: when the first octets of
 * a server come, it tries what the sandbox is to refuse, and writes the outcome of each attempt, 0
 * or the errno, to the file that POP3_TAKEN_OVER names. POP3_ATTEMPTS are paths to be read,
 * separated by colons. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int results = -1;
static pid_t parent;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("POP3_TAKEN_OVER");
    parent = getppid();
    if (path != NULL)
        results = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void tell(const char *what, const char *path, long result)
{
    (void)dprintf(results, "%s %s: %d\n", what, path, result >= 0 ? 0 : errno);
}

static void try_files(const char *list)
{
    char copy[4096];
    char *rest = NULL;
    (void)snprintf(copy, sizeof copy, "%s", list);
    for (char *at = strtok_r(copy, ":", &rest); at != NULL; at = strtok_r(NULL, ":", &rest)) {
        tell("read", at, open(at, O_RDONLY | O_CLOEXEC));
        tell("write", at, open(at, O_WRONLY | O_APPEND | O_CLOEXEC));
    }
}

static void try_processes(void)
{
    static const char *const names[] = {"environ", "maps", "mem", "cmdline"};
    char octets[8];
    char path[64];
    struct iovec here = {octets, sizeof octets};
    char name[] = "true";
    char *argv[] = {name, NULL};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)parent, names[i]);
        tell("read", path, open(path, O_RDONLY | O_CLOEXEC));
    }
    tell("memory of", "the parent", process_vm_readv(parent, &here, 1, &here, 1, 0));
    tell("open", "the parent", syscall(SYS_pidfd_open, (long)parent, 0L));
    tell("run", "/bin/true", execve("/bin/true", argv, &argv[1]));
}

static void try_the_rest(void)
{
    const char *home = getenv("HOME");
    tell("make", "a TCP socket", socket(AF_INET, SOCK_STREAM, 0));
    tell("make", "a UDP socket", socket(AF_INET6, SOCK_DGRAM, 0));
    tell("make", "a Unix-domain socket", socket(AF_UNIX, SOCK_STREAM, 0));
    tell("change the mode of", home, chmod(home, 0777));
    tell("make a link in", home, symlinkat("/etc/passwd", AT_FDCWD, "link"));
    tell("make a name space", "", unshare(CLONE_NEWUSER));
}

ssize_t recv(int fd, void *out, size_t size, int flags)
{
    static atomic_bool has_tried;
    const char *list = getenv("POP3_ATTEMPTS");
    if (results >= 0 && list != NULL && !atomic_exchange(&has_tried, true)) {
        try_files(list);
        try_processes();
        try_the_rest();
    }
    return recvfrom(fd, out, size, flags, NULL, NULL);
}
