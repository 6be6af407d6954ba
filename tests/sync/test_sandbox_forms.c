/* The sandbox from inside, in each form that a run may have: every attempt of one table is made in
 * every form of another, and comes to what the form says. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/account.h"
#include "cli/sandbox.h"
#include "confine/landlock.h"
#include "confine/outside.h"
#include "confine/runner.h"
#include "confine/shell.h"
#include "confine/syscall_filter.h"

/* ---- the scratch folder, which is also the home directory ---- */

static char scratch[] = "/tmp/pop3-forms-XXXXXX";
static pid_t parent; /* getppid(2) is refused inside */

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
    static const char *const folders[] = {
        ".ssh",  ".local",       ".local/state", ".local/state/pop3",
        "state", "state/tokens", "boxes",        "outside"};
    (void)state;
    parent = getpid();
    if (mkdtemp(scratch) == NULL)
        return -1;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (mkdir(in_scratch(folders[i]), 0700) != 0)
            return -1;
    }
    put_file("outside/secret", "a secret\n");
    put_file("outside/movable", "something\n");
    put_file(".ssh/id_ed25519", "a key\n");
    put_file("state/tokens/other", "a token\n");
    put_file("password", "secret\n");
    put_file("target-password", "secret\n");
    put_file("other-password", "secret\n");
    put_file("boxes/.profile", "");
    put_file(".netrc", "machine 127.0.0.1 login user password b\n");
    return setenv("HOME", scratch, 1) | unsetenv("XDG_STATE_HOME") | unsetenv("XDG_CONFIG_HOME") |
           unsetenv("https_proxy") | unsetenv("HTTPS_PROXY") | unsetenv("all_proxy") |
           unsetenv("ALL_PROXY");
}

static int remove_scratch(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", scratch);
    return system(command);
}

/* ---- the forms ---- */

/* What some runs may do. */
enum {
    P3_READS_NETRC = 1 << 0,
    P3_READS_TARGET_PASSWORD = 1 << 1,
    P3_WRITES_MAILDIR = 1 << 2,
    P3_WRITES_MBOX = 1 << 3,
    P3_WRITES_STATE = 1 << 4,
    P3_WRITES_REFUSED = 1 << 5,
    P3_WRITES_HISTORY = 1 << 6,
    P3_RUNS_CAT = 1 << 7,
    P3_MAKES_SPOOLS = 1 << 8,
    P3_DIALS_SERVER = 1 << 9,
    P3_DIALS_TARGET = 1 << 10,
    P3_DIALS_PROXY = 1 << 11,
    P3_CHOOSES_SOURCE = 1 << 12,
    P3_CONNECTS_SERVER = 1 << 13, /* a Unix-domain socket */
    P3_CONNECTS_TARGET = 1 << 14,
    P3_READS_PASSWORD = 1 << 15
};

/* What they are about: the ports that nobody listens at are the places of servers. */
#define SERVER      1995
#define TARGET      1925
#define PROXY       1996
#define ELSEWHERE   1997
#define URL         "url = pop3://user@127.0.0.1:1995\n"
#define OPEN_SECRET "password-file = ~/password\n"
#define SECRET      URL OPEN_SECRET
#define KEEPS       (P3_WRITES_REFUSED | P3_MAKES_SPOOLS)
#define TO_SERVER   (P3_DIALS_TARGET | KEEPS)
#define USUAL       (P3_READS_PASSWORD | P3_DIALS_SERVER | P3_WRITES_STATE)

typedef enum p3_kind {
    P3_SYNC,
    P3_RETRY,
    P3_LOOK, /* list, cat, doctor and the like */
    P3_SHELL
} p3_kind;

typedef struct p3_form {
    const char *name;
    p3_kind kind;
    unsigned may;
    const char *config; /* of the account "a" */
} p3_form;

