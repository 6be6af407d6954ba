/* A question to the person at the terminal, whose answer nobody sees. */
#ifndef P3_CLI_PASSWORD_PROMPT_H
#define P3_CLI_PASSWORD_PROMPT_H

#include <stddef.h>
#include <sys/types.h>

/* What is returned in place of a length. */
#define P3_PASSWORD_PROMPT_NO_TERMINAL (-1)
#define P3_PASSWORD_PROMPT_INTERRUPTED (-2) /* the process was sent what the key means, too */

/* Asks "Password for NAME: ", and puts what is typed into a line, with its line end. Returns its
 * length, 0 at the end of the input. However it ends, the terminal shows again what is typed. One
 * question at a time, from any thread; after an interruption none. */
ssize_t p3_password_prompt(const char *name, char *line, size_t size);

#endif
