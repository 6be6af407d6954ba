/* The one way out: all that the command says to people, and to programs as JSON, goes through here.
 * What could command a terminal does not get through, whoever composed the text. The terminal is
 * taken for one of UTF-8. */
#ifndef P3_CLI_OUTPUT_H
#define P3_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Prints text without the control characters in it, but for line ends (CR goes) and tabs, and
 * without what is invisible; what is not UTF-8 becomes U+FFFD. Returns whether it was written. */
__attribute__((format(printf, 2, 3))) bool p3_print(FILE *out, const char *format, ...);

/* Text that comes in pieces, which may end within a character. Starts from {.out = ...}. */
typedef struct p3_printer {
    FILE *out;
    bool escapes; /* what p3_print() leaves out is written as JSON does: \u009b */
    size_t have;  /* octets of a character that the last piece cut */
    char cut[4];
} p3_printer;

bool p3_printer_put(p3_printer *p, const char *text, size_t len);

/* There are no more pieces. */
bool p3_printer_end(p3_printer *p);

/* Writes octets as they are: a message into a file or to a program. Not for terminals. */
bool p3_write_octets(FILE *out, const char *data, size_t len);

/* Takes the last lines of a terminal away. */
void p3_erase_lines(FILE *out, unsigned lines);

#endif
