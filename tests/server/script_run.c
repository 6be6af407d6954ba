/* Plays a script over one connection, and says on standard error what was expected and did not
 * come. The statements that only produce octets are in script_send.c. */
#define _POSIX_C_SOURCE 200809L
#include "script.h"
#include "script_send.h"
#include "server.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum run {
    RUN_ON,
    RUN_LOOP_OVER, /* the client went at the beginning of an iteration */
    RUN_OVER,      /* the script closed the connection */
    RUN_FAILED,
    RUN_STOPPED, /* the server was told to stop */
};

struct player {
    const struct script *script;
    struct server *server;
    struct conn *conn;
    unsigned loops;               /* how many LOOPs we are in */
    bool iteration_fresh;         /* nothing was read yet in this iteration of the innermost one */
    const struct statement *cuts; /* the split-at for the next statement that sends, or NULL */
    size_t played;                /* statements before this one have been played: their ONs count */
    struct session *session;      /* inside of an ON: the session, and the command line */
    struct span line;
    enum run on_result; /* how the last ON ended */
};

/* ---- expectations ---- */

static void unmet(const struct player *p, const struct statement *st, const char *expected,
                  const struct text *text, const char *got, size_t got_len)
{
    flockfile(stderr);
    (void)fprintf(stderr, "script %s:%u: expected %s", p->script->name, st->line, expected);
    if (text != NULL) {
        (void)fputc('"', stderr);
        print_escaped(stderr, text->data, text->len, false);
        (void)fputc('"', stderr);
    }
    if (got == NULL) {
        (void)fputs(", got the end of the connection\n", stderr);
    } else {
        (void)fputs(", got \"", stderr);
        print_escaped(stderr, got, got_len, false);
        (void)fputs("\"\n", stderr);
    }
    funlockfile(stderr);
}

/* Reads one line and compares it. */
static enum run expect_line(struct player *p, const struct statement *st)
{
    static const char *const names[] = {
        [DO_EXPECT] = "", [DO_EXPECT_PREFIX] = "a line that begins ", [DO_EXPECT_ANY] = "any line"};
    const struct text *text = st->n_texts > 0 ? &st->texts[0] : NULL;
    char *line = NULL;
    size_t len = 0;
    enum io result = conn_line(p->conn, &line, &len);
    bool fresh = p->iteration_fresh;
    p->iteration_fresh = false;
    switch (result) {
    case IO_OK:
        break;
    case IO_STOPPED:
        return RUN_STOPPED;
    case IO_TOO_LONG:
        unmet(p, st, names[st->kind], text, "a line too long", 15);
        return RUN_FAILED;
    default:
        line = NULL;
        if (conn_pending(p->conn, &len) != NULL && len > 0) {
            /* The client's last octets, without a line end: no line, but worth showing. */
            unmet(p, st, names[st->kind], text, conn_pending(p->conn, &len), len);
            return RUN_FAILED;
        }
        if (p->loops > 0 && fresh) {
            return RUN_LOOP_OVER;
        }
        unmet(p, st, names[st->kind], text, NULL, 0);
        return RUN_FAILED;
    }
    /* A line that ends in LF alone is wrong from a client: its LF stays, and compares unequal. */
    len = len > 0 && line[len - 1] == '\r' ? len - 1 : len + 1;
    log_said(p->conn->log, p->conn->number, 'C', line, len);
    bool met = st->kind == DO_EXPECT_ANY ||
               (len >= text->len && memcmp(line, text->data, text->len) == 0 &&
                (st->kind == DO_EXPECT_PREFIX || len == text->len));
    if (!met) {
        unmet(p, st, names[st->kind], text, line, len);
    }
    return met ? RUN_ON : RUN_FAILED;
}

