/* System calls that the command never makes: a seccomp(2) filter, which the kernel runs for each
 * call. It is a list of what is refused, not of what is allowed: the C library and OpenSSL may make
 * other calls tomorrow. */
#include "cli/syscall_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The numbers of system calls mean what they mean on one architecture. */
#if defined __x86_64__
#define P3_ARCHITECTURE AUDIT_ARCH_X86_64
#define P3_FOREIGN      0x40000000U /* from here on: x32's */
#elif defined __aarch64__
#define P3_ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined __riscv && __riscv_xlen == 64
#define P3_ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined __i386__
#define P3_ARCHITECTURE AUDIT_ARCH_I386
#elif defined __arm__
#define P3_ARCHITECTURE AUDIT_ARCH_ARM
#elif defined __s390x__
#define P3_ARCHITECTURE AUDIT_ARCH_S390X
#elif defined __powerpc64__ && defined __LITTLE_ENDIAN__
#define P3_ARCHITECTURE AUDIT_ARCH_PPC64LE
#endif

#if !defined P3_ARCHITECTURE || !defined SECCOMP_RET_ERRNO

bool p3_filter_system_calls(bool kerberos)
{
    (void)kerberos;
    errno = ENOSYS; /* nobody has looked up this architecture's name yet */
    return false;
}

#else

/* LeakSanitizer looks into its own process with ptrace(2). */
#if defined __SANITIZE_ADDRESS__
#define P3_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define P3_SANITIZED 1
#endif
#endif

static const uint32_t refused[] = {
    /* running programs: commands of the user's are run by a process of their own */
    SYS_execve,
    SYS_execveat,
#ifndef P3_SANITIZED
    /* other processes */
    SYS_ptrace,
#endif
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kcmp,
    SYS_perf_event_open,
    SYS_setns,
    SYS_unshare,
#ifdef SYS_pidfd_getfd
    SYS_pidfd_getfd,
#endif
    /* what is mounted, and files beside their names */
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_open_by_handle_at,
    SYS_mknodat,
#ifdef SYS_mknod
    SYS_mknod,
#endif
#ifdef SYS_move_mount
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
#endif
#ifdef SYS_mount_setattr
    SYS_mount_setattr,
#endif
    /* the kernel and the machine */
    SYS_bpf,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_acct,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_syslog,
    SYS_quotactl,
    SYS_userfaultfd,
    SYS_personality,
    SYS_fanotify_init,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl,
    SYS_ioperm,
#endif
#ifdef SYS_modify_ldt
    SYS_modify_ldt,
#endif
#ifdef SYS_io_uring_setup
    /* it makes other calls in our name, past this filter */
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
#endif
};

/* What Kerberos may need for its tickets: keyrings, and a folder for them. */
static const uint32_t but_for_kerberos[] = {
    SYS_add_key, SYS_request_key, SYS_keyctl,  SYS_mkdirat, SYS_symlinkat,
#ifdef SYS_mkdir
    SYS_mkdir,   SYS_rmdir,       SYS_symlink,
#endif
};

/* unlinkat(2) of a folder. */
static const uint32_t of_folders[] = {AT_REMOVEDIR};

/* Kinds of sockets: what the resolver and we ourselves need. */
static const uint32_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

/* TIOCSTI types into the terminal for the user, as TIOCLINUX may. */
static const uint32_t requests[] = {TIOCSTI, TIOCLINUX};

#define P3_LENGTH(array) (sizeof(array) / sizeof *(array))
#define P3_MOST          (P3_LENGTH(refused) + P3_LENGTH(but_for_kerberos) + P3_LENGTH(families) + 32)

/* The filter as it grows, an instruction after the other. */
typedef struct p3_program {
    struct sock_filter at[P3_MOST];
    unsigned short count;
} p3_program;

static void add(p3_program *p, uint16_t code, uint32_t value, size_t if_so, size_t if_not)
{
    p->at[p->count++] = (struct sock_filter){code, (uint8_t)if_so, (uint8_t)if_not, value};
}

static void load(p3_program *p, size_t offset)
{
    add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void end_with(p3_program *p, uint32_t verdict)
{
    add(p, BPF_RET | BPF_K, verdict, 0, 0);
}

/* The lower half of an argument: system calls that take an int or unsigned look at no more. */
static void load_argument(p3_program *p, unsigned n)
{
    size_t offset = offsetof(struct seccomp_data, args) + n * sizeof(uint64_t);
    load(p, offset + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? sizeof(uint32_t) : 0));
}

static const uint32_t refusal = SECCOMP_RET_ERRNO | EPERM;

/* Refuses when what is loaded is among these. */
static void refuse_any(p3_program *p, const uint32_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], count - 1 - i, i + 1 == count ? 1 : 0);
    end_with(p, refusal);
}

/* Ends the filter for a system call, by one of its arguments: whether that is among the values. */
static void judge_argument(p3_program *p, uint32_t call, unsigned n, const uint32_t *values,
                           size_t count, uint32_t if_among, uint32_t if_not)
{
    add(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, count + 3);
    load_argument(p, n);
    for (size_t i = 0; i < count; i++)
        add(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], count - i, 0);
    end_with(p, if_not);
    end_with(p, if_among);
}

bool p3_filter_system_calls(bool kerberos)
{
    p3_program p = {.count = 0};
    load(&p, offsetof(struct seccomp_data, arch));
    add(&p, BPF_JMP | BPF_JEQ | BPF_K, P3_ARCHITECTURE, 1, 0);
    end_with(&p, refusal); /* such as 32-bit calls of a 64-bit process */
    load(&p, offsetof(struct seccomp_data, nr));
#ifdef P3_FOREIGN
    add(&p, BPF_JMP | BPF_JGE | BPF_K, P3_FOREIGN, 0, 1);
    end_with(&p, refusal);
#endif
    refuse_any(&p, refused, P3_LENGTH(refused));
    if (!kerberos)
        refuse_any(&p, but_for_kerberos, P3_LENGTH(but_for_kerberos));
#ifdef SYS_socket
    judge_argument(&p, SYS_socket, 0, families, P3_LENGTH(families), SECCOMP_RET_ALLOW, refusal);
#endif
    judge_argument(&p, SYS_unlinkat, 2, of_folders, 1, refusal, SECCOMP_RET_ALLOW);
    judge_argument(&p, SYS_ioctl, 1, requests, P3_LENGTH(requests), refusal, SECCOMP_RET_ALLOW);
    end_with(&p, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = p.count, .filter = p.at};
#ifdef SECCOMP_FILTER_FLAG_SPEC_ALLOW
    /* We run nobody else's code, against which older kernels would slow this process down. */
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) ==
        0)
        return true;
#endif
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

#endif
