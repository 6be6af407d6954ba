/* Files that people and installers provide: configuration, secrets, tables. They may be anything,
 * such as a FIFO without a writer or an endless device. */
#ifndef P3_SUPPORT_INPUT_H
#define P3_SUPPORT_INPUT_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>

#include "support/problem.h"

/* Milliseconds within which a FIFO or a device must be read completely. */
#define P3_INPUT_WAIT_MS 60000

/* The problem of a text with a NUL. */
#define P3_INPUT_NUL "there is an octet NUL: this is no text file"

typedef struct p3_input {
    char *text; /* followed by a NUL; may be secret */
    size_t len;
} p3_input;

/* The flags of open(2) for reading a file that a user names, without waiting. */
#define P3_INPUT_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

/* Opens a file for reading, without waiting. Returns -1 with errno. */
int p3_input_open(const char *path);

/* Reads it to its end, or (`line`) until it has a complete line. Returns false with errno: EFBIG
 * when it has more than `most` octets, ETIMEDOUT when it takes too long, ECANCELED when the process
 * is to end. Free the result with p3_input_free() in any case. */
bool p3_input_read(int fd, size_t most, bool line, p3_input *out);

/* The same for the path of a text that is not secret: EILSEQ when it has a NUL. */
bool p3_input_read_text(const char *path, size_t most, p3_input *out);

/* Sets the problem of a file that could not be read, from errno: `doing` is what was being done.
 * Returns false. */
bool p3_input_problem(p3_problem *why, int error, const char *doing, const char *path);

/* Wipes it. */
void p3_input_free(p3_input *input);

#endif
