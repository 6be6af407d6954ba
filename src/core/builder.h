/* The command builder: checks arguments before anything is queued, and renders command lines. */
#ifndef P3_CORE_BUILDER_H
#define P3_CORE_BUILDER_H

#include <pop3/engine.h>

#include "core/output.h"
#include "core/queue.h"

/* Copies a program's command, whose struct may be of another version, into ours, and checks it.
 * POP3_OK or POP3_ERR_ARGUMENT. */
pop3_status p3_command_import(pop3_command *command, const pop3_command *from);

/* Makes the queue's copy of a checked command. POP3_OK or POP3_ERR_MEMORY. */
pop3_status p3_command_copy(p3_queued *out, const pop3_command *command);

/* Whether s may answer a challenge: base64 characters, or "*" alone, and not too long. */
bool p3_response_ok(pop3_str s);

/* Appends the command line with its end to the output. False when out of memory. *line is the line
 * without its end, for a trace; *public_len the length of its part that is not secret. */
bool p3_command_render(p3_output *out, const p3_queued *command, pop3_str *line,
                       size_t *public_len);

#endif
