/* Generates the filters of system calls when the command is built: the list of permitted calls, as
 * rules for libseccomp, which compiles them for this architecture, so that a run only has to
 * install one.
 *
 * The list contains what the tests of the command call on Debian 12, 13 and testing (glibc 2.36,
 * 2.41 and 2.43, OpenSSL 3, SQLite, libedit, Kerberos); docs/records/hardening.md has the same
 * list, and a test compares both with the kernel's behaviour. */
#include "confine/syscall_programs_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* LeakSanitizer inspects its own process with ptrace(2), from a cloned process. */
#if defined __SANITIZE_ADDRESS__
#define P3_SANITIZED true
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define P3_SANITIZED true
#endif
#endif
#ifndef P3_SANITIZED
#define P3_SANITIZED false
#endif

/* Numbers from here on are the same on every architecture, and a C library that runs on Linux 5.0
 * falls back on ENOSYS, for instance for clone3(2), openat2(2), faccessat2(2). */
#define P3_NEW_CALLS     424
#define P3_NEW_CALLS_END 512

#define P3_LENGTH(array) (sizeof(array) / sizeof *(array))

/* A condition on an argument. Arguments of type int are compared in their lower half, like in the
 * kernel. */
typedef struct scmp_arg_cmp condition;

#define P3_INT UINT64_C(0xffffffff)

/* Releases of clang-format disagree about macros that are initializers. */
/* clang-format off */
#define P3_IS(n, value)                                                                            \
    {                                                                                              \
        n, SCMP_CMP_MASKED_EQ, P3_INT, (uint32_t)(value)                                           \
    }
#define P3_NO_FLAGS_BUT(n, flags)                                                                  \
    {                                                                                              \
        n, SCMP_CMP_MASKED_EQ, (uint32_t) ~(uint32_t)(flags), 0                                    \
    }
#define P3_IS_BUT(n, value, flags)                                                                 \
    {                                                                                              \
        n, SCMP_CMP_MASKED_EQ, (uint32_t) ~(uint32_t)(flags), (uint32_t)(value)                    \
    }
#define P3_IS_NULL(n)                                                                              \
    {                                                                                              \
        n, SCMP_CMP_EQ, 0, 0                                                                       \
    }
/* clang-format on */

/* ---- allowed whatever the arguments ---- */

/* Calls of the hot path are listed without conditions: the kernel then does not run the filter for
 * them, and renameat2(2) is called once for each message. */
static const int always[] = {
    /* memory; and a file in memory with a header for the filter command */
    SCMP_SYS(memfd_create), SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(mprotect), SCMP_SYS(madvise),
    /* files: Landlock decides which */
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(write),
    SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(lseek),
    SCMP_SYS(_llseek), SCMP_SYS(fsync), SCMP_SYS(fdatasync), SCMP_SYS(syncfs),
    SCMP_SYS(sync_file_range), SCMP_SYS(sync_file_range2), SCMP_SYS(fadvise64),
    SCMP_SYS(fadvise64_64), SCMP_SYS(arm_fadvise64_64), SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64),
    SCMP_SYS(renameat2), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(link), SCMP_SYS(linkat),
    SCMP_SYS(unlink), SCMP_SYS(dup),
    /* their names and properties */
    SCMP_SYS(stat), SCMP_SYS(stat64), SCMP_SYS(lstat), SCMP_SYS(lstat64), SCMP_SYS(fstat),
    SCMP_SYS(fstat64), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(statx), SCMP_SYS(statfs),
    SCMP_SYS(statfs64), SCMP_SYS(fstatfs), SCMP_SYS(fstatfs64), SCMP_SYS(access),
    SCMP_SYS(faccessat), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd),
    SCMP_SYS(getdents64), SCMP_SYS(umask),
    /* waiting, and synchronizing threads */
    SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(select), SCMP_SYS(_newselect),
    SCMP_SYS(pselect6), SCMP_SYS(pselect6_time64), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_nanosleep_time64), SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(pipe2),
    SCMP_SYS(eventfd2), /* libcurl 8.22 wakes itself by one */
    SCMP_SYS(sched_yield), SCMP_SYS(restart_syscall),
    /* handling signals */
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn),
    SCMP_SYS(sigaltstack),
    /* this thread and its end */
    SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(exit), SCMP_SYS(exit_group),
    /* the identity of this process, and the time */
    SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getuid), SCMP_SYS(getuid32), SCMP_SYS(geteuid),
    SCMP_SYS(geteuid32), SCMP_SYS(getgid), SCMP_SYS(getgid32), SCMP_SYS(getegid),
    SCMP_SYS(getegid32), SCMP_SYS(getrlimit), SCMP_SYS(ugetrlimit), SCMP_SYS(getrusage),
    SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getcpu), SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(clock_getres),
    SCMP_SYS(clock_getres_time64), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    /* existing sockets: none can be created here */
    SCMP_SYS(recv), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(getsockname),
    SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(shutdown)};

