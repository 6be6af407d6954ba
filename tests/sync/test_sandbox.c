/* The sandbox from inside: each test forks a process that enters it as `pop3 sync` does, and tries.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/net.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "confine/landlock.h"
#include "cli/sandbox.h"
#include "confine/syscall_filter.h"
#include "confine/outside.h"
#include "confine/shell.h"

#define ACCOUNT_URL  "pop3://user@127.0.0.1:1995" /* nobody listens there, nor at the other */
#define ACCOUNT_PORT 1995
#define OTHER_PORT   1996
#define P3_CALLS     1024 /* system calls have numbers below this */

/* ---- the scratch folder, in which everything is ---- */

/* The process of the tests: getppid(2) is refused inside. And a socket of TCP's that is not
 * connected, as none can be made there. */
static pid_t parent;
static int tcp_socket;

static char scratch[] = "/tmp/pop3-sandbox-XXXXXX";

/* A path in it; one of a few buffers that are used in turn. */
static const char *in_scratch(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

static void put_file(const char *name, const char *text)
{
    int fd = open(in_scratch(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static int make_scratch(void **state)
{
    static const char *const folders[] = {"outside", "state", "other", "other/cur"};
    (void)state;
    parent = getpid();
    tcp_socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (mkdtemp(scratch) == NULL)
        return -1;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (mkdir(in_scratch(folders[i]), 0700) != 0)
            return -1;
    }
    put_file("outside/secret", "a secret\n");
    put_file("password", "secret\n");
    put_file("netrc", "machine localhost login a password b\n");
    return 0;
}

static int remove_scratch(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", scratch);
    return system(command);
}

/* ---- going in ---- */

/* How a process goes in; and what it tries there: 0, or the errno that it met. */
typedef struct entry {
    const char *url;    /* NULL: ACCOUNT_URL */
    const char *target; /* an option, and its value */
    const char *value;
    const char *more[3]; /* words of the command line, up to a NULL */
    bool off;
    bool landlock_is_missing; /* the kernel is made to say so */
    char report[200];         /* how it went: only in the process itself */
} entry;

/* Makes landlock_create_ruleset() fail with EPERM, as it does in some containers. */
static void hide_landlock(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 444, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(200);
}

/* In the process that was forked: goes in, tries, and ends with what came of it. */
static void go_in(entry *e, int (*attempt)(const entry *e))
{
    char *words[16] = {(char *)(uintptr_t)(e->url != NULL ? e->url : ACCOUNT_URL),
                       "--allow-plaintext", "--password-file"};
    size_t count = 3;
    static const int caught[] = {SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGSYS}; /* by cmocka */
    p3_arguments a;
    p3_chosen chosen;
    p3_problem why = {0};
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        (void)signal(caught[i], SIG_DFL);
    (void)alarm(60); /* a call that should be refused may wait for ever */
    words[count++] = (char *)(uintptr_t)in_scratch("password");
    words[count++] = (char *)(uintptr_t)(e->target != NULL ? e->target : "--maildir");
    words[count++] = (char *)(uintptr_t)(e->value != NULL ? e->value : in_scratch("Maildir"));
    for (size_t i = 0; e->more[i] != NULL; i++)
        words[count++] = (char *)(uintptr_t)e->more[i];
    if (!p3_arguments_read(&a, (int)count, words, &why) ||
        !p3_chosen_read(&chosen, &a, a.rest, 1, true, &why)) {
        fprintf(stderr, "# %s\n", why.text);
        _exit(201);
    }
    if (e->landlock_is_missing)
        hide_landlock();
    p3_sandbox s = {
        .chosen = &chosen, .state = in_scratch("state/state.db"), .delivers = true, .off = e->off};
    p3_sandbox_prepare(&s);
    p3_sandbox_enter(&s, NULL, 0);
    snprintf(e->report, sizeof e->report, "%s", s.report);
    int result = attempt(e);
    p3_sandbox_end(&s);
    _exit(result);
}

static int inside(entry *e, int (*attempt)(const entry *e))
{
    int status;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        go_in(e, attempt);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* With a Maildir, a state and nothing else. */
static int usually(int (*attempt)(const entry *e))
{
    entry e = {0};
    return inside(&e, attempt);
}

/* What only Landlock forbids cannot be shown where there is none. */
static void needs_landlock(int version)
{
    if (p3_landlock_version() < version) {
        print_message("# this kernel's Landlock is %d, and %d is needed\n", p3_landlock_version(),
                      version);
        skip();
    }
}

/* ---- files ---- */

/* What came of an open(2). */
static int keep(int fd)
{
    int error = errno;
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : error;
}

static int try_open(const char *path, int flags)
{
    return keep(open(path, flags, 0600));
}

static int read_outside(const entry *e)
{
    (void)e;
    return try_open(in_scratch("outside/secret"), O_RDONLY);
}

static void a_file_outside_cannot_be_read(void **state)
{
    (void)state;
    needs_landlock(2);
    assert_int_equal(usually(read_outside), EACCES);
}

#ifndef __SANITIZE_ADDRESS__ /* which looks at its process */
static int read_connections(const entry *e)
{
    (void)e;
    return try_open("/proc/self/net/tcp", O_RDONLY);
}
#endif

static int read_netrc(const entry *e)
{
    (void)e;
    return try_open(in_scratch("netrc"), O_RDONLY);
}

/* What /proc tells of the process tells of all connections of the machine; and netrc has the
 * passwords of other servers. */
static void what_the_run_does_not_use_cannot_be_read(void **state)
{
    entry e = {.more = {"--netrc", in_scratch("netrc")}};
    (void)state;
    needs_landlock(2);
#ifndef __SANITIZE_ADDRESS__
    assert_int_equal(usually(read_connections), EACCES);
#endif
    assert_int_equal(inside(&e, read_netrc), EACCES); /* the password is in a file */
}

static int write_outside(const entry *e)
{
    (void)e;
    return try_open(in_scratch("outside/secret"), O_WRONLY);
}

static int make_outside(const entry *e)
{
    (void)e;
    return try_open(in_scratch("outside/new"), O_WRONLY | O_CREAT);
}

static int remove_outside(const entry *e)
{
    (void)e;
    return unlink(in_scratch("outside/secret")) == 0 ? 0 : errno;
}

static int move_outside(const entry *e)
{
    (void)e;
    return rename(in_scratch("outside/secret"), in_scratch("Maildir/new/secret")) == 0 ? 0 : errno;
}

/* Where files are delivered, neither folders can be made, nor links for a mail reader to follow,
 * nor devices, nor programs. */
static int make_other_things(const entry *e)
{
    (void)e;
    if (mkdir(in_scratch("Maildir/new/folder"), 0700) == 0 || errno != EPERM)
        return 1;
    if (symlink(in_scratch("outside/secret"), in_scratch("Maildir/new/link")) == 0 ||
        errno != EPERM)
        return 2;
    if (mkfifo(in_scratch("Maildir/new/pipe"), 0600) == 0 || errno != EPERM)
        return 3;
    if (syscall(SYS_mkdirat, AT_FDCWD, in_scratch("Maildir/tmp/folder"), 0700) == 0 ||
        errno != EPERM)
        return 4;
    if (rmdir(in_scratch("Maildir/new/a folder")) == 0 || errno != EPERM)
        return 6;
    if (unlinkat(AT_FDCWD, in_scratch("Maildir/new/a folder"), AT_REMOVEDIR) == 0 || errno != EPERM)
        return 7;
    if (rename(in_scratch("state/state.db-program"), in_scratch("Maildir/new/program")) == 0 ||
        errno != EXDEV)
        return 5; /* it could be run there, had nobody forbidden that */
    return 0;
}

static void files_outside_cannot_be_written_made_removed_or_moved(void **state)
{
    (void)state;
    needs_landlock(2);
    assert_int_equal(usually(write_outside), EACCES);
    assert_int_equal(usually(make_outside), EACCES);
    assert_int_equal(usually(remove_outside), EACCES);
    assert_int_not_equal(usually(move_outside), 0);
    put_file("state/state.db-program", "");
    assert_int_equal(mkdir(in_scratch("Maildir/new/a folder"), 0700), 0);
    assert_int_equal(usually(make_other_things), 0);
    assert_int_equal(unlink(in_scratch("state/state.db-program")), 0);
    assert_int_equal(rmdir(in_scratch("Maildir/new/a folder")), 0);
}

static int deliver(const entry *e)
{
    (void)e;
    if (try_open(in_scratch("Maildir/tmp/message"), O_WRONLY | O_CREAT | O_EXCL) != 0)
        return 1;
    if (rename(in_scratch("Maildir/tmp/message"), in_scratch("Maildir/new/message")) != 0)
        return 2;
    if (try_open(in_scratch("Maildir/new/message"), O_RDONLY) != 0)
        return 3;
    return unlink(in_scratch("Maildir/new/message")) == 0 ? 0 : 4;
}

static int write_the_state(const entry *e)
{
    int error = try_open(in_scratch("state/state.db"), O_RDWR | O_CREAT);
    (void)e;
    if (error == 0)
        error = try_open(in_scratch("state/state.db-wal"), O_RDWR | O_CREAT | O_TRUNC);
    if (error == 0 && unlink(in_scratch("state/state.db-wal")) != 0)
        error = errno;
    return error;
}

static void what_a_run_needs_can_be_written(void **state)
{
    (void)state;
    assert_int_equal(usually(deliver), 0);
    assert_int_equal(usually(write_the_state), 0);
}

static int look_at_another_folder(const entry *e)
{
    (void)e;
    return try_open(in_scratch("Maildir/.Sent/cur/one"), O_RDONLY);
}

static void other_folders_of_a_maildir_stay_closed(void **state)
{
    (void)state;
    needs_landlock(2);
    assert_int_equal(usually(deliver), 0); /* makes the Maildir */
    assert_int_equal(mkdir(in_scratch("Maildir/.Sent"), 0700), 0);
    assert_int_equal(mkdir(in_scratch("Maildir/.Sent/cur"), 0700), 0);
    put_file("Maildir/.Sent/cur/one", "sent\n");
    assert_int_equal(usually(look_at_another_folder), EACCES);
}

static int write_through_a_link(const entry *e)
{
    (void)e;
    return try_open(in_scratch("linked/new/message"), O_WRONLY | O_CREAT);
}

static void a_maildir_of_links_can_be_delivered_to(void **state)
{
    char folder[128];
    snprintf(folder, sizeof folder, "%s", in_scratch("linked"));
    entry e = {.target = "--maildir", .value = folder};
    (void)state;
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(mkdir(in_scratch("other/new"), 0700), 0);
    assert_int_equal(mkdir(in_scratch("other/tmp"), 0700), 0);
    assert_int_equal(symlink("../other/new", in_scratch("linked/new")), 0);
    assert_int_equal(symlink("../other/tmp", in_scratch("linked/tmp")), 0);
    assert_int_equal(symlink("../other/cur", in_scratch("linked/cur")), 0);
    assert_int_equal(inside(&e, write_through_a_link), 0);
}

/* As p3_mbox_lock_acquire() and a batch do. */
static int write_the_mbox(const entry *e)
{
    if (keep(p3_outside_open(in_scratch("other/box.pop3-a"), O_RDWR | O_CREAT | O_EXCL, 0600)) != 0)
        return 1;
    if (p3_outside_link(in_scratch("other/box.pop3-a"), in_scratch("other/box.lock")) != 0)
        return 2;
    if (p3_outside_unlink(in_scratch("other/box.lock")) != 0 ||
        p3_outside_unlink(in_scratch("other/box.pop3-a")) != 0)
        return 3;
    if (keep(p3_outside_open(in_scratch("other"), O_RDONLY | O_DIRECTORY, 0)) != 0)
        return 4;
    if (!p3_outside_is_alive(parent))
        return 5;
    return keep(p3_outside_open(e->value, O_RDWR | O_CREAT, 0600));
}

/* What is beside an mbox and not its own, by any name. */
static int write_beside_the_mbox(const entry *e)
{
    static const char *const others[] = {
        "other/cur/../box", "other/box/../box2", "other/box2",  "other/box.lock/../box2",
        "other/box-wal",    "other/.profile",    "other/box.",  "other/box.lock2",
        "outside/secret",   "outside/new",       "other/cur/x", "other/box.pop3-/../box2"};
    const char *own = in_scratch("other/box.pop3-a");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s", in_scratch(others[i]));
        if (keep(p3_outside_open(path, O_RDWR | O_CREAT, 0600)) == 0 ||
            p3_outside_unlink(path) == 0 || p3_outside_link(own, path) == 0 ||
            p3_outside_link(path, own) == 0)
            return (int)i + 1;
    }
    /* the mbox itself is neither removed nor given another name; directories are only read */
    if (p3_outside_unlink(e->value) == 0 || p3_outside_link(e->value, own) == 0)
        return 100;
    if (keep(p3_outside_open(in_scratch("other"), O_RDWR, 0)) == 0)
        return 101;
    if (keep(p3_outside_open(in_scratch("other"), O_RDWR | O_TMPFILE, 0)) == 0)
        return 102;
    if (keep(p3_outside_open(own, O_RDWR | O_CREAT | O_DIRECT, 0600)) != EACCES)
        return 103;
    /* a link that somebody put there is not followed */
    if (keep(p3_outside_open(in_scratch("other/box.pop3-link"), O_RDWR, 0)) != ELOOP)
        return 104;
    return p3_outside_spool() == -1 ? 0 : 105; /* there is no command */
}

static void an_mbox_and_its_lock_can_be_written_and_nothing_else_in_its_directory(void **state)
{
    char file[128];
    snprintf(file, sizeof file, "%s", in_scratch("other/box"));
    entry e = {.target = "--mbox", .value = file};
    (void)state;
    needs_landlock(2);
    assert_int_equal(symlink("../outside/secret", in_scratch("other/box.pop3-link")), 0);
    put_file("other/.profile", "");
    assert_int_equal(inside(&e, write_the_mbox), 0);
    assert_int_equal(inside(&e, write_beside_the_mbox), 0);
    assert_int_equal(unlink(in_scratch("other/box.pop3-link")), 0);
}

static int write_the_state_among_others(const entry *e)
{
    if (keep(p3_outside_open(in_scratch("state/state.db"), O_RDWR | O_CREAT, 0600)) != 0 ||
        keep(p3_outside_open(in_scratch("state/state.db-wal"), O_RDWR | O_CREAT, 0600)) != 0)
        return 1;
    if (p3_outside_unlink(in_scratch("state/state.db-wal")) != 0)
        return 2;
    (void)e;
    return try_open(in_scratch("state/.profile"), O_RDWR);
}

static void a_state_among_other_files_can_be_written_and_they_cannot(void **state)
{
    (void)state;
    needs_landlock(2);
    put_file("state/.profile", "");
    assert_int_equal(usually(write_the_state_among_others), EACCES);
    assert_int_equal(unlink(in_scratch("state/.profile")), 0);
}

/* ---- programs, and other processes ---- */

static int run_a_program(const entry *e)
{
    char *argv[] = {"true", NULL};
    char *env[] = {NULL};
    (void)e;
    execve("/bin/true", argv, env);
    return errno;
}

static void no_program_can_be_run(void **state)
{
    (void)state;
    assert_int_equal(usually(run_a_program), EPERM);
}

static int run_the_command(const entry *e)
{
    p3_problem why = {0};
    char out[16] = "";
    size_t len = 0;
    int status = p3_spawn_output(e->value, out, sizeof out, &len, &why);
    if (status != 3)
        return status < 0 ? 100 : status;
    return len == 5 && memcmp(out, "said\n", 5) == 0 ? 0 : 101;
}

static void a_command_of_the_configuration_is_run_outside(void **state)
{
    char command[256];
    struct stat st;
    snprintf(command, sizeof command, "echo said; cat <%s >%s; exit 3",
             in_scratch("outside/secret"), in_scratch("outside/copy"));
    entry e = {.target = "--command", .value = command};
    (void)state;
    assert_int_equal(inside(&e, run_the_command), 0);
    assert_int_equal(stat(in_scratch("outside/copy"), &st), 0);
    assert_int_equal(st.st_size, strlen("a secret\n"));
}

/* The command replaces the password file, as it is a command of the user's. */
static int read_what_was_replaced(const entry *e)
{
    const char *path = in_scratch("password");
    p3_problem why = {0};
    if (p3_spawn_shell(e->value, -1, NULL, &why) != 0)
        return 1;
    if (try_open(path, O_RDONLY) != EACCES)
        return 2;
    if (keep(p3_outside_read(path)) != 0)
        return 3;
    static const int flags[] = {O_RDWR, O_WRONLY, O_RDONLY | O_TRUNC, O_RDONLY | O_CREAT};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (keep(p3_outside_open(path, flags[i], 0)) != EACCES)
            return 4 + (int)i;
    }
    if (p3_outside_unlink(path) == 0 || p3_outside_link(path, in_scratch("password.lock")) == 0)
        return 20;
    return keep(p3_outside_open(scratch, O_RDONLY | O_DIRECTORY, 0)) == EACCES ? 0 : 21;
}

static void a_file_of_the_settings_that_was_replaced_can_be_read_and_not_written(void **state)
{
    char command[256];
    snprintf(command, sizeof command, "cp -p %s %s && mv %s %s", in_scratch("password"),
             in_scratch("other/password"), in_scratch("other/password"), in_scratch("password"));
    entry e = {.target = "--command", .value = command};
    (void)state;
    needs_landlock(2);
    assert_int_equal(inside(&e, read_what_was_replaced), 0);
}

static int run_another_command(const entry *e)
{
    p3_problem why = {0};
    (void)e;
    return p3_spawn_shell("true", -1, NULL, &why) == -1 ? why.error : 0;
}

static void no_other_command_is(void **state)
{
    entry e = {.target = "--command", .value = "cat"};
    (void)state;
    assert_int_equal(inside(&e, run_another_command), EPERM);
}

/* A message from a process that was taken over: nothing comes of it, and the next request is
 * served. */
static int run_with_a_variable(const entry *e)
{
    const char *more[] = {"LD_PRELOAD=/tmp/evil.so", NULL};
    p3_problem why = {0};
    if (p3_spawn_shell(e->value, -1, more, &why) != -1 || why.error != ECHILD)
        return 1;
    return p3_spawn_shell(e->value, -1, NULL, &why);
}

static void no_variable_but_the_sender_goes_with_a_command(void **state)
{
    entry e = {.target = "--command", .value = "cat >/dev/null"};
    (void)state;
    assert_int_equal(inside(&e, run_with_a_variable), 0);
}

static int look_into_the_parent(const entry *e)
{
    char octets[8];
    struct iovec to = {octets, sizeof octets};
    struct iovec from = {scratch, sizeof octets};
    (void)e;
    return process_vm_readv(parent, &to, 1, &from, 1, 0) >= 0 ? 0 : errno;
}

static int signal_the_parent(const entry *e)
{
    (void)e;
    return kill(parent, 0) == 0 ? 0 : errno;
}

static void other_processes_are_out_of_reach(void **state)
{
    (void)state;
    assert_int_equal(usually(look_into_the_parent), EPERM);
    needs_landlock(6);
    assert_int_equal(usually(signal_the_parent), EPERM);
}

/* ---- the kernel ---- */

/* The list of docs/records/hardening.md: what is allowed, and what is with some arguments only. */
typedef struct p3_listed {
    bool always[P3_CALLS];
    bool some[P3_CALLS];
    bool more[P3_CALLS]; /* in some runs */
} p3_listed;

static p3_listed listed;

/* The number of a system call; negative where this architecture has none. */
static int number_of(const char *name)
{
#ifdef SYS_socketcall
    /* libseccomp knows these as parts of socketcall(2), beside which they are calls of their own.
     */
    static const struct {
        const char *name;
        int number;
    } own[] = {{"connect", SYS_connect},         {"recvfrom", SYS_recvfrom},
               {"getsockname", SYS_getsockname}, {"getpeername", SYS_getpeername},
               {"getsockopt", SYS_getsockopt},   {"shutdown", SYS_shutdown},
               {"socket", SYS_socket},           {"setsockopt", SYS_setsockopt},
               {"sendto", SYS_sendto},           {"bind", SYS_bind},
               {"sendmsg", SYS_sendmsg},         {"recvmsg", SYS_recvmsg},
               {"sendmmsg", SYS_sendmmsg}};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (strcmp(own[i].name, name) == 0)
            return own[i].number;
    }
#endif
    return seccomp_syscall_resolve_name(name);
}

/* Reads the names in backticks between a line of the document and the next blank line. */
static void read_list(const char *text, const char *after, bool *set)
{
    const char *at = strstr(text, after);
    const char *end = at != NULL ? strstr(at + strlen(after), "\n\n") : NULL;
    size_t found = 0;
    char name[40];
    assert_non_null(end);
    at += strlen(after);
    while ((at = strchr(at, '`')) != NULL && at < end) {
        size_t len = strcspn(++at, "`");
        assert_true(len < sizeof name);
        memcpy(name, at, len);
        name[len] = '\0';
        int number = number_of(name);
        if (number == __NR_SCMP_ERROR)
            fail_msg("there is no system call %s", name);
        if (number >= 0 && number < P3_CALLS) /* negative: not on this architecture */
            set[number] = true;
        at += len + 1;
        found++;
    }
    assert_true(found > 10);
}

static void read_lists(void)
{
    static char text[262144];
    int fd = open(P3_LIST, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);
    assert_true(n > 0 && n < (ssize_t)sizeof text - 1);
    close(fd);
    read_list(text, "whatever the arguments:", listed.always);
    read_list(text, "with some arguments only:", listed.some);
    read_list(text, "in some runs only:", listed.more);
}

enum { P3_REFUSED = 1, P3_ALLOWED = 2 }; /* what should not have been */

static bool is_refusal(long result)
{
    return result == -1 && (errno == EPERM || errno == ENOSYS);
}

/* Two calls that the kernel makes for itself when a function is probed pass every filter; made by
 * anything else they end the process with SIGILL. */
static bool is_past_filters(long call)
{
#ifdef __x86_64__
    return call == 335 || call == 336; /* uretprobe, uprobe */
#elif defined SYS_sigreturn
    return call == SYS_sigreturn; /* allowed, and it returns nothing */
#else
    (void)call;
    return false;
#endif
}

/* Says which, to whoever reads the failure of a test; standard error is there for that. */
static void report_call(long number, bool refused)
{
    (void)dprintf(STDERR_FILENO, "# system call %ld is %s\n", number,
                  refused ? "refused" : "allowed");
}

static bool is_with_kerberos(const entry *e)
{
    return e->more[0] != NULL && strcmp(e->more[0], "--auth") == 0;
}

/* Every number that the kernel could know, with arguments that make no sense. What neither returns
 * nor may be tried is on the list. */
static int call_everything(const entry *e)
{
    int wrong = 0;
    for (long n = 0; n < P3_CALLS; n++) {
        if (n == SYS_exit || n == SYS_exit_group || n == SYS_rt_sigreturn || is_past_filters(n))
            continue; /* these return nothing to a caller */
        if (n == SYS_connect && !is_with_kerberos(e)) {
            wrong |= syscall(n, -1L, -1L, -1L) == 0 ? 0 : P3_REFUSED; /* it does nothing */
            continue;
        }
        bool refused = is_refusal(syscall(n, -1L, -1L, -1L, -1L, -1L, -1L));
        bool known = errno != ENOSYS; /* futex(2) says so of an operation that it does not know */
        if (refused ? listed.always[n] && known : !listed.always[n]) {
            wrong |= refused ? P3_REFUSED : P3_ALLOWED;
            if (!refused || !listed.more[n]) /* no run has all of those */
                report_call(n, refused);
        }
    }
    return wrong;
}

/* What only some runs may call is not allowed to others; and to those, nothing beside it. */
static int call_everything_in_a_run_that_needs_more(const entry *e)
{
    for (size_t n = 0; n < P3_CALLS; n++)
        listed.always[n] = listed.always[n] || listed.more[n];
    return call_everything(e) & ~P3_REFUSED;
}

/* LeakSanitizer needs calls that a run does without, so that the list is longer with it. */
static void skip_with_sanitizers(void)
{
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
}

static void every_system_call_that_is_not_on_the_list_is_refused(void **state)
{
    entry kerberos = {.more = {"--auth", "GSSAPI"}};
    (void)state;
    skip_with_sanitizers();
    read_lists();
    assert_int_equal(usually(call_everything), 0);
    assert_int_equal(inside(&kerberos, call_everything_in_a_run_that_needs_more), 0);
}

/* Those with conditions, over all values that a condition is about. What is allowed is named. */
static bool is_among(long value, const long *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i] == value)
            return true;
    }
    return false;
}

