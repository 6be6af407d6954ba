/* The octets of a connection to an IMAP server. */
#include "deliver/imap_wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deliver/wire.h"
#include "support/clock.h"

/* Milliseconds until the peer must accept some octets. */
#define P3_SEND_MS (5 * 60 * 1000)

/* The most octets of one response. */
#define P3_RESPONSE_MOST ((size_t)1024 * 1024)

struct p3_imap_wire {
    p3_wire *wire;
    p3_wire_input in;
    size_t out_used;
    char out[32 * 1024];
};

static const p3_wire_protocol protocol = {.name = "IMAP",
                                          .scheme = "imap",
                                          .starttls = "imap://",
                                          .setting = "imap-",
                                          .tries = {" AUTHENTICATE ", " LOGIN "},
                                          .later = "[UNAVAILABLE]",
                                          .has_tag = true,
                                          .passwords = "AUTH=PLAIN;AUTH=SCRAM-SHA-256"};

p3_imap_wire *p3_imap_wire_open(const p3_imap_address *to, const p3_imap_options *options,
                                p3_problem *why)
{
    p3_imap_wire *w = malloc(sizeof *w);
    if (w == NULL) {
        p3_problem_memory(why);
        return NULL;
    }
    w->in.at = w->in.used = w->out_used = 0;
    w->wire = p3_wire_log_in(&to->at, &options->server, &protocol, why);
    if (w->wire != NULL)
        return w;
    free(w);
    return NULL;
}

void p3_imap_wire_close(p3_imap_wire *w)
{
    if (w == NULL)
        return;
    p3_wire_close(w->wire);
    free(w);
}

/* ---- octets ---- */

bool p3_imap_flush(p3_imap_wire *w)
{
    size_t used = w->out_used;
    w->out_used = 0;
    return p3_wire_send(w->wire, w->out, used, p3_clock_ms() + P3_SEND_MS);
}

bool p3_imap_put(p3_imap_wire *w, const char *data, size_t len)
{
    while (len > 0) {
        size_t n = sizeof w->out - w->out_used < len ? sizeof w->out - w->out_used : len;
        memcpy(w->out + w->out_used, data, n);
        w->out_used += n;
        data += n;
        len -= n;
        if (w->out_used == sizeof w->out && !p3_imap_flush(w))
            return false;
    }
    return true;
}

/* ---- responses ---- */

/* The kept part of a response. */
typedef struct p3_gathered {
    p3_imap_response *r;
    size_t kept;
    size_t all;
} p3_gathered;

static bool gather_octet(p3_gathered *g, int c)
{
    if (c < 0)
        return false;
    if (++g->all > P3_RESPONSE_MOST) {
        errno = EPROTO;
        return false;
    }
    if (g->kept + 1 < P3_RESPONSE_TEXT)
        g->r->text[g->kept++] = c != '\0' ? (char)c : ' ';
    else
        g->r->is_cut = true;
    return true;
}

/* Reads a line up to its LF. `*literal` is the size of a literal that follows: {N}; -1: none. */
static bool read_line(p3_imap_wire *w, p3_gathered *g, int64_t *literal, int64_t until)
{
    int64_t number = -1; /* in braces that may end the line */
    bool closed = false;
    for (;;) {
        int c = p3_wire_octet(w->wire, &w->in, until);
        if (!gather_octet(g, c))
            return false;
        if (c == '\n')
            break;
        if (c == '{' && !closed) {
            number = 0;
        } else if (c >= '0' && c <= '9' && number >= 0 && !closed) {
            number = number * 10 + (c - '0');
            if (number > (int64_t)P3_RESPONSE_MOST)
                number = (int64_t)P3_RESPONSE_MOST + 1; /* gather() rejects it */
        } else if (c == '}' && number >= 0 && !closed) {
            closed = true;
        } else if (c != '\r' || !closed) {
            number = c == '{' ? 0 : -1;
            closed = false;
        }
    }
    *literal = closed ? number : -1;
    return true;
}

/* Removes the tag. False when it is none of ours. */
static bool take_tag(p3_imap_response *r)
{
    char *at = r->text;
    char *end = NULL;
    if (at[0] == '*' && at[1] == ' ') {
        r->kind = P3_IMAP_UNTAGGED;
        end = at + 1;
    } else if (at[0] == '+') {
        r->kind = P3_IMAP_CONTINUE;
        end = at + (at[1] == ' ');
    } else if (at[0] == 'p' && at[1] >= '0' && at[1] <= '9') {
        r->kind = P3_IMAP_TAGGED;
        r->tag = (unsigned)strtoul(at + 1, &end, 10);
        if (*end != ' ')
            return false;
    } else {
        return false;
    }
    memmove(at, end + 1, strlen(end + 1) + 1);
    return true;
}

bool p3_imap_read(p3_imap_wire *w, p3_imap_response *r, int64_t until)
{
    p3_gathered g = {.r = r};
    int64_t literal;
    r->is_cut = false;
    do {
        if (!read_line(w, &g, &literal, until))
            return false;
        for (int64_t i = 0; i < literal; i++) {
            if (!gather_octet(&g, p3_wire_octet(w->wire, &w->in, until)))
                return false;
        }
    } while (literal >= 0);
    r->text[g.kept] = '\0';
    while (g.kept > 0 && (r->text[g.kept - 1] == '\n' || r->text[g.kept - 1] == '\r'))
        r->text[--g.kept] = '\0';
    if (take_tag(r)) {
        if (strncmp(r->text, "NO", 2) == 0 || strncmp(r->text, "B", 1) == 0) /* BAD, BYE */
            p3_wire_hide(w->wire, r->text);
        return true;
    }
    errno = EPROTO;
    return false;
}