static const p3_form forms[] = {
    {"a Maildir", P3_SYNC, USUAL | P3_WRITES_MAILDIR, SECRET "maildir = ~/Maildir\n"},
    {"an mbox", P3_SYNC, USUAL | P3_WRITES_MBOX, SECRET "mbox = ~/boxes/box\n"},
    {"a command", P3_SYNC, USUAL | P3_RUNS_CAT | P3_MAKES_SPOOLS,
     SECRET "command = cat >/dev/null\n"},
    {"a filter", P3_SYNC, USUAL | P3_RUNS_CAT | P3_WRITES_MAILDIR,
     SECRET "maildir = ~/Maildir\nfilter = cat >/dev/null\n"},
    {"a command for the password", P3_SYNC,
     (USUAL | P3_RUNS_CAT | P3_WRITES_MAILDIR) & ~P3_READS_PASSWORD,
     URL "maildir = ~/Maildir\npassword-command = cat >/dev/null\n"},
    {"a password in netrc", P3_SYNC,
     (USUAL | P3_READS_NETRC | P3_WRITES_MAILDIR) & ~P3_READS_PASSWORD,
     URL "maildir = ~/Maildir\n"},
    {"LMTP over TCP", P3_SYNC, USUAL | TO_SERVER,
     SECRET "lmtp = 127.0.0.1:1925\nrecipient = a@example.org\n"},
    {"LMTP over a socket", P3_SYNC, USUAL | P3_CONNECTS_TARGET | KEEPS,
     SECRET "lmtp = unix:~/target.sock\nrecipient = a@example.org\n"},
    {"SMTP", P3_SYNC, USUAL | TO_SERVER | P3_READS_TARGET_PASSWORD,
     SECRET "smtp = smtps://me@127.0.0.1:1925\nrecipient = a@example.org\n"
            "smtp-password-file = ~/target-password\n"},
    {"IMAP", P3_SYNC, USUAL | TO_SERVER | P3_READS_TARGET_PASSWORD,
     SECRET "imap = imaps://me@127.0.0.1:1925/INBOX\nimap-password-file = ~/target-password\n"},
    {"Gmail", P3_SYNC, USUAL | TO_SERVER | P3_RUNS_CAT,
     SECRET "gmail = me@gmail.com\ngmail-url = https://127.0.0.1:1925\n"
            "gmail-token-command = cat >/dev/null\n"},
    {"several targets", P3_SYNC, USUAL | TO_SERVER | P3_WRITES_MAILDIR | P3_WRITES_MBOX,
     SECRET "deliver = maildir, mbox, lmtp\nmaildir = ~/Maildir\nmbox = ~/boxes/box\n"
            "lmtp = 127.0.0.1:1925\nrecipient = a@example.org\n"},
    {"a server's socket", P3_SYNC,
     (USUAL | P3_CONNECTS_SERVER | P3_WRITES_MAILDIR) & ~P3_DIALS_SERVER,
     "user = user\nsocket = ~/server.sock\nmaildir = ~/Maildir\n" OPEN_SECRET},
    {"a proxy", P3_SYNC, (USUAL | P3_DIALS_PROXY | P3_WRITES_MAILDIR) & ~P3_DIALS_SERVER,
     SECRET "maildir = ~/Maildir\nproxy = socks5://127.0.0.1:1996\n"},
    {"an address to come from", P3_SYNC, USUAL | P3_CHOOSES_SOURCE | P3_WRITES_MAILDIR,
     SECRET "maildir = ~/Maildir\nlocal-address = 127.0.0.1\n"},
    {"OAuth", P3_SYNC, (USUAL | P3_WRITES_MAILDIR) & ~P3_READS_PASSWORD,
     URL "maildir = ~/Maildir\nissuer = https://127.0.0.1:1997\nclient-id = c\nscope = mail\n"},
    {"retry to SMTP", P3_RETRY, USUAL | TO_SERVER | P3_READS_TARGET_PASSWORD,
     SECRET "smtp = smtps://me@127.0.0.1:1925\nrecipient = a@example.org\n"
            "smtp-password-file = ~/target-password\n"},
    {"looking", P3_LOOK, P3_READS_PASSWORD | P3_DIALS_SERVER, SECRET "maildir = ~/Maildir\n"},
    {"looking, where mail goes by SMTP", P3_LOOK, P3_READS_PASSWORD | P3_DIALS_SERVER,
     SECRET "smtp = smtps://me@127.0.0.1:1925\nrecipient = a@example.org\n"
            "smtp-password-file = ~/target-password\n"},
    {"the shell", P3_SHELL, P3_READS_PASSWORD | P3_DIALS_SERVER | P3_WRITES_HISTORY,
     SECRET "maildir = ~/Maildir\n"},
    {"two accounts", P3_SYNC, USUAL | TO_SERVER | P3_WRITES_MBOX,
     SECRET "mbox = ~/boxes/box\n[b]\nallow-plaintext = yes\n"
            "url = pop3://other@127.0.0.1:1995\n" OPEN_SECRET
            "lmtp = 127.0.0.1:1925\nrecipient = a@example.org\n"},
};
#define P3_FORMS (sizeof forms / sizeof *forms)

