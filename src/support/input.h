/* Files that people and installers give: configuration, secrets, tables. What stands there may be
 * anything: a FIFO that nobody writes, a device without end. */
#ifndef P3_SUPPORT_INPUT_H
#define P3_SUPPORT_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "support/problem.h"

/* Milliseconds that a FIFO or a device may take until all of it has come. */
#define P3_INPUT_WAIT_MS 60000

/* What a problem says of a text with an octet NUL. */
#define P3_INPUT_NUL "there is an octet NUL: this is no text file"

typedef struct p3_input {
    char *text; /* a NUL follows it; what is in it may be secret */
    size_t len;
} p3_input;

/* Opens a file to read, without waiting for anybody. Returns -1 with errno. */
int p3_input_open(const char *path);

/* Reads it to its end, or (`line`) until there is the end of a line in it. Returns false with
 * errno: EFBIG when it has more than `most` octets, ETIMEDOUT when it takes too long, ECANCELED
 * when the end of the process is asked for. Free what came with p3_input_free(), also then. */
bool p3_input_read(int fd, size_t most, bool line, p3_input *out);

/* The same by a name, of a text that is no secret: EILSEQ when it has an octet NUL. */
bool p3_input_read_text(const char *path, size_t most, p3_input *out);

/* Says why a file could not be read, after errno: `doing` is what was being done. Returns false. */
bool p3_input_problem(p3_problem *why, int error, const char *doing, const char *path);

/* Wipes it. */
void p3_input_free(p3_input *input);

#endif
