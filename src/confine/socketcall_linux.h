/* socketcall(2), through which the C library makes all socket calls on i386 and s390x. */
#ifndef P3_CONFINE_SOCKETCALL_H
#define P3_CONFINE_SOCKETCALL_H

#include <stdbool.h>

/* A filter of system calls cannot see the arguments of socketcall(2), which are behind a pointer.
 * From now on each such call of this process is made as the call that it stands for, such as
 * socket(2) or connect(2), which the filter can check. To be called before the filter is installed;
 * threads must not block SIGSYS. Does nothing on systems without socketcall(2). Returns false, with
 * errno. */
bool p3_socketcall_translate(void);

#endif