/* ---- allowed with these arguments ---- */

typedef struct p3_conditional {
    int call;
    unsigned count; /* of the conditions, all of which must be met */
    condition must[3];
} p3_conditional;

/* MSG_FASTOPEN would connect despite Landlock; messages with descriptors can only be sent to the
 * process outside. */
#define P3_SEND_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT)

/* Threads, as the C library creates them, and nothing else: no process, no namespace.
 * CLONE_DETACHED has no effect, and musl sets it. */
#define P3_THREAD                                                                                  \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |            \
     CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* The argument of clone(2) with its flags. */
#if defined __s390__ || defined __s390x__ || defined __CRIS__
#define P3_CLONE_FLAGS 1
#else
#define P3_CLONE_FLAGS 0
#endif

/* Locks of files beyond 2 GiB, for which 32-bit systems have separate commands. */
enum { GETLK64 = 12, SETLK64 = 13, SETLKW64 = 14 };

#define P3_FCNTL(command)                                                                          \
    {SCMP_SYS(fcntl), 1, {P3_IS(1, command)}},                                                     \
    {                                                                                              \
        SCMP_SYS(fcntl64), 1,                                                                      \
        {                                                                                          \
            P3_IS(1, command)                                                                      \
        }                                                                                          \
    }
#define P3_IOCTL(request)                                                                          \
    {                                                                                              \
        SCMP_SYS(ioctl), 1,                                                                        \
        {                                                                                          \
            P3_IS(1, request)                                                                      \
        }                                                                                          \
    }
#define P3_PRCTL(option)                                                                           \
    {                                                                                              \
        SCMP_SYS(prctl), 1,                                                                        \
        {                                                                                          \
            P3_IS(0, option)                                                                       \
        }                                                                                          \
    }
#define P3_SOCKET(family, type, protocol)                                                          \
    {                                                                                              \
        SCMP_SYS(socket), 3,                                                                       \
        {                                                                                          \
            P3_IS(0, family), P3_IS_BUT(1, type, SOCK_CLOEXEC | SOCK_NONBLOCK), P3_IS(2, protocol) \
        }                                                                                          \
    }
#define P3_SETSOCKOPT(level, option)                                                               \
    {                                                                                              \
        SCMP_SYS(setsockopt), 2,                                                                   \
        {                                                                                          \
            P3_IS(1, level), P3_IS(2, option)                                                      \
        }                                                                                          \
    }