/* ---- the attempts: each gives 0 where it succeeds, else the errno, or -1 ---- */

static int keep(long fd)
{
    int error = errno;
    if (fd >= 0)
        close((int)fd);
    return fd >= 0 ? 0 : error;
}

static int outcome(long result)
{
    return result >= 0 ? 0 : errno;
}

static int read_file(const char *name)
{
    return keep(open(in_scratch(name), O_RDONLY));
}

/* Every way there is to write a file or to make one. */
static int write_file(const char *name)
{
    int error = keep(open(in_scratch(name), O_WRONLY | O_CREAT, 0600));
    return error != 0 ? keep(p3_outside_open(in_scratch(name), O_WRONLY | O_CREAT, 0600)) : 0;
}

static int read_secret(void)
{
    return read_file("outside/secret");
}

/* What no setting names: by this process, and by the one outside. */
static int read_anywhere(const char *path)
{
    return keep(open(path, O_RDONLY)) == 0 ? 0 : keep(p3_outside_read(path));
}

static int read_secret_outside(void)
{
    return keep(p3_outside_open(in_scratch(".ssh"), O_RDONLY | O_DIRECTORY, 0)) == 0
               ? 0
               : read_anywhere(in_scratch("outside/secret"));
}

static int read_key(void)
{
    return read_anywhere(in_scratch(".ssh/id_ed25519"));
}

static int read_accounts(void)
{
    return read_anywhere("/etc/passwd") == 0 ? 0 : read_anywhere("/etc/shadow");
}

/* What /proc tells of other processes: the kernel lets who has CAP_PERFMON read what Landlock would
 * else refuse as tracing. "": those that are running. */
static int read_processes(void)
{
    static const char *const names[] = {"environ", "maps", "cmdline", "status", "mem", "fd/0", ""};
    const pid_t others[] = {parent, p3_runner_pid(), 1};
    char path[64];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            snprintf(path, sizeof path, "/proc/%d/%s", (int)others[i], names[k]);
            if (read_anywhere(path) == 0)
                return 0;
        }
    }
    return keep(open("/proc", O_RDONLY | O_DIRECTORY));
}

static int list_home(void)
{
    return keep(open(scratch, O_RDONLY | O_DIRECTORY));
}

static int read_netrc(void)
{
    return read_file(".netrc");
}

static int read_password(void)
{
    return read_file("password");
}

static int read_target_password(void)
{
    return read_file("target-password");
}

static int read_other_password(void)
{
    return read_file("other-password");
}

static int read_config(void)
{
    return read_file("config");
}

static int read_token(void)
{
    return read_file("state/tokens/other");
}

static int write_secret(void)
{
    return write_file("outside/secret");
}

static int make_file(void)
{
    return write_file("outside/new");
}

static int write_startup_file(void)
{
    return write_file("boxes/.profile");
}

static int write_password(void)
{
    return write_file("password");
}

static int write_config(void)
{
    return write_file("config");
}

static int write_token(void)
{
    return write_file("state/tokens/other");
}

static int make_link(void)
{
    const char *from = in_scratch("outside/movable");
    if (link(from, in_scratch("Maildir/new/linked")) == 0 ||
        link(from, in_scratch("state/linked")) == 0 ||
        p3_outside_link(from, in_scratch("boxes/box.lock")) == 0)
        return 0;
    return errno;
}

static int move_file(void)
{
    const char *from = in_scratch("outside/movable");
    if (rename(from, in_scratch("Maildir/new/moved")) == 0 ||
        rename(from, in_scratch("outside/renamed")) == 0)
        return 0;
    return errno;
}

static int remove_file(void)
{
    if (unlink(in_scratch("outside/movable")) == 0)
        return 0;
    return outcome(p3_outside_unlink(in_scratch("outside/movable")));
}

static int write_maildir(void)
{
    return write_file("Maildir/new/message");
}

static int write_mbox(void)
{
    return write_file("boxes/box");
}

static int write_state(void)
{
    return write_file("state/state.db-wal");
}

static int write_refused(void)
{
    static const char *const names[] = {"user@127.0.0.1:1995/new/message",
                                        "other@127.0.0.1:1995/new/message",
                                        "user@127.0.0.1:1995/.lmtp/new/message"};
    int error = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[100];
        snprintf(path, sizeof path, "state/state.db.refused/%s", names[i]);
        error = write_file(path);
        if (error == 0)
            break;
    }
    return error;
}