#define P3_AMONG(value, ...)                                                                       \
    is_among(value, (const long[]){__VA_ARGS__}, sizeof((const long[]){__VA_ARGS__}) / sizeof(long))

static int sweep_prctl(const entry *e)
{
    (void)e;
    for (long option = -1; option < 1024; option++) {
        bool refused = is_refusal(syscall(SYS_prctl, option, -1L, -1L, -1L, -1L));
        if (refused == P3_AMONG(option, PR_SET_NAME, PR_GET_NAME))
            return 1;
    }
    return is_refusal(syscall(SYS_prctl, 0x59616d61L, -1L)) ? 0 : 2; /* PR_SET_PTRACER */
}

static int sweep_fcntl(const entry *e)
{
    int fd = open("/dev/null", O_RDONLY);
    (void)e;
    for (long command = -1; command < 4096; command++) {
        bool refused = syscall(SYS_fcntl, fd, command, 0L) == -1 && errno == EPERM;
        if (refused == (P3_AMONG(command, F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK,
                                 F_SETLK, F_SETLKW, F_OFD_SETLK, F_DUPFD_CLOEXEC) ||
                        (command >= 12 && command <= 14)))
            return 1;
    }
    return 0;
}

/* The requests of terminals, of any file, and of sockets, of which some change the machine's
 * network. */
