/* Asks the user at the terminal for a secret, without echo. */
#ifndef P3_CLI_PASSWORD_PROMPT_H
#define P3_CLI_PASSWORD_PROMPT_H

#include <stddef.h>
#include <sys/types.h>

/* Returned instead of a length. */
#define P3_PASSWORD_PROMPT_NO_TERMINAL (-1)
#define P3_PASSWORD_PROMPT_INTERRUPTED (-2) /* the process also got the key's signal */

/* Asks "Password for NAME: ", and reads a line, with its line end. Returns its length, 0 at the end
 * of the input. The terminal echoes again in any case. One question at a time, from any thread;
 * none after an interruption. */
ssize_t p3_password_prompt(const char *name, char *line, size_t size);

#endif
