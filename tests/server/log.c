/* The transcript: what the client and the server said, one line an event, for tests to read.
 * The stream is line buffered, so that a test sees a line as soon as it is complete. */
#define _POSIX_C_SOURCE 200809L
#include "log.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct log {
    FILE *stream;
};

struct log *log_open(const char *path)
{
    struct log *log = malloc(sizeof *log);
    if (log == NULL) {
        return NULL;
    }
    log->stream = strcmp(path, "-") == 0 ? stderr : fopen(path, "we");
    if (log->stream == NULL || setvbuf(log->stream, NULL, _IOLBF, BUFSIZ) != 0) {
        free(log);
        return NULL;
    }
    return log;
}

bool log_close(struct log *log)
{
    if (log == NULL) {
        return true;
    }
    bool ok = ferror(log->stream) == 0;
    if (log->stream != stderr && fclose(log->stream) != 0) {
        ok = false;
    }
    free(log);
    return ok;
}

void log_event(struct log *log, unsigned number, const char *format, ...)
{
    if (log == NULL) {
        return;
    }
    va_list args;
    va_start(args, format);
    flockfile(log->stream);
    (void)fprintf(log->stream, "%u ", number); /* a failure stays in ferror() until log_close() */
    (void)vfprintf(log->stream, format, args);
    (void)putc_unlocked('\n', log->stream);
    funlockfile(log->stream);
    va_end(args);
}

void log_said(struct log *log, unsigned number, char who, const char *data, size_t len)
{
    if (log == NULL) {
        return;
    }
    flockfile(log->stream);
    (void)fprintf(log->stream, "%u %c: ", number, who);
    print_escaped(log->stream, data, len, true);
    (void)putc_unlocked('\n', log->stream);
    funlockfile(log->stream);
}

void log_said_lines(struct log *log, unsigned number, char who, const char *data, size_t len)
{
    if (log == NULL) {
        return;
    }
    const char *end = data + len;
    while (data < end) {
        const char *stop = data;
        while (stop < end && !(*stop == '\r' && stop + 1 < end && stop[1] == '\n')) {
            stop++;
        }
        log_said(log, number, who, data, (size_t)(stop - data));
        data = stop < end ? stop + 2 : end;
    }
}

void print_escaped(FILE *to, const char *data, size_t len, bool keep_8bit)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '\r') {
            (void)fputs("\\r", to);
        } else if (c == '\n') {
            (void)fputs("\\n", to);
        } else if (c == '\t') {
            (void)fputs("\\t", to);
        } else if (c == '\\' || (c == '"' && !keep_8bit)) {
            (void)fprintf(to, "\\%c", c);
        } else if (c < 0x20 || c == 0x7F || (c >= 0x80 && !keep_8bit)) {
            (void)fprintf(to, "\\x%02X", c);
        } else {
            (void)putc(c, to);
        }
    }
}