static int sweep_ioctl(const entry *e)
{
    int fd = open("/dev/null", O_RDONLY);
    (void)e;
    for (long request = 0; request < 0x10000; request++) {
        bool refused = syscall(SYS_ioctl, fd, request, 0L) == -1 && errno == EPERM;
        if (refused == P3_AMONG(request, 0x5401, 0x5402, 0x5403, 0x5404, TIOCGWINSZ, FIONREAD))
            return 1;
    }
    /* Those of terminals that have a size, a struct termios2: older C libraries call none. */
    const long sized[] = {0x802c5400L, 0x402c5400L};
    for (long request = 0; request < 0x200; request++) {
        long whole = sized[request / 0x100] + request % 0x100;
        bool refused = syscall(SYS_ioctl, fd, whole, 0L) == -1 && errno == EPERM;
        if (refused == P3_AMONG(whole, 0x802c542aL, 0x402c542bL, 0x402c542cL, 0x402c542dL))
            return 3;
    }
    /* with the same lower half in another place, and FIBMAP's newer kin FS_IOC_SETFLAGS */
    return is_refusal(syscall(SYS_ioctl, fd, 0x40086602L, 0L)) ? 0 : 2;
}

static int sweep_clone(const entry *e)
{
    (void)e;
    for (int bit = 0; bit < 32; bit++) {
        /* A process, or a thread with a name space of its own. The stack makes no sense either. */
        long flag = 1L << bit;
        if (!is_refusal(syscall(SYS_clone, flag | SIGCHLD, -1L, -1L, -1L, -1L)))
            return 1;
        if ((0x3d0f00 & flag) == 0 && flag != CLONE_DETACHED &&
            !is_refusal(syscall(SYS_clone, 0x3d0f00 | flag, -1L, -1L, -1L, -1L)))
            return 2;
    }
    return syscall(SYS_clone3, NULL, 0L) == -1 && errno == ENOSYS ? 0 : 3;
}