static const p3_conditional conditional[] = {
    {SCMP_SYS(unlinkat), 1, {P3_NO_FLAGS_BUT(2, 0)}}, /* no directories */
    {SCMP_SYS(clone), 1, {P3_IS_BUT(P3_CLONE_FLAGS, P3_THREAD, CLONE_DETACHED)}},
    {SCMP_SYS(prlimit64),
     2,
     {P3_IS(0, 0), P3_IS_NULL(2)}}, /* this process's own, and only reading */
    {SCMP_SYS(sched_getaffinity), 1, {P3_IS(0, 0)}},
    /* signals to this process itself: raise(), abort(), and a key typed at a prompt */
    {SCMP_SYS(tgkill), 1, {P3_IS(0, P3_FILTER_SELF)}},
    {SCMP_SYS(kill), 1, {P3_IS(0, P3_FILTER_SELF)}},
    P3_FCNTL(F_DUPFD),
    P3_FCNTL(F_DUPFD_CLOEXEC),
    P3_FCNTL(F_GETFD),
    P3_FCNTL(F_SETFD),
    P3_FCNTL(F_GETFL),
    P3_FCNTL(F_SETFL),
    P3_FCNTL(F_GETLK),
    P3_FCNTL(F_SETLK),
    P3_FCNTL(F_SETLKW),
    P3_FCNTL(GETLK64),
    P3_FCNTL(SETLK64),
    P3_FCNTL(SETLKW64),
    P3_FCNTL(F_OFD_SETLK),
    /* a terminal's settings and size, and the number of readable octets; by number, because
     * <asm/termbits.h> and <termios.h> cannot both be included */
    P3_IOCTL(0x5401),     /* TCGETS */
    P3_IOCTL(0x5402),     /* TCSETS */
    P3_IOCTL(0x5403),     /* TCSETSW */
    P3_IOCTL(0x5404),     /* TCSETSF */
    P3_IOCTL(0x802c542a), /* TCGETS2: glibc has these four from 2.42 on */
    P3_IOCTL(0x402c542b), /* TCSETS2 */
    P3_IOCTL(0x402c542c), /* TCSETSW2 */
    P3_IOCTL(0x402c542d), /* TCSETSF2 */
    P3_IOCTL(TIOCGWINSZ),
    P3_IOCTL(FIONREAD),
    P3_PRCTL(PR_SET_NAME),
    P3_PRCTL(PR_GET_NAME),
    P3_PRCTL(0x53564d41), /* PR_SET_VMA: glibc 2.41 names its memory */
    P3_SETSOCKOPT(IPPROTO_TCP, TCP_NODELAY),
    P3_SETSOCKOPT(IPPROTO_TCP, TCP_QUICKACK),
    {SCMP_SYS(send), 1, {P3_NO_FLAGS_BUT(3, P3_SEND_FLAGS)}},
    {SCMP_SYS(sendto), 2, {P3_NO_FLAGS_BUT(3, P3_SEND_FLAGS), P3_IS_NULL(4)}}, /* no address */
    /* the process outside gets requests in messages with descriptors */
    {SCMP_SYS(sendmsg), 1, {P3_NO_FLAGS_BUT(2, P3_SEND_FLAGS)}},
    {SCMP_SYS(wait4), 1, {P3_IS(0, P3_FILTER_OUTSIDE)}},
    {SCMP_SYS(waitpid), 1, {P3_IS(0, P3_FILTER_OUTSIDE)}},
};

/* ---- allowed to those that need them ---- */

/* Kerberos stores tickets in keyrings, files and directories, or in a service, and has its own
 * resolver. */
static const int for_kerberos[] = {
    SCMP_SYS(add_key),  SCMP_SYS(request_key), SCMP_SYS(keyctl),    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),  SCMP_SYS(rmdir),       SCMP_SYS(symlink),   SCMP_SYS(symlinkat),
    SCMP_SYS(fchmod),   SCMP_SYS(bind),        SCMP_SYS(connect),   SCMP_SYS(sendmsg),
    SCMP_SYS(sendmmsg), SCMP_SYS(sendto),      SCMP_SYS(send),      SCMP_SYS(setsockopt),
    SCMP_SYS(getppid),  SCMP_SYS(getresuid),   SCMP_SYS(getresgid),
};

/* Without other stream protocols than TCP, such as MPTCP. */
static const p3_conditional sockets_for_kerberos[] = {
    P3_SOCKET(AF_INET, SOCK_STREAM, 0),  P3_SOCKET(AF_INET, SOCK_STREAM, IPPROTO_TCP),
    P3_SOCKET(AF_INET6, SOCK_STREAM, 0), P3_SOCKET(AF_INET6, SOCK_STREAM, IPPROTO_TCP),
    P3_SOCKET(AF_INET, SOCK_DGRAM, 0),   P3_SOCKET(AF_INET, SOCK_DGRAM, IPPROTO_UDP),
    P3_SOCKET(AF_INET6, SOCK_DGRAM, 0),  P3_SOCKET(AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
    P3_SOCKET(AF_UNIX, SOCK_STREAM, 0),  P3_SOCKET(AF_UNIX, SOCK_DGRAM, 0),
    P3_SOCKET(AF_NETLINK, SOCK_RAW, 0), /* NETLINK_ROUTE */
};

static const int for_sanitizers[] = {
    SCMP_SYS(ptrace),   SCMP_SYS(clone),   SCMP_SYS(wait4),  SCMP_SYS(prctl),
    SCMP_SYS(kill),     SCMP_SYS(getppid), SCMP_SYS(tgkill), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getdents), /* the old one, on x86-64 */
};

/* ---- making it ---- */

