/* Installs a filter of system calls: the program that syscall_list_linux.c generated for the needs
 * of this run, with process numbers filled in. */
#include "confine/syscall_filter.h"

#ifndef P3_HAVE_SECCOMP

bool p3_filter_is_there(const char **why)
{
    *why = "built without libseccomp";
    return false;
}

bool p3_filter_system_calls(const p3_filter_needs *needs, const char **why)
{
    (void)needs;
    return p3_filter_is_there(why);
}

#else

#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/socketcall_linux.h"
#include "confine/syscall_programs_linux.h"

#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW 4
#endif

bool p3_filter_is_there(const char **why)
{
    const uint32_t action = SECCOMP_RET_ERRNO;
    /* EINVAL: a kernel before 4.14, which has filters but not this operation. */
    if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 || errno == EINVAL)
        return true;
    *why = strerror(errno);
    return false;
}

static unsigned number_of(const p3_filter_needs *n)
{
    return n->kerberos ? P3_FILTER_KERBEROS : 0U;
}

/* Installs a program. Older kernels slow down a process with a filter, as a protection against
 * other code in it, which we do not need. Kernels without that flag refuse it. */
static bool load(const struct sock_fprog *p)
{
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, p) == 0 ||
           (errno == EINVAL && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, p) == 0);
}

bool p3_filter_system_calls(const p3_filter_needs *needs, const char **why)
{
    struct sock_filter at[P3_FILTER_MOST];
    struct sock_fprog p = p3_filter_programs[number_of(needs)];
    memcpy(at, p.filter, p.len * sizeof *at);
    p.filter = at;
    for (size_t i = 0; i < p.len; i++) {
        if (at[i].k == P3_FILTER_SELF)
            at[i].k = (uint32_t)getpid();
        else if (at[i].k == P3_FILTER_OUTSIDE)
            at[i].k = (uint32_t)needs->helper;
    }
    bool ok = p3_socketcall_translate() && load(&p); /* after it no filter can be added */
    *why = ok ? NULL : strerror(errno);
    return ok;
}

#endif