static int sweep_setsockopt(const entry *e)
{
    const int fd = tcp_socket;
    int one = 1;
    (void)e;
    for (int level = 0; level < 300; level++) {
        for (int option = 0; option < 130; option++) {
            bool refused = setsockopt(fd, level, option, &one, sizeof one) == -1 && errno == EPERM;
            bool listed_one = level == IPPROTO_TCP && P3_AMONG(option, TCP_NODELAY, TCP_QUICKACK);
            if (refused == listed_one)
                return 1;
        }
    }
    return 0;
}

static int sweep_sockets(const entry *e)
{
    (void)e;
    for (int family = 0; family < 64; family++) {
        for (int type = 0; type < 16; type++) {
            for (int protocol = 0; protocol < 300; protocol++) {
                if (socket(family, type, protocol) != -1 || errno != EPERM)
                    return 1;
            }
        }
    }
    return 0;
}

/* A connection that is made by sending goes past Landlock. */
static int sweep_send(const entry *e)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(OTHER_PORT)};
    const int fd = tcp_socket;
    (void)e;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof to) != -1 || errno != EPERM)
        return 1;
    for (int bit = 0; bit < 32; bit++) {
        int flag = (int)(1U << bit);
        bool refused = send(fd, "x", 1, flag | MSG_NOSIGNAL) == -1 && errno == EPERM;
        if (refused == P3_AMONG(flag, MSG_NOSIGNAL, MSG_DONTWAIT))
            return 2;
    }
    return 0;
}

