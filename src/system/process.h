/* What a process asks of the system about itself. Each returns whether the system does it. */
#ifndef P3_SYSTEM_PROCESS_H
#define P3_SYSTEM_PROCESS_H

#include <stdbool.h>

/* No core is made of it, and other processes of the user can neither trace it nor read its memory.
 * Programs that it runs are not affected. */
bool p3_process_hide(void);

/* It is killed when the process that forked it ends. */
bool p3_process_end_with_parent(void);

/* No program that it runs gains rights by that: what giving rights up asks for. */
bool p3_process_gain_no_rights(void);

#endif
