/* What the command gives up before it speaks to a server: opening other files than it needs,
 * connecting elsewhere, running programs, and system calls that it has no use for. */
#ifndef P3_CLI_SANDBOX_H
#define P3_CLI_SANDBOX_H

#include "cli/sandbox_parts.h"

/* Prepares it: the process that runs commands for us is started. There must
 * be no other thread. */
void p3_sandbox_prepare(p3_sandbox *s);

/* Enters it, for good: for this thread and those that it will start. `more` are targets of
 * deliveries beside those of the accounts. What the kernel does not know stays allowed, and the
 * report says so. Fits p3_sync_options.confine. */
void p3_sandbox_enter(void *sandbox, const p3_target *more, size_t count);

/* Lets go of what p3_sandbox_prepare() took. */
void p3_sandbox_end(p3_sandbox *s);

#endif