static int sweep_others(const entry *e)
{
    struct rlimit limit = {1, 1};
    char path[128];
    (void)e;
    snprintf(path, sizeof path, "%s", in_scratch("Maildir/new/a"));
    for (int flags = 1; flags < 64; flags++) {
        if (!is_refusal(syscall(SYS_unlinkat, -1L, path, flags)))
            return 1;
    }
    if (!is_refusal(syscall(SYS_prlimit64, (long)parent, RLIMIT_NOFILE, NULL, &limit)) ||
        !is_refusal(syscall(SYS_prlimit64, 0L, RLIMIT_NOFILE, &limit, NULL)))
        return 3;
    if (!is_refusal(kill(parent, 0)) || !is_refusal(kill(0, 0)) || !is_refusal(kill(-1, 0)) ||
        !is_refusal(syscall(SYS_tgkill, (long)parent, (long)parent, 0L)))
        return 4;
    return kill(getpid(), 0) == 0 ? 0 : 5;
}

static void system_calls_with_arguments_that_are_not_on_the_list_are_refused(void **state)
{
    (void)state;
    skip_with_sanitizers();
    assert_int_equal(usually(sweep_prctl), 0);
    assert_int_equal(usually(sweep_fcntl), 0);
    assert_int_equal(usually(sweep_ioctl), 0);
    assert_int_equal(usually(sweep_clone), 0);
    assert_int_equal(usually(sweep_setsockopt), 0);
    assert_int_equal(usually(sweep_sockets), 0);
    assert_int_equal(usually(sweep_send), 0);
    assert_int_equal(usually(sweep_others), 0);
}

