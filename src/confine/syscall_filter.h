/* The system calls that the command may make from some point on: a seccomp(2) filter, built with
 * libseccomp. It lists what is permitted; everything else is refused. */
#ifndef P3_CONFINE_SYSCALL_FILTER_H
#define P3_CONFINE_SYSCALL_FILTER_H

#include <stdbool.h>
#include <sys/types.h>

/* What a run needs besides files, threads and what is done outside for it. */
typedef struct p3_filter_needs {
    pid_t helper;  /* the process outside */
    bool kerberos; /* GSSAPI: keyrings, directories, links, its own sockets */
} p3_filter_needs;

/* Whether this build and this kernel have such filters. Returns false, with the reason in *why. */
bool p3_filter_is_there(const char **why);

/* From now on this thread, and those that it starts later, can only make the calls on the list: a
 * refused call fails with EPERM, or with ENOSYS if it is newer than Linux 5.0, so that the C
 * library falls back. PR_SET_NO_NEW_PRIVS must have been set. Returns false, with the reason. */
bool p3_filter_system_calls(const p3_filter_needs *needs, const char **why);

#endif
