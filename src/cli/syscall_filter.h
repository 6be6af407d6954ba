/* System calls that the command never makes, and refuses to make from some point on. */
#ifndef P3_CLI_SYSCALL_FILTER_H
#define P3_CLI_SYSCALL_FILTER_H

#include <stdbool.h>

/* From here on this thread, and those that it starts, get EPERM for what a mail reader has no use
 * for: running programs, looking into other processes, mounting, making and removing folders,
 * making symbolic links and devices, loading code into the kernel, unusual kinds of sockets, typing
 * into a terminal. `kerberos`: keyrings, folders and links may be made, as Kerberos does for its
 * tickets. PR_SET_NO_NEW_PRIVS must have been set. Returns false, with errno. */
bool p3_filter_system_calls(bool kerberos);

#endif
