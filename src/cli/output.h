/* All output of the command, for people and as JSON, goes through these functions. They let nothing
 * through that could control a terminal, whoever composed the text. The terminal is assumed to use
 * UTF-8. */
#ifndef P3_CLI_OUTPUT_H
#define P3_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Prints text without invisible and control characters, except line ends (without CR) and tabs;
 * invalid UTF-8 becomes U+FFFD. Returns whether it was written. */
__attribute__((format(printf, 2, 3))) bool p3_print(FILE *out, const char *format, ...);

/* Text in pieces, which may end within a character. Starts from {.out = ...}. */
typedef struct p3_printer {
    FILE *out;
    bool escapes; /* characters that p3_print() removes are escaped as in JSON: \u009b */
    size_t have;  /* octets of a character that the last piece split */
    char cut[4];
} p3_printer;

bool p3_printer_put(p3_printer *p, const char *text, size_t len);

/* The last piece has been printed. */
bool p3_printer_end(p3_printer *p);

/* Writes octets unchanged: a message to a file or a program. Not for terminals. */
bool p3_write_octets(FILE *out, const char *data, size_t len);

/* Erases the last lines on a terminal. */
void p3_erase_lines(FILE *out, unsigned lines);

#endif
