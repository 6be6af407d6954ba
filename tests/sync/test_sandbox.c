/* The sandbox from inside: each test forks a process that enters it as `pop3 sync` does, and tries.
 */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/landlock.h"
#include "cli/sandbox.h"
#include "sync/shell.h"

#define ACCOUNT_URL  "pop3://user@127.0.0.1:1995" /* nobody listens there, nor at the other */
#define ACCOUNT_PORT 1995
#define OTHER_PORT   1996

/* ---- the scratch folder, in which everything is ---- */

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
    if (mkdtemp(scratch) == NULL)
        return -1;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (mkdir(in_scratch(folders[i]), 0700) != 0)
            return -1;
    }
    put_file("outside/secret", "a secret\n");
    put_file("password", "secret\n");
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
    const char *target; /* an option, and its value */
    const char *value;
    const char *more[3]; /* words of the command line, up to a NULL */
    bool stays;
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
    char *words[16] = {ACCOUNT_URL, "--allow-plaintext", "--password-file"};
    size_t count = 3;
    p3_arguments a;
    p3_chosen chosen;
    p3_problem why = {0};
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
    p3_sandbox s = {.chosen = &chosen,
                    .state = in_scratch("state/state.db"),
                    .delivers = true,
                    .stays = e->stays,
                    .off = e->off};
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

static int try_open(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    int error = errno;
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : error;
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
    if (rename(in_scratch("state/program"), in_scratch("Maildir/new/program")) == 0 ||
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
    put_file("state/program", "");
    assert_int_equal(mkdir(in_scratch("Maildir/new/a folder"), 0700), 0);
    assert_int_equal(usually(make_other_things), 0);
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

static int write_the_mbox(const entry *e)
{
    if (try_open(in_scratch("other/box.lock"), O_WRONLY | O_CREAT | O_EXCL) != 0)
        return 1;
    if (unlink(in_scratch("other/box.lock")) != 0)
        return 2;
    return try_open(e->value, O_RDWR | O_CREAT);
}

static void an_mbox_and_its_lock_can_be_written(void **state)
{
    char file[128];
    snprintf(file, sizeof file, "%s", in_scratch("other/box"));
    entry e = {.target = "--mbox", .value = file};
    (void)state;
    assert_int_equal(inside(&e, write_the_mbox), 0);
}

static void a_process_that_stays_may_read_but_not_write(void **state)
{
    entry e = {.stays = true};
    (void)state;
    needs_landlock(2);
    assert_int_equal(inside(&e, read_outside), 0);
    assert_int_equal(inside(&e, write_outside), EACCES);
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
    return process_vm_readv(getppid(), &to, 1, &from, 1, 0) >= 0 ? 0 : errno;
}

static int signal_the_parent(const entry *e)
{
    (void)e;
    return kill(getppid(), 0) == 0 ? 0 : errno;
}

static void other_processes_are_out_of_reach(void **state)
{
    (void)state;
    assert_int_equal(usually(look_into_the_parent), EPERM);
    needs_landlock(6);
    assert_int_equal(usually(signal_the_parent), EPERM);
}

/* ---- the kernel ---- */

/* Each with arguments that would give another error than EPERM were it let through. */
static int call_the_kernel(const entry *e)
{
    static const long numbers[] = {
        SYS_bpf,     SYS_io_uring_setup,    SYS_perf_event_open,  SYS_mount,       SYS_keyctl,
        SYS_add_key, SYS_init_module,       SYS_kexec_load,       SYS_userfaultfd, SYS_open_tree,
        SYS_setns,   SYS_open_by_handle_at, SYS_process_vm_writev};
    (void)e;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (syscall(numbers[i], -1L, -1L, -1L, -1L, -1L, -1L) != -1 || errno != EPERM)
            return (int)i + 1;
    }
    return 0;
}

static void system_calls_that_nobody_needs_are_refused(void **state)
{
    (void)state;
    assert_int_equal(usually(call_the_kernel), 0);
}

static int call_for_another_machine(const entry *e)
{
    (void)e;
#ifdef __x86_64__
    /* x32's getpid() */
    return syscall(0x40000000L + SYS_getpid) == -1 ? errno : 0;
#else
    return EPERM;
#endif
}

static void system_calls_of_another_kind_are_refused(void **state)
{
    (void)state;
    assert_int_equal(usually(call_for_another_machine), EPERM);
}

static int make_sockets(const entry *e)
{
    static const int refused[] = {AF_PACKET, AF_ALG, AF_VSOCK, AF_BLUETOOTH};
    static const int allowed[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    (void)e;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (socket(refused[i], SOCK_RAW, 0) != -1 || errno != EPERM)
            return (int)i + 1;
    }
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        int fd = socket(allowed[i], SOCK_DGRAM, 0);
        if (fd < 0 && errno == EPERM)
            return (int)i + 10;
        if (fd >= 0)
            close(fd);
    }
    return 0;
}