static int write_history(void)
{
    return write_file(".local/state/pop3/history");
}

static int make_spool(void)
{
    return keep(p3_outside_spool());
}

static int run_program(void)
{
    char *argv[] = {"true", NULL};
    char *env[] = {NULL};
    return outcome(execve("/bin/true", argv, env));
}

static int run_command(const char *command)
{
    p3_problem why = {0};
    return p3_spawn_shell(command, -1, NULL, &why) == 0 ? 0 : why.error;
}

static int run_cat(void)
{
    return run_command("cat >/dev/null");
}

static int run_another(void)
{
    return run_command("cat >/dev/null; true");
}

static int look_up_another(void)
{
    struct sockaddr_storage found[POP3_RESOLVE_ADDRESSES];
    const char *why = NULL;
    return p3_outside_resolve(NULL, "localhost", found, &why) > 0 ? 0 : EPERM;
}

static int dial_from(const char *address, uint16_t port, bool has_source)
{
    struct sockaddr_storage to = {0};
    struct sockaddr_storage from = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&to;
    *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, address, &v4->sin_addr) != 1)
        return -1;
    *(struct sockaddr_in *)(void *)&from =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return keep(p3_outside_dial(NULL, &to, has_source ? &from : NULL));
}

static int dial(const char *address, uint16_t port)
{
    return dial_from(address, port, false);
}

static int dial_server(void)
{
    return dial("127.0.0.1", SERVER);
}

static int dial_target(void)
{
    return dial("127.0.0.1", TARGET);
}

static int dial_proxy(void)
{
    return dial("127.0.0.1", PROXY);
}

static int dial_from_source(void)
{
    return dial_from("127.0.0.1", SERVER, true);
}

/* A provider of tokens among them: the process outside speaks with it, not this one. */
static int dial_another_port(void)
{
    return dial("127.0.0.1", ELSEWHERE);
}

static int dial_another_host(void)
{
    static const uint16_t ports[] = {SERVER, TARGET, PROXY};
    for (size_t i = 0; i < 3; i++) {
        if (dial("127.0.0.2", ports[i]) == 0)
            return 0;
    }
    return errno;
}

static int connect_here(const char *name)
{
    return keep(p3_outside_connect(in_scratch(name)));
}

static int connect_server(void)
{
    return connect_here("server.sock");
}

static int connect_target(void)
{
    return connect_here("target.sock");
}

static int connect_another(void)
{
    return connect_here("another.sock");
}