/* Waits for the client's close, or that nothing comes. */
static enum run expect_nothing(struct player *p, const struct statement *st)
{
    bool silence = st->kind == DO_EXPECT_SILENCE;
    p->iteration_fresh = false;
    enum io result = conn_await(p->conn, silence ? (int)st->numbers[0] : -1);
    size_t len = 0;
    const char *pending = conn_pending(p->conn, &len);
    switch (result) {
    case IO_OK:
        unmet(p, st, silence ? "silence" : "the end of the connection", NULL, pending, len);
        return RUN_FAILED;
    case IO_STOPPED:
        return RUN_STOPPED;
    case IO_TIMEOUT:
        return RUN_ON;
    default:
        break;
    }
    /* For silence the end of the connection counts too: nothing will come. */
    return p->loops > 0 ? RUN_LOOP_OVER : RUN_ON;
}

/* ---- the other statements ---- */

static enum run start_tls(struct player *p, const struct statement *st)
{
    struct tls_context *context = st->tls != NULL ? st->tls : p->server->tls;
    switch (conn_start_tls(p->conn, context)) {
    case IO_OK:
        return RUN_ON;
    case IO_STOPPED:
        return RUN_STOPPED;
    default:
        break;
    }
    if (st->kind == DO_TLS_MAY_FAIL) {
        return RUN_OVER;
    }
    script_complain(p->script->name, st->line, "the TLS handshake failed");
    return RUN_FAILED;
}

static enum run play_range(struct player *p, size_t from, size_t to);

/* Plays the statements of an ON in place of the answer to a command line. */
static void play_on(struct player *p, struct session *s, struct span line, size_t at)
{
    unsigned loops = p->loops;
    char *copy = malloc(line.n + 1); /* the line goes with the next read */
    if (copy == NULL) {
        p->on_result = RUN_FAILED;
        s->over = true;
        return;
    }
    memcpy(copy, line.p, line.n);
    p->session = s;
    p->line = (struct span){copy, line.n};
    p->loops = 0;
    p->on_result = play_range(p, at + 1, p->script->statements[at].end);
    p->loops = loops;
    p->session = NULL;
    s->over = s->over || p->on_result != RUN_ON;
    s->stopped = s->stopped || p->on_result == RUN_STOPPED;
    free(copy);
}

/* The last ON for a command line counts. */
static bool override(void *ctx, struct session *s, struct span line)
{
    struct player *p = ctx;
    for (size_t i = p->played; i > 0; i--) {
        const struct statement *st = &p->script->statements[i - 1];
        if (st->kind == DO_ON && names_line(st->texts[0].data, st->texts[0].len, line)) {
            play_on(p, s, line, i - 1);
            return true;
        }
    }
    return false;
}

static enum run serve(struct player *p, const struct statement *st)
{
    const struct session_override own = {.run = override, .ctx = p};
    enum session_start start = p->conn->sent == 0 ? START_GREETING : START_SILENT;
    if (st->n_texts > 0) {
        start = START_TRANSACTION;
    }
    p->iteration_fresh = false;
    p->played = (size_t)(st - p->script->statements);
    p->on_result = RUN_ON;
    if (session_run(p->server, p->conn, start, &own) == IO_STOPPED) {
        return RUN_STOPPED;
    }
    return p->on_result;
}

/* The ordinary answer, inside of an ON. */
static enum run answer(struct player *p)
{
    session_answer(p->session, p->line);
    if (p->session->stopped) {
        return RUN_STOPPED;
    }
    (void)conn_flush(p->conn); /* only an expectation minds that the client has gone */
    return RUN_ON;
}

/* A statement that sends: all of it leaves before the next one begins. */
static enum run send_octets(struct player *p, const struct statement *st)
{
    conn_mark(p->conn, p->cuts != NULL ? p->cuts->numbers : NULL,
              p->cuts != NULL ? p->cuts->n_numbers : 0);
    enum io result = script_send(p->script, st, p->conn);
    if (result == IO_OK) {
        result = conn_flush(p->conn);
    }
    conn_mark(p->conn, NULL, 0);
    p->cuts = NULL;
    switch (result) {
    case IO_STOPPED:
        return RUN_STOPPED;
    case IO_FAILED:
        return RUN_FAILED;
    default:
        return RUN_ON; /* IO_EOF: only an expectation minds that the client has gone */
    }
}