static void only_sockets_of_the_usual_kinds_can_be_made(void **state)
{
    (void)state;
    assert_int_equal(usually(make_sockets), 0);
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

static int try_connect(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int result = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 ? 0 : errno;
    close(fd);
    return result;
}

static int connect_to_the_account(const entry *e)
{
    (void)e;
    return try_connect(ACCOUNT_PORT);
}

static int connect_elsewhere(const entry *e)
{
    (void)e;
    return try_connect(OTHER_PORT);
}

static int listen_for_others(const entry *e)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(OTHER_PORT)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)e;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int result = bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 ? 0 : errno;
    close(fd);
    return result;
}

static int choose_an_address(const entry *e)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)e;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int result = bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 ? 0 : errno;
    close(fd);
    return result;
}

static void an_address_to_connect_from_can_be_chosen_by_who_has_set_one(void **state)
{
    entry e = {.more = {"--local-address", "127.0.0.1"}};
    (void)state;
    assert_int_equal(inside(&e, choose_an_address), 0);
    needs_landlock(4);
    assert_int_equal(usually(choose_an_address), EACCES);
    assert_int_equal(inside(&e, listen_for_others), EACCES);
}

static void only_the_accounts_port_can_be_connected_to(void **state)
{
    entry proxied = {.more = {"--proxy", "http://127.0.0.1:1996"}};
    (void)state;
    needs_landlock(4);
    assert_int_not_equal(usually(connect_to_the_account), EACCES);
    assert_int_equal(usually(connect_elsewhere), EACCES);
    assert_int_equal(usually(listen_for_others), EACCES);
    assert_int_not_equal(inside(&proxied, connect_elsewhere), EACCES);
    assert_int_equal(inside(&proxied, connect_to_the_account), EACCES);
}

/* ---- what goes on working ---- */

/* Names, for which the C library loads modules; and an address, which needs none. */
static int look_names_up(const entry *e)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "::1"};
    (void)e;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct addrinfo *found = NULL;
        if (getaddrinfo(names[i], "110", NULL, &found) != 0)
            return (int)i + 1;
        freeaddrinfo(found);
    }
    return 0;
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
    (void)state;
    assert_int_equal(usually(look_names_up), 0);
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
        cmocka_unit_test(a_file_outside_cannot_be_read),
        cmocka_unit_test(files_outside_cannot_be_written_made_removed_or_moved),
        cmocka_unit_test(what_a_run_needs_can_be_written),
        cmocka_unit_test(other_folders_of_a_maildir_stay_closed),
        cmocka_unit_test(a_maildir_of_links_can_be_delivered_to),
        cmocka_unit_test(an_mbox_and_its_lock_can_be_written),
        cmocka_unit_test(a_process_that_stays_may_read_but_not_write),
        cmocka_unit_test(no_program_can_be_run),
        cmocka_unit_test(a_command_of_the_configuration_is_run_outside),
        cmocka_unit_test(no_other_command_is),
        cmocka_unit_test(no_variable_but_the_sender_goes_with_a_command),
        cmocka_unit_test(other_processes_are_out_of_reach),
        cmocka_unit_test(system_calls_that_nobody_needs_are_refused),
        cmocka_unit_test(system_calls_of_another_kind_are_refused),
        cmocka_unit_test(only_sockets_of_the_usual_kinds_can_be_made),
        cmocka_unit_test(nothing_can_be_typed_into_a_terminal),
        cmocka_unit_test(only_the_accounts_port_can_be_connected_to),
        cmocka_unit_test(an_address_to_connect_from_can_be_chosen_by_who_has_set_one),
        cmocka_unit_test(names_times_and_texts_are_understood_inside),
        cmocka_unit_test(threads_that_start_inside_are_inside),
        cmocka_unit_test(where_landlock_is_missing_the_rest_holds_and_is_told),
        cmocka_unit_test(what_is_missing_of_a_maildir_is_made_before),
        cmocka_unit_test(what_is_switched_off_is_off),
        cmocka_unit_test(kerberos_may_look_for_its_tickets),
    };
    return cmocka_run_group_tests_name("sandbox", tests, make_scratch, remove_scratch);
}
