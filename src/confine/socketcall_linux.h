/* socketcall(2), by which the C library reaches all calls of sockets at once on i386 and s390x. */
#ifndef P3_CONFINE_SOCKETCALL_H
#define P3_CONFINE_SOCKETCALL_H

#include <stdbool.h>

/* A filter of system calls cannot see the arguments of socketcall(2), which are behind a pointer.
 * From here on each such call of this process is made as the call that it stands for, socket(2) or
 * connect(2), which the filter judges. Call it before the filter is put in place; threads must
 * not block SIGSYS. Does nothing where there is no socketcall(2). Returns false, with errno. */
bool p3_socketcall_translate(void);

#endif
