/* Properties of this process. Each function returns whether the system supports it. */
#ifndef P3_SYSTEM_PROCESS_H
#define P3_SYSTEM_PROCESS_H

#include <stdbool.h>

/* It leaves no core file, and other processes of the user cannot trace it or read its memory.
 * Programs that it starts are not affected. */
bool p3_process_hide(void);

/* It is killed when its parent ends. */
bool p3_process_end_with_parent(void);

/* Programs that it starts gain no rights, as giving up rights requires. */
bool p3_process_gain_no_rights(void);

#endif