static enum run play(struct player *p, const struct statement *st)
{
    struct conn *c = p->conn;
    switch (st->kind) {
    case DO_SEND:
    case DO_LINE:
    case DO_BODY:
    case DO_RAW:
    case DO_FILL:
    case DO_RANDOM:
    case DO_NUMBERS:
    case DO_CAPA:
        return send_octets(p, st);
    case DO_EXPECT:
    case DO_EXPECT_PREFIX:
    case DO_EXPECT_ANY:
        return expect_line(p, st);
    case DO_EXPECT_EOF:
    case DO_EXPECT_SILENCE:
        return expect_nothing(p, st);
    case DO_SPLIT:
        c->split = (size_t)st->numbers[0];
        return RUN_ON;
    case DO_SPLIT_AT:
        p->cuts = st;
        return RUN_ON;
    case DO_DELAY:
        return conn_delay(c, (unsigned)st->numbers[0]) == IO_STOPPED ? RUN_STOPPED : RUN_ON;
    case DO_DELAY_EACH:
        c->piece_delay = (unsigned)st->numbers[0];
        return RUN_ON;
    case DO_TLS:
    case DO_TLS_MAY_FAIL:
        return start_tls(p, st);
    case DO_CLOSE:
        conn_close(c, CLOSE_TCP);
        return RUN_OVER;
    case DO_RESET:
        conn_close(c, CLOSE_RESET);
        return RUN_OVER;
    case DO_SHUTDOWN:
        conn_shutdown(c);
        return RUN_ON;
    case DO_CLOSE_NOTIFY:
        conn_close_notify(c);
        return RUN_ON;
    case DO_SERVE:
        return serve(p, st);
    case DO_ANSWER:
        return answer(p);
    case DO_REPEAT:
    case DO_LOOP:
    case DO_ON:
    case DO_END:
        break; /* play_range() */
    }
    return RUN_ON;
}

static enum run play_block(struct player *p, size_t at)
{
    const struct statement *st = &p->script->statements[at];
    enum run result = RUN_ON;
    if (st->kind == DO_REPEAT) {
        for (uint64_t i = 0; i < st->numbers[0] && result == RUN_ON; i++) {
            result = play_range(p, at + 1, st->end);
        }
        return result;
    }
    p->loops++;
    while (result == RUN_ON && !p->conn->gone && !p->conn->eof) {
        uint64_t sent = p->conn->sent;
        p->iteration_fresh = true;
        result = play_range(p, at + 1, st->end);
        if (result == RUN_ON && p->iteration_fresh && p->conn->sent == sent && !p->conn->gone &&
            !p->conn->eof) {
            script_complain(p->script->name, st->line, "an iteration of the loop did nothing");
            result = RUN_FAILED;
        }
    }
    p->loops--;
    p->iteration_fresh = true;
    return result == RUN_LOOP_OVER ? RUN_ON : result;
}

static enum run play_range(struct player *p, size_t from, size_t to)
{
    enum run result = RUN_ON;
    for (size_t at = from; at < to && result == RUN_ON; at++) {
        const struct statement *st = &p->script->statements[at];
        if (st->kind == DO_REPEAT || st->kind == DO_LOOP) {
            result = play_block(p, at);
            at = st->end;
        } else if (st->kind == DO_ON) {
            at = st->end; /* serve will look for it */
        } else {
            result = play(p, st);
        }
    }
    return result;
}

bool script_run(const struct script *script, struct server *server, struct conn *conn)
{
    struct player p = {.script = script, .server = server, .conn = conn};
    enum run result = play_range(&p, 0, script->n);
    /* Cuts point into the script, which may be freed before the connection. */
    conn_mark(conn, NULL, 0);
    return result == RUN_ON || result == RUN_OVER;
}
