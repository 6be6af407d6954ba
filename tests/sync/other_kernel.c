/* Runs a command as on another kernel: system calls that are given fail with an errno, and Landlock
 * has the version that is given.
 *
 *     other-kernel [CALL=ERRNO | landlock=VERSION]... -- COMMAND [ARGUMENT]...
 *
 * It is done by a seccomp filter, as container runtimes do: the command makes real calls and gets
 * real refusals. Landlock's version is told by a second process, which answers that one question in
 * the kernel's place; what that version does not know is still there, and not asked for. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

static const struct {
    const char *name;
    int number;
} errors[] = {{"EPERM", EPERM},   {"ENOSYS", ENOSYS}, {"EINVAL", EINVAL},
              {"EACCES", EACCES}, {"ENOMEM", ENOMEM}, {"EOPNOTSUPP", EOPNOTSUPP}};

static int error_of(const char *name)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].number;
    }
    return -1;
}

/* Adds what a word says. Returns false when it makes no sense. */
static bool add(scmp_filter_ctx f, const char *word, long *version)
{
    char call[40];
    const char *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : sizeof call;
    if (len >= sizeof call)
        return false;
    memcpy(call, word, len);
    call[len] = '\0';
    if (strcmp(call, "landlock") == 0) {
        *version = atol(equals + 1);
        /* landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) */
        return seccomp_rule_add(f, SCMP_ACT_NOTIFY, 444, 1, SCMP_A2(SCMP_CMP_EQ, 1, 0)) == 0;
    }
    int number = seccomp_syscall_resolve_name(call);
    int error = error_of(equals + 1);
    return number >= 0 && error > 0 &&
           seccomp_rule_add(f, SCMP_ACT_ERRNO((unsigned)error), number, 0) == 0;
}

/* Answers as long as the command runs. */
static void answer(int notices, int child, long version)
{
    struct pollfd fds[] = {{.fd = notices, .events = POLLIN}, {.fd = child, .events = POLLIN}};
    struct seccomp_notif *asked = NULL;
    struct seccomp_notif_resp *told = NULL;
    if (seccomp_notify_alloc(&asked, &told) != 0)
        return;
    while (poll(fds, 2, -1) > 0 && fds[1].revents == 0) {
        memset(asked, 0, sizeof *asked);
        if (seccomp_notify_receive(notices, asked) != 0)
            continue;
        told->id = asked->id;
        told->val = version;
        told->error = 0;
        told->flags = 0;
        (void)seccomp_notify_respond(notices, told);
    }
    seccomp_notify_free(asked, told);
}

int main(int argc, char **argv)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    long version = -1;
    int i = 1;
    int status;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (f == NULL || !add(f, argv[i], &version)) {
            fprintf(stderr, "other-kernel: %s?\n", argv[i]);
            return EX_USAGE;
        }
    }
    if (i + 1 >= argc || f == NULL || seccomp_load(f) != 0) {
        fprintf(stderr, "other-kernel: %s\n", strerror(errno));
        return EX_OSERR;
    }
    if (version < 0) {
        execvp(argv[i + 1], argv + i + 1);
        return EX_OSERR;
    }
    int notices = seccomp_notify_fd(f);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(notices);
        execvp(argv[i + 1], argv + i + 1);
        _exit(EX_OSERR);
    }
    int child = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (child >= 0)
        answer(notices, child, version);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return EX_OSERR;
    if (WIFSIGNALED(status))
        (void)kill(getpid(), WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}
