/* How a session talks: the words of a command line, replies, and lines from the client. */
#define _POSIX_C_SOURCE 200809L
#include "session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- words ---- */

bool span_is(struct span span, const char *word)
{
    return span.n == strlen(word) && strncasecmp(span.p, word, span.n) == 0;
}

struct span span_word(struct span *rest)
{
    const char *space = memchr(rest->p, ' ', rest->n);
    struct span word = {rest->p, space != NULL ? (size_t)(space - rest->p) : rest->n};
    size_t taken = space != NULL ? word.n + 1 : word.n;
    rest->p += taken;
    rest->n -= taken;
    return word;
}

/* ---- replies ---- */

bool session_io(struct session *s, enum io result)
{
    if (result != IO_OK) {
        s->over = true;
        s->stopped = s->stopped || result == IO_STOPPED;
    }
    return result == IO_OK;
}

static void put_line(struct session *s, const char *text, size_t len)
{
    s->errors += len >= 4 && memcmp(text, "-ERR", 4) == 0;
    log_said(s->conn->log, s->conn->number, 'S', text, len);
    if (session_io(s, conn_put(s->conn, text, len))) {
        (void)session_io(s, conn_put(s->conn, "\r\n", 2));
    }
}

/* What options want done before the first line of a reply. */
static void begin_reply(struct session *s)
{
    const struct options *options = &s->server->options;
    if (options->delay > 0) {
        (void)session_io(s, conn_delay(s->conn, options->delay));
    }
    if (options->no_pipelining || options->discard_pipelined) {
        conn_discard(s->conn);
    }
}

void reply_text(struct session *s, const char *status, const char *text)
{
    begin_reply(s);
    size_t status_len = strlen(status);
    size_t text_len = strlen(text);
    char *line = malloc(status_len + 1 + text_len);
    if (line == NULL) {
        s->over = true;
        return;
    }
    memcpy(line, status, status_len);
    line[status_len] = ' ';
    memcpy(line + status_len + 1, text, text_len);
    put_line(s, line, text_len > 0 ? status_len + 1 + text_len : status_len);
    free(line);
}

void reply_text_line(struct session *s, const char *text)
{
    if (!s->over) {
        put_line(s, text, strlen(text));
    }
}

/* Every format used keeps its line well under this. */
enum { REPLY_MAX = 512 };

void reply(struct session *s, const char *format, ...)
{
    char line[REPLY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    begin_reply(s);
    put_line(s, line, strlen(line));
}

void reply_line(struct session *s, const char *format, ...)
{
    char line[REPLY_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    reply_text_line(s, line);
}

void reply_end(struct session *s)
{
    reply_line(s, ".");
}

/* ---- lines ---- */

bool session_line(struct session *s, struct span *line)
{
    char *p = NULL;
    size_t len = 0;
    enum io result = conn_line(s->conn, &p, &len);
    if (result == IO_TOO_LONG) {
        conn_discard(s->conn);
        reply(s, "-ERR line too long");
        s->over = true;
        return false;
    }
    if (!session_io(s, result)) {
        return false;
    }
    if (len > 0 && p[len - 1] == '\r') {
        len--;
        log_said(s->conn->log, s->conn->number, 'C', p, len);
    } else {
        log_said(s->conn->log, s->conn->number, 'C', p, len + 1); /* show that the CR is missing */
    }
    line->p = p;
    line->n = len;
    return true;
}
