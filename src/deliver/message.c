/* One message on its way from the server to a target. */
#include "deliver/message.h"
#include "deliver/line_ends.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* With larger writes the system keeps a file in larger pieces of memory, and is faster: 10 % for a
 * large message over TLS, compared with 64 KiB. */
#define P3_MESSAGE_BUFFER ((size_t)192 * 1024)

bool p3_message_init(p3_message *m, p3_delivery *d, p3_line_ends ends, p3_bodies bodies)
{
    *m = (p3_message){.delivery = d, .line_ends = ends, .bodies = bodies};
    m->buffer = malloc(P3_MESSAGE_BUFFER);
    m->hash = p3_body_hash_new();
    return m->buffer != NULL && m->hash != NULL;
}

void p3_message_free(p3_message *m)
{
    if (m->begun)
        p3_message_abandon(m);
    free(m->buffer);
    p3_body_hash_free(m->hash);
    p3_header_free(&m->header);
    *m = (p3_message){0};
}

void p3_message_begin(p3_message *m, const char *name)
{
    m->used = 0;
    m->last = '\0';
    m->held_cr = false;
    m->begun = false;
    m->name = name;
    m->left = NULL;
    m->why.exit = 0;
    p3_header_reset(&m->header);
    m->wants_body = m->ended = false;
    m->print = m->whole = m->body = (p3_fingerprint){{0}};
    if (m->delivery->class->prints)
        p3_body_hash_begin_whole(m->hash);
}

void p3_message_begin_for(p3_message *m, const char *name, const char *left)
{
    p3_message_begin(m, name);
    m->left = left;
}

/* The sender of a message, as recorded by the server that accepted it (RFC 5321 §4.4), or its
 * author; "" if it could confuse an mbox or a shell. */
static void find_sender(const p3_header *h, char *out, size_t size)
{
    size_t len = 0;
    const char *value = p3_header_field(h->data, h->len, "Return-Path", &len);
    if (value == NULL)
        value = p3_header_field(h->data, h->len, "From", &len);
    out[0] = '\0';
    if (value == NULL)
        return;
    const char *open = memchr(value, '<', len);
    const char *close = open != NULL ? memchr(open, '>', len - (size_t)(open - value)) : NULL;
    if (close != NULL) {
        value = open + 1;
        len = (size_t)(close - value);
    }
    if (len >= size)
        return;
    for (size_t i = 0; i < len; i++) {
        if (value[i] <= ' ' || value[i] == 0x7f || strchr("()<>,;:\\\"[]", value[i]) != NULL)
            return;
    }
    memcpy(out, value, len);
    out[len] = '\0';
}

static bool flush(p3_message *m)
{
    const p3_delivery_class *class = m->delivery->class;
    if (!m->begun) {
        char sender[320];
        find_sender(&m->header, sender, sizeof sender);
        m->begun = true; /* a failed message must also be abandoned */
        if (class->address != NULL)
            class->address(m->delivery, m->header.data, m->header.len, m->left);
        if (!class->begin(m->delivery, m->name, sender, &m->why))
            return false;
    }
    size_t used = m->used;
    m->used = 0;
    return used == 0 || class->write(m->delivery, m->buffer, used, &m->why);
}

/* Adds octets to the buffer, which is written when it is full. */
static bool buffer_octets(p3_message *m, const char *data, size_t len)
{
    while (len > 0) {
        size_t room = P3_MESSAGE_BUFFER - m->used;
        size_t n = len < room ? len : room;
        memcpy(m->buffer + m->used, data, n);
        m->used += n;
        data += n;
        len -= n;
        if (m->used == P3_MESSAGE_BUFFER && !flush(m))
            return false;
    }
    return true;
}

/* CRLF becomes LF; other CRs are unchanged. */
static bool take_lf(p3_message *m, const char *data, size_t len)
{
    if (len == 0)
        return true;
    if (m->held_cr && data[0] != '\n' && !buffer_octets(m, "\r", 1))
        return false;
    m->held_cr = data[len - 1] == '\r';
    len -= m->held_cr;
    while (len > 0) {
        size_t room = P3_MESSAGE_BUFFER - m->used;
        size_t n = len < room ? len : room;
        if (n < len && data[n - 1] == '\r')
            n--; /* together with the next octet */
        m->used += p3_copy_with_lf(m->buffer + m->used, data, n);
        data += n;
        len -= n;
        if ((n == 0 || m->used == P3_MESSAGE_BUFFER) && !flush(m))
            return false;
    }
    return true;
}

/* A bare LF becomes CRLF. */
static bool take_crlf(p3_message *m, const char *data, size_t len)
{
    const char *end = data + len;
    while (data < end) {
        const char *lf = memchr(data, '\n', (size_t)(end - data));
        size_t run = lf != NULL ? (size_t)(lf - data) : (size_t)(end - data);
        if (run > 0)
            m->last = data[run - 1];
        if (!buffer_octets(m, data, run))
            return false;
        data += run;
        if (lf == NULL)
            break;
        if (m->last == '\r' ? !buffer_octets(m, "\n", 1) : !buffer_octets(m, "\r\n", 2))
            return false;
        m->last = '\n';
        data++;
    }
    return true;
}

bool p3_message_add(p3_message *m, const char *text)
{
    return m->line_ends == P3_LINES_CRLF ? take_crlf(m, text, strlen(text))
                                         : buffer_octets(m, text, strlen(text));
}

/* The header is complete: decides whether the body's fingerprint is wanted. */
static void begin_body(p3_message *m)
{
    m->wants_body =
        m->bodies == P3_BODIES_ALL || !p3_header_is_distinctive(m->header.data, m->header.len);
    if (m->wants_body && !m->delivery->class->prints)
        p3_body_hash_begin(m->hash);
}

bool p3_message_take(p3_message *m, const char *data, size_t len)
{
    size_t in_header = p3_header_take(&m->header, data, len);
    if (m->bodies != P3_BODIES_NONE && in_header > 0 && m->header.done)
        begin_body(m);
    if (m->wants_body || m->delivery->class->prints)
        p3_body_hash_take(m->hash, data, len, in_header);
    return m->line_ends == P3_LINES_CRLF ? take_crlf(m, data, len) : take_lf(m, data, len);
}

void p3_message_end(p3_message *m)
{
    if (m->ended)
        return;
    m->ended = true;
    if (m->bodies != P3_BODIES_NONE &&
        !m->header.done) /* it has no body, which is a fingerprint as well */
        begin_body(m);
    if (!m->wants_body && !m->delivery->class->prints)
        return;
    bool is_small = p3_body_hash_is_small(m->hash);
    m->print = p3_fingerprint_of(m->header.data, m->header.len);
    m->whole = p3_body_hash_end(m->hash);
    if (m->wants_body && is_small)
        m->body = m->whole;
}

bool p3_message_finish(p3_message *m, p3_parcel *out)
{
    p3_message_end(m);
    out->header = m->print;
    out->body = m->whole;
    out->kept = m->body;
    if (m->header.failed) /* it identifies this message later */
        return p3_problem_set(&m->why, EX_OSERR, "out of memory for a header");
    if (m->held_cr && !buffer_octets(m, "\r", 1))
        return false;
    m->held_cr = false;
    if (!flush(m) || !m->delivery->class->finish(m->delivery, out, &m->why))
        return false;
    m->begun = false;
    return true;
}

void p3_message_abandon(p3_message *m)
{
    if (m->begun)
        m->delivery->class->abandon(m->delivery);
    m->begun = false;
    m->used = 0;
    m->held_cr = false;
}
