/* The transcript: what the client and the server said, one line an event, for tests to read.
 * Every function takes a NULL log, which writes nothing. Safe to call from many threads. */
#ifndef TESTSERVER_LOG_H
#define TESTSERVER_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct log;

/* Opens (truncates) the file; "-" is standard error. NULL when that fails, with errno set. */
struct log *log_open(const char *path);

/* False when some line could not be written. */
bool log_close(struct log *log);

/* "N TEXT". */
void log_event(struct log *log, unsigned number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "N C: TEXT" or "N S: TEXT"; octets outside printable ASCII are written as escapes. */
void log_said(struct log *log, unsigned number, char who, const char *data, size_t len);

/* The same for octets that may hold several lines: one line of the transcript for each. */
void log_said_lines(struct log *log, unsigned number, char who, const char *data, size_t len);

/* Writes octets as the inside of a C string. UTF-8 and other 8-bit octets are kept in a transcript
 * (keep_8bit), where people read them, and escaped in messages, where the difference matters. */
void print_escaped(FILE *to, const char *data, size_t len, bool keep_8bit);

#endif
