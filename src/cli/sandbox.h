/* The command's sandbox: before it contacts a server, the command gives up files, servers, programs
 * and system calls that it does not need. */
#ifndef P3_CLI_SANDBOX_H
#define P3_CLI_SANDBOX_H

#include "cli/sandbox_parts.h"

/* Prepares it: starts the process outside. There must be no other thread. */
void p3_sandbox_prepare(p3_sandbox *s);

/* Enters it for good, for this thread and those that it starts later. `more` are targets besides
 * those of the accounts. What the kernel does not support remains permitted, and the report says
 * so. A function for p3_sync_options.confine. */
void p3_sandbox_enter(void *sandbox, const p3_target *more, size_t count);

/* Frees what p3_sandbox_prepare() created. */
void p3_sandbox_end(p3_sandbox *s);

#endif