#ifdef __x86_64__
static void end_well(int number)
{
    (void)number;
    _exit(EPERM);
}
#endif

static int call_for_another_machine(const entry *e)
{
    (void)e;
#ifdef __x86_64__
    /* x32's getpid(), and that of 32-bit programs, whose kernel may have none: a fault */
    if (syscall(0x40000000L + SYS_getpid) != -1 || errno != EPERM)
        return 1;
    for (int number = 1; number < 600; number++) {
        long result = number;
        signal(SIGSEGV, end_well);
        __asm__ volatile("int $0x80"
                         : "+a"(result)
                         : "b"(-1L), "c"(-1L), "d"(-1L)
                         : "memory", "r8", "r9", "r10", "r11");
        if (result != -EPERM)
            return 2;
    }
    return EPERM;
#else
    return EPERM;
#endif
}

static void system_calls_of_another_kind_are_refused(void **state)
{
    (void)state;
    assert_int_equal(usually(call_for_another_machine), EPERM);
}

#if defined __i386__ || defined __s390x__
static int by_socketcall(int what, long a, long b, long c, long d, long e, long f)
{
    const long arguments[] = {a, b, c, d, e, f};
    return syscall(SYS_socketcall, (long)what, arguments) == -1 ? errno : 0;
}

/* Each number that there is, with arguments that the filter of the call itself allows, and those it
 * does not. */
static int call_by_socketcall(const entry *e)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(OTHER_PORT)};
    const long address = (long)(size_t)&to;
    const int fd = tcp_socket;
    int ends[2];
    int one = 1;
    (void)e;
    if (by_socketcall(SYS_SOCKET, AF_INET, SOCK_STREAM, 0, 0, 0, 0) != EPERM ||
        by_socketcall(SYS_CONNECT, fd, address, sizeof to, 0, 0, 0) != 0 || /* without effect */
        getpeername(fd, (struct sockaddr *)&to, &(socklen_t){sizeof to}) == 0 ||
        by_socketcall(SYS_SOCKET, AF_INET, SOCK_DGRAM, 0, 0, 0, 0) != EPERM ||
        by_socketcall(SYS_SOCKET, AF_UNIX, SOCK_STREAM, 0, 0, 0, 0) != EPERM ||
        by_socketcall(SYS_SOCKET, AF_NETLINK, SOCK_RAW, 0, 0, 0, 0) != EPERM)
        return 1;
    if (by_socketcall(SYS_SETSOCKOPT, fd, IPPROTO_TCP, TCP_NODELAY, (long)(size_t)&one, sizeof one,
                      0) != 0 ||
        by_socketcall(SYS_SETSOCKOPT, fd, SOL_SOCKET, SO_REUSEADDR, (long)(size_t)&one, sizeof one,
                      0) != EPERM)
        return 2;
    /* a message to an address, and one that connects */
    long octet = (long)(size_t)&one;
    if (by_socketcall(SYS_SENDTO, fd, octet, 1, 0, address, sizeof to) != EPERM ||
        by_socketcall(SYS_SEND, fd, octet, 1, MSG_FASTOPEN, 0, 0) != EPERM ||
        by_socketcall(SYS_SEND, fd, octet, 1, MSG_NOSIGNAL, 0, 0) == EPERM)
        return 3;
    if (by_socketcall(SYS_BIND, fd, address, sizeof to, 0, 0, 0) != EPERM ||
        by_socketcall(SYS_LISTEN, fd, 1, 0, 0, 0, 0) != EPERM ||
        by_socketcall(SYS_ACCEPT, fd, 0, 0, 0, 0, 0) != EPERM ||
        by_socketcall(SYS_ACCEPT4, fd, 0, 0, 0, 0, 0) != EPERM ||
        by_socketcall(SYS_RECVMMSG, fd, 0, 0, 0, 0, 0) != EPERM ||
        by_socketcall(SYS_SOCKETPAIR, AF_UNIX, SOCK_STREAM, 0, (long)(size_t)ends, 0, 0) != EPERM)
        return 4;
    static const int none[] = {-1, 0, 21, 64, INT_MAX};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        if (by_socketcall(none[i], 0, 0, 0, 0, 0, 0) != EPERM)
            return 5;
    }
    /* the C library's own, whichever way it makes them */
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &one, &(socklen_t){sizeof one}) == 0 ? 0 : 6;
}
#endif

static void what_is_behind_socketcall_is_judged_by_its_arguments(void **state)
{
    (void)state;
#if defined __i386__ || defined __s390x__
    sigset_t all, before;
    assert_int_equal(usually(call_by_socketcall), 0);
    /* Whoever starts the command may have blocked every signal. */
    sigfillset(&all);
    assert_int_equal(sigprocmask(SIG_SETMASK, &all, &before), 0);
    int result = usually(call_by_socketcall);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    assert_int_equal(result, 0);
#else
    print_message("# the C library makes no use of socketcall(2) on this processor\n");
    skip();
#endif
}

static int type_into_a_terminal(const entry *e)
{
    int fd = open("/dev/tty", O_RDWR);
    (void)e;
    return ioctl(fd, TIOCSTI, "x") == -1 ? errno : 0;
}

static void nothing_can_be_typed_into_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(usually(type_into_a_terminal), EPERM);
}

/* ---- the network ---- */

/* What comes of asking outside for a connection: 0 where it is begun, though nobody listens. */
static int dial(const char *address, uint16_t port, const char *source)
{
    struct sockaddr_storage to = {0};
    struct sockaddr_storage from = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&to;
    struct sockaddr_in *own = (struct sockaddr_in *)(void *)&from;
    *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    *own = (struct sockaddr_in){.sin_family = AF_INET};
    if (inet_pton(AF_INET, address, &v4->sin_addr) != 1 ||
        inet_pton(AF_INET, source != NULL ? source : "0.0.0.0", &own->sin_addr) != 1)
        return -1;
    return keep(p3_outside_dial(NULL, &to, source != NULL ? &from : NULL));
}

