/* Replaces socketcall(2) by the calls that it stands for: the kernel raises SIGSYS, and the handler
 * makes the call with its arguments in registers, where a filter sees them. */
#include "confine/socketcall_linux.h"

#if !(defined __i386__ || defined __s390x__) || !defined P3_HAVE_SECCOMP

bool p3_socketcall_translate(void)
{
    return true;
}

#else

#include <errno.h>
#include <linux/filter.h>
#include <linux/net.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define P3_SIX 6

/* The registers with the arguments' address and the result; and where a filter finds the number.
 * The filter passes it to the handler, because s390x has overwritten its register by then. */
#ifdef __i386__
typedef greg_t word;
enum { P3_ARGUMENTS = REG_ECX, P3_RESULT = REG_EAX };
#define P3_NUMBER offsetof(struct seccomp_data, args[0])
#else
typedef unsigned long word;
enum { P3_ARGUMENTS = 3, P3_RESULT = 2 };
#define P3_NUMBER (offsetof(struct seccomp_data, args[0]) + 4) /* the lower half */
#endif

/* The call that each number of socketcall(2) stands for, and its number of arguments. Others are
 * refused. */
static const struct {
    short call;
    unsigned char count;
} meant[] = {
    [SYS_SOCKET] = {SYS_socket, 3},           [SYS_BIND] = {SYS_bind, 3},
    [SYS_CONNECT] = {SYS_connect, 3},         [SYS_GETSOCKNAME] = {SYS_getsockname, 3},
    [SYS_GETPEERNAME] = {SYS_getpeername, 3}, [SYS_SEND] = {SYS_sendto, 4},
    [SYS_RECV] = {SYS_recvfrom, 4},           [SYS_SENDTO] = {SYS_sendto, 6},
    [SYS_RECVFROM] = {SYS_recvfrom, 6},       [SYS_SHUTDOWN] = {SYS_shutdown, 2},
    [SYS_SETSOCKOPT] = {SYS_setsockopt, 5},   [SYS_GETSOCKOPT] = {SYS_getsockopt, 5},
    [SYS_SENDMSG] = {SYS_sendmsg, 3},         [SYS_RECVMSG] = {SYS_recvmsg, 3},
    [SYS_SENDMMSG] = {SYS_sendmmsg, 4},
};

static long make_call(unsigned number, const long *arguments)
{
    long a[P3_SIX] = {0};
    if (number >= sizeof meant / sizeof *meant || meant[number].call == 0) {
        errno = EPERM;
        return -1;
    }
    for (unsigned i = 0; i < meant[number].count; i++)
        a[i] = arguments[i];
    return syscall(meant[number].call, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void on_refusal(int signal, siginfo_t *info, void *context)
{
    word *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    int saved = errno;
    (void)signal;
    if (info->si_syscall == SYS_socketcall) {
        long result =
            make_call((unsigned)info->si_errno, (const long *)(size_t)registers[P3_ARGUMENTS]);
        registers[P3_RESULT] = (word)(result == -1 ? -errno : result);
    }
    errno = saved;
}

bool p3_socketcall_translate(void)
{
    struct sigaction action = {.sa_sigaction = on_refusal, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigset_t refusal;
    sigemptyset(&action.sa_mask);
    sigemptyset(&refusal);
    sigaddset(&refusal, SIGSYS);
    /* The parent may have blocked it: the kernel would end the process. */
    if (sigaction(SIGSYS, &action, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &refusal, NULL) != 0)
        return false;
    /* A separate filter: of all filters, the strictest result counts. */
    struct sock_filter trap[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socketcall, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, P3_NUMBER),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, SECCOMP_RET_DATA),
        BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_A, 0), /* its data becomes the signal's si_errno */
    };
    const struct sock_fprog program = {sizeof trap / sizeof *trap, trap};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

#endif