static int allow_all(scmp_filter_ctx f, const int *calls, size_t count)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < count; i++)
        error = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
    return error;
}

static int allow_conditional(scmp_filter_ctx f, const p3_conditional *rules, size_t count)
{
    int error = 0;
    for (size_t i = 0; error == 0 && i < count; i++)
        error =
            seccomp_rule_add_array(f, SCMP_ACT_ALLOW, rules[i].call, rules[i].count, rules[i].must);
    return error;
}

/* Calls that are newer than the C library needs seem not to exist. */
static int hide_new_calls(scmp_filter_ctx f)
{
    int error = 0;
    for (int call = P3_NEW_CALLS; error == 0 && call < P3_NEW_CALLS_END; call++)
        error = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), call, 0);
    return error;
}

static int add_rules(scmp_filter_ctx f, unsigned needs)
{
    const bool kerberos = needs & P3_FILTER_KERBEROS;
    int error = allow_all(f, always, P3_LENGTH(always));
    if (error == 0)
        error = allow_conditional(f, conditional, P3_LENGTH(conditional));
    if (error == 0)
        error = hide_new_calls(f);
    if (error == 0 && !kerberos) /* libcurl connects a connected socket, and gets success */
        error = seccomp_rule_add(f, SCMP_ACT_ERRNO(0), SCMP_SYS(connect), 0);
    if (error == 0 && kerberos)
        error = allow_conditional(f, sockets_for_kerberos, P3_LENGTH(sockets_for_kerberos));
    if (error == 0 && kerberos)
        error = allow_all(f, for_kerberos, P3_LENGTH(for_kerberos));
    if (error == 0 && P3_SANITIZED)
        error = allow_all(f, for_sanitizers, P3_LENGTH(for_sanitizers));
    return error;
}

static int make_filter(scmp_filter_ctx f, unsigned needs)
{
    /* Calls of another ABI, such as those of a 32-bit process on a 64-bit kernel, or x32's. */
    int error = seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
    /* A binary tree: fewer steps than there are rules. */
    if (error == 0)
        error = seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    return error == 0 ? add_rules(f, needs) : error;
}

/* Generates a filter and reads its program. */
static int make_program(unsigned needs, struct sock_filter *out, size_t *count)
{
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    FILE *file = tmpfile();
    int error = f != NULL && file != NULL ? make_filter(f, needs) : -ENOMEM;
    if (error == 0)
        error = seccomp_export_bpf(f, fileno(file));
    if (error == 0) {
        rewind(file);
        *count = fread(out, sizeof *out, P3_FILTER_MOST, file);
        error = ferror(file) || !feof(file) ? -EIO : 0;
    }
    if (file != NULL)
        (void)fclose(file);
    if (f != NULL)
        seccomp_release(f);
    return error;
}

static void write_program(FILE *to, unsigned needs, const struct sock_filter *at, size_t count)
{
    (void)fprintf(to, "static const struct sock_filter program_%u[] = {\n", needs);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(to, "    {0x%x, %u, %u, 0x%x},\n", at[i].code, at[i].jt, at[i].jf, at[i].k);
    (void)fprintf(to, "};\n");
}

static bool write_programs(FILE *to)
{
    static struct sock_filter program[P3_FILTER_MOST];
    size_t counts[P3_FILTERS] = {0};
    (void)fprintf(to, "/* Generated by syscall_list_linux.c. */\n#include "
                      "\"confine/syscall_programs_linux.h\"\n");
    for (unsigned needs = 0; needs < P3_FILTERS; needs++) {
        int error = make_program(needs, program, &counts[needs]);
        if (error != 0) {
            (void)fprintf(stderr, "making a filter of system calls: %s\n", strerror(-error));
            return false;
        }
        write_program(to, needs, program, counts[needs]);
    }
    (void)fprintf(to, "const struct sock_fprog p3_filter_programs[P3_FILTERS] = {\n");
    for (unsigned needs = 0; needs < P3_FILTERS; needs++)
        (void)fprintf(to, "    {%zu, (struct sock_filter *)(size_t)program_%u},\n", counts[needs],
                      needs);
    return fprintf(to, "};\n") > 0;
}

int main(int argc, char **argv)
{
    FILE *to = argc == 2 ? fopen(argv[1], "w") : NULL;
    bool ok = to != NULL && write_programs(to);
    if (to != NULL && fclose(to) != 0)
        ok = false;
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