static int dial_the_account(const entry *e)
{
    (void)e;
    return dial("127.0.0.1", ACCOUNT_PORT, NULL);
}

/* Another port there, another host with that port, and what is no address of the internet. */
static int dial_elsewhere(const entry *e)
{
    struct sockaddr_storage none = {.ss_family = AF_NETLINK};
    (void)e;
    if (dial("127.0.0.1", OTHER_PORT, NULL) != EACCES)
        return 1;
    if (dial("127.0.0.2", ACCOUNT_PORT, NULL) != EACCES)
        return 2;
    if (dial("0.0.0.0", ACCOUNT_PORT, NULL) != EACCES)
        return 3;
    return p3_outside_dial(NULL, &none, NULL) == -1 && errno == EACCES ? 0 : 4;
}

static int dial_the_proxy_only(const entry *e)
{
    (void)e;
    if (dial("127.0.0.1", OTHER_PORT, NULL) != 0)
        return 1;
    return dial("127.0.0.1", ACCOUNT_PORT, NULL) == EACCES ? 0 : 2;
}

static void only_the_accounts_server_can_be_connected_to(void **state)
{
    entry proxied = {.more = {"--proxy", "http://127.0.0.1:1996"}};
    (void)state;
    assert_int_equal(usually(dial_the_account), 0);
    assert_int_equal(usually(dial_elsewhere), 0);
    assert_int_equal(inside(&proxied, dial_the_proxy_only), 0);
}

/* A host that has a name is where it was found, and is nowhere before. */
static int dial_by_name(const entry *e)
{
    struct sockaddr_storage found[POP3_RESOLVE_ADDRESSES];
    const char *why = NULL;
    (void)e;
    if (dial("127.0.0.1", ACCOUNT_PORT, NULL) != EACCES)
        return 1;
    size_t count = p3_outside_resolve(NULL, "localhost", found, &why);
    for (size_t i = 0; i < count; i++) { /* ::1 may be among them, and its host may lack it */
        if (found[i].ss_family != AF_INET)
            continue;
        ((struct sockaddr_in *)(void *)&found[i])->sin_port = htons(ACCOUNT_PORT);
        if (keep(p3_outside_dial(NULL, &found[i], NULL)) != 0)
            return 2;
        ((struct sockaddr_in *)(void *)&found[i])->sin_port = htons(OTHER_PORT);
        if (keep(p3_outside_dial(NULL, &found[i], NULL)) != EACCES)
            return 3;
    }
    return count > 0 ? 0 : 4;
}

static void a_host_with_a_name_can_be_connected_to_where_it_was_found(void **state)
{
    entry named = {.url = "pop3://user@localhost:1995"};
    (void)state;
    assert_int_equal(inside(&named, dial_by_name), 0);
}

/* No socket is made inside, and one that there is neither gets another end nor a name. */
static int use_sockets(const entry *e)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(ACCOUNT_PORT)};
    socklen_t size = sizeof to;
    (void)e;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket(AF_INET, SOCK_STREAM, 0) != -1 || errno != EPERM)
        return 1;
    if (connect(tcp_socket, (const struct sockaddr *)&to, sizeof to) != 0)
        return 2; /* libcurl 7.88 asks for it once more, and is told that it is done */
    if (getpeername(tcp_socket, (struct sockaddr *)&to, &size) != -1 || errno != ENOTCONN)
        return 3;
    if (bind(tcp_socket, (const struct sockaddr *)&to, sizeof to) != -1 || errno != EPERM)
        return 4;
    return listen(tcp_socket, 1) == -1 && errno == EPERM ? 0 : 5;
}

static void sockets_are_made_and_connected_outside_only(void **state)
{
    (void)state;
    assert_int_equal(usually(use_sockets), 0);
}

static int dial_from_an_address(const entry *e)
{
    (void)e;
    return dial("127.0.0.1", ACCOUNT_PORT, "127.0.0.1");
}

static void an_address_to_connect_from_can_be_chosen_by_who_has_set_one(void **state)
{
    entry e = {.more = {"--local-address", "127.0.0.1"}};
    (void)state;
    assert_int_equal(inside(&e, dial_from_an_address), 0);
    assert_int_equal(usually(dial_from_an_address), EACCES);
}

/* ---- what goes on working ---- */

/* Names are looked up outside, with whatever modules this system has; an address needs none. */
static int look_names_up(const entry *e)
{
    struct sockaddr_storage found[POP3_RESOLVE_ADDRESSES];
    const char *why = NULL;
    (void)e;
    if (p3_outside_resolve(NULL, "localhost", found, &why) < 1 || found[0].ss_family == 0)
        return 1;
    /* no name but the server's, which is also where nothing could be told to a stranger's server */
    if (p3_outside_resolve(NULL, "secret.example.org", found, &why) != 0 || why == NULL)
        return 2;
    for (int i = 0; i < 2; i++) {
        struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
        struct addrinfo *list = NULL;
        if (getaddrinfo(i == 0 ? "127.0.0.1" : "::1", "110", &hints, &list) != 0)
            return 3;
        freeaddrinfo(list);
    }
    struct addrinfo *list = NULL;
    return getaddrinfo("www.example.org", "110", NULL, &list) != 0 ? 0 : 4; /* and does not hang */
}

static int know_the_time(const entry *e)
{
    time_t noon = 1782216000; /* of a day in June */
    struct tm t;
    (void)e;
    setenv("TZ", "Europe/Berlin", 1);
    tzset();
    return localtime_r(&noon, &t) != NULL && t.tm_hour == 14 ? 0 : 1;
}

static int convert_text(const entry *e)
{
    iconv_t c = iconv_open("UTF-8", "ISO-8859-15");
    (void)e;
    return c == (iconv_t)-1 ? errno : iconv_close(c);
}

static void names_times_and_texts_are_understood_inside(void **state)
{
    entry named = {.url = "pop3://user@localhost:1995"};
    (void)state;
    assert_int_equal(inside(&named, look_names_up), 0);
    assert_int_equal(usually(know_the_time), 0);
    assert_int_equal(usually(convert_text), 0);
}

