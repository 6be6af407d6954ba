/* The statements of a script that only produce octets.
 * Nothing is built in memory: a statement may send gigabytes. */
#define _POSIX_C_SOURCE 200809L
#include "script_send.h"
#include "message.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 16384 };

static enum io put_text(struct conn *c, const struct text *text)
{
    log_said_lines(c->log, c->number, 'S', text->data, text->len);
    return conn_put(c, text->data, text->len);
}

static enum io put_lines(struct conn *c, const struct text *texts, size_t n)
{
    enum io result = IO_OK;
    for (size_t i = 0; i < n && result == IO_OK; i++) {
        log_said(c->log, c->number, 'S', texts[i].data, texts[i].len);
        result = conn_put(c, texts[i].data, texts[i].len);
        if (result == IO_OK) {
            result = conn_put(c, "\r\n", 2);
        }
    }
    return result;
}

static enum io put_capa(struct conn *c, const struct statement *st)
{
    char ok[] = "+OK capability list follows";
    char dot[] = ".";
    enum io result = put_lines(c, &(struct text){ok, sizeof ok - 1}, 1);
    if (result == IO_OK) {
        result = put_lines(c, st->texts, st->n_texts);
    }
    return result == IO_OK ? put_lines(c, &(struct text){dot, 1}, 1) : result;
}

static enum io put_file(const struct script *script, struct conn *c, const struct statement *st)
{
    const char *path = st->texts[0].data;
    uint64_t octets = 0;
    enum io result = IO_FAILED;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && st->kind == DO_RAW) {
        result = message_send_raw(c, fd, &octets);
        log_event(c->log, c->number, "S: <raw %" PRIu64 " octets>", octets);
    } else if (fd >= 0) {
        enum line_ends ends = st->n_texts > 1 ? ENDS_CRLF : ENDS_KEEP;
        result = message_send(c, fd, ends, WHOLE_MESSAGE, &octets);
        log_event(c->log, c->number, "S: <body %" PRIu64 " octets>", octets);
        if (result == IO_OK) {
            char dot[] = ".";
            result = put_lines(c, &(struct text){dot, 1}, 1);
        }
    }
    if (result == IO_FAILED) {
        script_complain(script->name, st->line, "%s: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        (void)close(fd); /* it was only read */
    }
    return result;
}

static enum io put_fill(struct conn *c, const struct statement *st)
{
    const struct text *text = &st->texts[0];
    uint64_t left = st->numbers[0];
    enum io result = IO_OK;
    log_event(c->log, c->number, "S: <fill %" PRIu64 " octets>", left * text->len);
    char block[BLOCK];
    if (text->len > BLOCK / 2 || text->len == 0) {
        for (; left > 0 && text->len > 0 && result == IO_OK; left--) {
            result = conn_put(c, text->data, text->len);
        }
        return result;
    }
    size_t in_block = BLOCK / text->len; /* short strings go out many at a time */
    for (size_t i = 0; i < in_block; i++) {
        memcpy(block + i * text->len, text->data, text->len);
    }
    while (left > 0 && result == IO_OK) {
        size_t n = left < in_block ? (size_t)left : in_block;
        result = conn_put(c, block, n * text->len);
        left -= n;
    }
    return result;
}

/* Marsaglia's xorshift64 (13, 7, 17); each state gives its eight octets, the lowest first. */
static enum io put_random(struct conn *c, const struct statement *st)
{
    uint64_t left = st->numbers[0];
    uint64_t state = st->numbers[1] != 0 ? st->numbers[1] : 1; /* 0 would stay 0 */
    enum io result = IO_OK;
    log_event(c->log, c->number, "S: <random %" PRIu64 " octets>", left);
    while (left > 0 && result == IO_OK) {
        char block[BLOCK];
        for (size_t i = 0; i < BLOCK; i += 8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            for (unsigned k = 0; k < 8; k++) {
                block[i + k] = (char)(unsigned char)(state >> (8 * k) & 0xFF);
            }
        }
        size_t n = left < BLOCK ? (size_t)left : BLOCK;
        result = conn_put(c, block, n);
        left -= n;
    }
    return result;
}

/* One line, with the number for each %d. */
static enum io put_number(struct conn *c, const struct text *format, const char *digits)
{
    enum io result = IO_OK;
    size_t from = 0;
    for (size_t i = 0; i + 1 < format->len && result == IO_OK; i++) {
        if (format->data[i] != '%') {
            continue;
        }
        bool number = format->data[i + 1] == 'd';
        result = conn_put(c, format->data + from, i - from + (number ? 0 : 1));
        if (number && result == IO_OK) {
            result = conn_put(c, digits, strlen(digits));
        }
        from = i + 2;
        i++;
    }
    if (result == IO_OK) {
        result = conn_put(c, format->data + from, format->len - from);
    }
    return result == IO_OK ? conn_put(c, "\r\n", 2) : result;
}

static enum io put_numbers(struct conn *c, const struct statement *st)
{
    uint64_t from = st->numbers[0];
    uint64_t to = st->numbers[1];
    enum io result = IO_OK;
    log_event(c->log, c->number, "S: <numbers %" PRIu64 " to %" PRIu64 ">", from, to);
    for (uint64_t n = from; n <= to && result == IO_OK; n++) {
        char digits[24];
        (void)snprintf(digits, sizeof digits, "%" PRIu64, n);
        result = put_number(c, &st->texts[0], digits);
    }
    return result;
}

enum io script_send(const struct script *script, const struct statement *st, struct conn *conn)
{
    switch (st->kind) {
    case DO_SEND:
        return put_text(conn, &st->texts[0]);
    case DO_LINE:
        return put_lines(conn, st->texts, st->n_texts);
    case DO_BODY:
    case DO_RAW:
        return put_file(script, conn, st);
    case DO_FILL:
        return put_fill(conn, st);
    case DO_RANDOM:
        return put_random(conn, st);
    case DO_NUMBERS:
        return put_numbers(conn, st);
    case DO_CAPA:
        return put_capa(conn, st);
    default:
        return IO_OK;
    }
}