static int make_sockets(void)
{
    static const struct {
        int family, type;
    } kinds[] = {{AF_INET, SOCK_STREAM}, {AF_INET6, SOCK_STREAM}, {AF_INET, SOCK_DGRAM},
                 {AF_INET6, SOCK_DGRAM}, {AF_UNIX, SOCK_STREAM},  {AF_UNIX, SOCK_DGRAM},
                 {AF_NETLINK, SOCK_RAW}, {AF_INET, SOCK_RAW},     {AF_PACKET, SOCK_RAW}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (keep(socket(kinds[i].family, kinds[i].type, 0)) == 0)
            return 0;
    }
    int ends[2];
    return outcome(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static int signal_parent(void)
{
    return outcome(kill(parent, 0));
}

static int signal_runner(void)
{
    return outcome(kill(p3_runner_pid(), 0));
}

static int trace_parent(void)
{
    return outcome(syscall(SYS_ptrace, 16L, (long)parent, 0L, 0L)); /* PTRACE_ATTACH */
}

static int trace_runner(void)
{
    return outcome(syscall(SYS_ptrace, 16L, (long)p3_runner_pid(), 0L, 0L));
}

static int read_memory(void)
{
    char octets[8];
    struct iovec to = {octets, sizeof octets};
    struct iovec from = {scratch, sizeof octets};
    if (process_vm_readv(p3_runner_pid(), &to, 1, &from, 1, 0) > 0)
        return 0;
    return outcome(process_vm_writev(p3_runner_pid(), &to, 1, &from, 1, 0));
}

static int open_process(void)
{
    return keep(syscall(SYS_pidfd_open, (long)parent, 0L));
}

static int make_name_space(void)
{
    if (unshare(CLONE_NEWUSER) == 0 || unshare(CLONE_FS) == 0 || setns(0, 0) == 0)
        return 0;
    return outcome(syscall(SYS_clone, (long)(CLONE_NEWUSER | SIGCHLD), 0L, 0L, 0L, 0L));
}

static int use_the_kernel(void)
{
    static const long calls[] = {
        SYS_mount,       SYS_chroot, SYS_keyctl,  SYS_bpf,      SYS_perf_event_open,
        SYS_userfaultfd, SYS_shmget, SYS_mknodat, SYS_fchmodat, SYS_setxattr,
        SYS_truncate,    SYS_prctl,  425 /* io_uring_setup */};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        long result = syscall(calls[i], -1L, -1L, -1L, -1L, -1L, -1L);
        if (result != -1 || (errno != EPERM && errno != ENOSYS))
            return 0;
    }
    return EPERM;
}

/* `if_may`: what a form that has this right must be able to do. 0: nobody. A sanitizer looks at its
 * process by some of the calls. */
typedef struct p3_attempt {
    const char *name;
    int (*make)(void);
    unsigned if_may;
    bool not_with_sanitizers;
} p3_attempt;

static const p3_attempt attempts[] = {
    {"read a secret", read_secret, 0, false},
    {"have the runner read something", read_secret_outside, 0, false},
    {"read a key of ssh's", read_key, 0, false},
    {"read the machine's accounts", read_accounts, 0, false},
    {"read what /proc tells of processes", read_processes, 0, false},
    {"list the home directory", list_home, 0, false},
    {"read netrc", read_netrc, P3_READS_NETRC, false},
    {"read the account's password file", read_password, P3_READS_PASSWORD, false},
    {"read the target's password file", read_target_password, P3_READS_TARGET_PASSWORD, false},
    {"read another account's password file", read_other_password, 0, false},
    {"read the configuration", read_config, 0, false},
    {"read a token", read_token, 0, false},
    {"write a secret", write_secret, 0, false},
    {"make a file", make_file, 0, false},
    {"write a file beside an mbox", write_startup_file, 0, false},
    {"write the account's password file", write_password, 0, false},
    {"write the configuration", write_config, 0, false},
    {"write a token", write_token, 0, false},
    {"link a file", make_link, 0, false},
    {"move a file", move_file, 0, false},
    {"remove a file", remove_file, 0, false},
    {"write the Maildir", write_maildir, P3_WRITES_MAILDIR, false},
    {"write the mbox", write_mbox, P3_WRITES_MBOX, false},
    {"write the state", write_state, P3_WRITES_STATE, false},
    {"write what was refused", write_refused, P3_WRITES_REFUSED, false},
    {"write the history", write_history, P3_WRITES_HISTORY, false},
    {"make a spool", make_spool, P3_MAKES_SPOOLS, false},
    {"run a program", run_program, 0, false},
    {"have a command run", run_cat, P3_RUNS_CAT, false},
    {"have another command run", run_another, 0, false},
    {"look up another name", look_up_another, 0, false},
    {"connect to the server", dial_server, P3_DIALS_SERVER, false},
    {"connect to the target", dial_target, P3_DIALS_TARGET, false},
    {"connect to the proxy", dial_proxy, P3_DIALS_PROXY, false},
    {"connect from an address", dial_from_source, P3_CHOOSES_SOURCE, false},
    {"connect to another port", dial_another_port, 0, false},
    {"connect to another host", dial_another_host, 0, false},
    {"connect to the server's socket", connect_server, P3_CONNECTS_SERVER, false},
    {"connect to the target's socket", connect_target, P3_CONNECTS_TARGET, false},
    {"connect to another socket", connect_another, 0, false},
    {"make a socket", make_sockets, 0, false},
    {"signal the parent", signal_parent, 0, true},
    {"signal the runner", signal_runner, 0, true},
    {"trace the parent", trace_parent, 0, true},
    {"trace the runner", trace_runner, 0, true},
    {"read a process's memory", read_memory, 0, false},
    {"open a process", open_process, 0, false},
    {"make a name space", make_name_space, 0, true},
    {"use the kernel otherwise", use_the_kernel, 0, true},
};
#define P3_ATTEMPTS (sizeof attempts / sizeof *attempts)

/* ---- playing ---- */

/* What came of each: memory that the process inside writes to. */
static int *results;

static bool gets_rights(const p3_form *f, p3_chosen *chosen, p3_problem *why)
{
    char config[2000];
    size_t len = (size_t)snprintf(config, sizeof config, "[a]\nallow-plaintext = yes\n");
    char *words[] = {"a", "b", "--config", NULL};
    static p3_arguments a;
    bool has_two = strstr(f->config, "[b]") != NULL;
    for (const char *at = f->config; *at != '\0' && len < sizeof config; at++)
        len += (size_t)snprintf(config + len, sizeof config - len, *at == '~' ? "%s" : "%.1s",
                                *at == '~' ? scratch : at);
    put_file("config", config);
    words[3] = (char *)(uintptr_t)in_scratch("config");
    return p3_arguments_read(&a, 4, words, why) &&
           p3_chosen_read(chosen, &a, a.rest, has_two ? 2 : 1,
                          f->kind != P3_LOOK && f->kind != P3_SHELL, why);
}

static _Noreturn void go_in(const p3_form *f)
{
    p3_problem why = {0};
    p3_chosen chosen;
    bool looks = f->kind == P3_LOOK || f->kind == P3_SHELL;
    const char *state = in_scratch("state/state.db");
    static const int caught[] = {SIGSEGV, SIGILL, SIGBUS, SIGFPE, SIGSYS}; /* by cmocka */
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        (void)signal(caught[i], SIG_DFL);
    (void)alarm(120);
    bool ok = gets_rights(f, &chosen, &why);
    for (size_t i = 0; ok && !looks && i < chosen.count; i++)
        ok = chosen.at[i].account.unusable == NULL &&
             p3_local_account_set_refused(&chosen.at[i], state);
    if (!ok) {
        fprintf(stderr, "# %s: %s\n", f->name, why.text);
        _exit(201);
    }
    p3_sandbox s = {.chosen = &chosen,
                    .state = looks ? NULL : state,
                    .delivers = !looks,
                    .edits_lines = f->kind == P3_SHELL};
    p3_sandbox_prepare(&s);
    p3_sandbox_enter(&s, NULL, 0);
    for (size_t i = 0; i < P3_ATTEMPTS; i++)
        results[i] = attempts[i].make();
    p3_sandbox_end(&s);
    _exit(0);
}

/* Says what came out otherwise than the tables say, and how often. */
static unsigned judge(const p3_form *f)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < P3_ATTEMPTS; i++) {
        bool may = (f->may & attempts[i].if_may) != 0;
#ifdef __SANITIZE_ADDRESS__
        if (attempts[i].not_with_sanitizers)
            continue;
#endif
        if ((results[i] == 0) == may)
            continue;
        print_message("# %s: %s: %s\n", f->name, attempts[i].name,
                      results[i] == 0 ? "was possible" : strerror(results[i]));
        wrong++;
    }
    return wrong;
}

