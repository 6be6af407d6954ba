/* Filters of system calls as programs for the kernel: made when the command is built, by
 * syscall_list_linux.c, and handed to the kernel by syscall_filter.c. */
#ifndef P3_CONFINE_SYSCALL_PROGRAMS_H
#define P3_CONFINE_SYSCALL_PROGRAMS_H

#include <linux/filter.h>
#include <stddef.h>

/* What a run needs beside files and threads: the programs are numbered by a sum of these. */
enum { P3_FILTER_KERBEROS = 1, P3_FILTERS = 2 };

/* Instructions that a program has at most. */
#define P3_FILTER_MOST 1024

/* Stand in a program for the number of the process, and of the one outside. No process has them. */
#define P3_FILTER_SELF    0x7f505033U
#define P3_FILTER_OUTSIDE 0x7f505034U

extern const struct sock_fprog p3_filter_programs[P3_FILTERS];

#endif