static void *read_in_a_thread(void *result)
{
    *(int *)result = read_outside(NULL);
    return NULL;
}

static int read_outside_later(const entry *e)
{
    pthread_t thread;
    int result = 0;
    (void)e;
    if (pthread_create(&thread, NULL, read_in_a_thread, &result) != 0)
        return 1;
    pthread_join(thread, NULL);
    return result;
}

static void threads_that_start_inside_are_inside(void **state)
{
    (void)state;
    needs_landlock(2);
    assert_int_equal(usually(read_outside_later), EACCES);
}

/* ---- without ---- */

static int say_what_holds(const entry *e)
{
    return strstr(e->report, "not files (this kernel has no Landlock, or an old one)") != NULL &&
                   strstr(e->report, ", system calls (seccomp)") != NULL
               ? 0
               : 1;
}

static void where_landlock_is_missing_the_rest_holds_and_is_told(void **state)
{
    entry e = {.landlock_is_missing = true};
    (void)state;
    assert_int_equal(inside(&e, say_what_holds), 0);
    assert_int_equal(inside(&e, read_outside), 0);
    assert_int_equal(inside(&e, run_a_program), EPERM);
    assert_int_equal(inside(&e, deliver), 0);
}

/* Delivers to a Maildir that was not there, or not wholly, before the sandbox was entered. */
static int deliver_anew(const entry *e)
{
    char from[128];
    char to[128];
    snprintf(from, sizeof from, "%s/tmp/message", e->value);
    snprintf(to, sizeof to, "%s/new/message", e->value);
    int error = try_open(from, O_WRONLY | O_CREAT | O_EXCL);
    if (error == 0 && rename(from, to) != 0)
        error = errno;
    return error;
}

static void what_is_missing_of_a_maildir_is_made_before(void **state)
{
    char folder[128];
    (void)state;
    snprintf(folder, sizeof folder, "%s/deep/usual", scratch);
    entry usual = {.target = "--maildir", .value = folder};
    assert_int_equal(inside(&usual, deliver_anew), 0);
    snprintf(folder, sizeof folder, "%s/deep/without", scratch);
    entry without = {.target = "--maildir", .value = folder, .landlock_is_missing = true};
    assert_int_equal(inside(&without, deliver_anew), 0);
    snprintf(folder, sizeof folder, "%s/deep/kerberos", scratch);
    entry kerberos = {.target = "--maildir", .value = folder, .more = {"--auth", "GSSAPI"}};
    assert_int_equal(inside(&kerberos, deliver_anew), 0);
    snprintf(folder, sizeof folder, "%s/half", scratch);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(mkdir(in_scratch("half/cur"), 0700), 0);
    entry half = {.target = "--maildir", .value = folder};
    assert_int_equal(inside(&half, deliver_anew), 0);
}

static void what_is_switched_off_is_off(void **state)
{
    entry e = {.off = true};
    (void)state;
    assert_int_equal(inside(&e, read_outside), 0);
    assert_int_equal(inside(&e, run_a_program), 0); /* it never returns, and ends with 0 */
}

static int use_a_keyring(const entry *e)
{
    (void)e;
    return syscall(SYS_keyctl, -1L, 0L, 0L, 0L, 0L) == -1 ? errno : 0;
}

static void kerberos_may_look_for_its_tickets(void **state)
{
    entry e = {.more = {"--auth", "GSSAPI"}};
    (void)state;
    assert_int_equal(inside(&e, read_outside), 0);
    assert_int_not_equal(inside(&e, use_a_keyring), EPERM);
    assert_int_equal(inside(&e, run_a_program), EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_run_does_not_use_cannot_be_read),
        cmocka_unit_test(a_file_outside_cannot_be_read),
        cmocka_unit_test(files_outside_cannot_be_written_made_removed_or_moved),
        cmocka_unit_test(what_a_run_needs_can_be_written),
        cmocka_unit_test(other_folders_of_a_maildir_stay_closed),
        cmocka_unit_test(a_maildir_of_links_can_be_delivered_to),
        cmocka_unit_test(an_mbox_and_its_lock_can_be_written_and_nothing_else_in_its_directory),
        cmocka_unit_test(a_state_among_other_files_can_be_written_and_they_cannot),
        cmocka_unit_test(a_file_of_the_settings_that_was_replaced_can_be_read_and_not_written),
        cmocka_unit_test(no_program_can_be_run),
        cmocka_unit_test(a_command_of_the_configuration_is_run_outside),
        cmocka_unit_test(no_other_command_is),
        cmocka_unit_test(no_variable_but_the_sender_goes_with_a_command),
        cmocka_unit_test(other_processes_are_out_of_reach),
        cmocka_unit_test(every_system_call_that_is_not_on_the_list_is_refused),
        cmocka_unit_test(system_calls_with_arguments_that_are_not_on_the_list_are_refused),
        cmocka_unit_test(system_calls_of_another_kind_are_refused),
        cmocka_unit_test(what_is_behind_socketcall_is_judged_by_its_arguments),
        cmocka_unit_test(nothing_can_be_typed_into_a_terminal),
        cmocka_unit_test(only_the_accounts_server_can_be_connected_to),
        cmocka_unit_test(a_host_with_a_name_can_be_connected_to_where_it_was_found),
        cmocka_unit_test(sockets_are_made_and_connected_outside_only),
        cmocka_unit_test(an_address_to_connect_from_can_be_chosen_by_who_has_set_one),
        cmocka_unit_test(names_times_and_texts_are_understood_inside),
        cmocka_unit_test(threads_that_start_inside_are_inside),
        cmocka_unit_test(where_landlock_is_missing_the_rest_holds_and_is_told),
        cmocka_unit_test(what_is_missing_of_a_maildir_is_made_before),
        cmocka_unit_test(what_is_switched_off_is_off),
        cmocka_unit_test(kerberos_may_look_for_its_tickets),
    };
    const char *why = NULL;
    if (!p3_filter_is_there(&why)) { /* qemu-user has neither this nor Landlock */
        printf("1..0 # SKIP no filters of system calls here: %s\n", why);
        return 0;
    }
    return cmocka_run_group_tests_name("sandbox", tests, make_scratch, remove_scratch);
}