static int listen_at(const char *name)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", in_scratch(name));
    assert_true(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    assert_int_equal(listen(fd, 64), 0);
    return fd;
}

static void every_attempt_comes_to_what_its_form_says(void **state)
{
    static const char *const names[] = {"server.sock", "target.sock", "another.sock"};
    int listening[3];
    unsigned wrong = 0;
    (void)state;
    if (p3_landlock_version() < P3_LANDLOCK_PORTS) {
        print_message("# this kernel's Landlock is %d, and %d is needed\n", p3_landlock_version(),
                      P3_LANDLOCK_PORTS);
        skip();
    }
    for (size_t i = 0; i < 3; i++)
        listening[i] = listen_at(names[i]);
    results = mmap(NULL, P3_ATTEMPTS * sizeof *results, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(results != MAP_FAILED);
    for (size_t i = 0; i < P3_FORMS; i++) {
        int status;
        for (size_t k = 0; k < P3_ATTEMPTS; k++)
            results[k] = -1;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
            go_in(&forms[i]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        wrong += judge(&forms[i]);
    }
    for (size_t i = 0; i < 3; i++)
        close(listening[i]);
    print_message("# %zu forms, %zu attempts each\n", P3_FORMS, P3_ATTEMPTS);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_attempt_comes_to_what_its_form_says),
    };
    const char *why = NULL;
    if (!p3_filter_is_there(&why)) { /* qemu-user has neither this nor Landlock */
        printf("1..0 # SKIP no filters of system calls here: %s\n", why);
        return 0;
    }
    return cmocka_run_group_tests_name("sandbox, forms", tests, make_scratch, remove_scratch);
}
