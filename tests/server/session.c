/* The POP3 session: greeting, the table of commands, and those that need no message.
 * What options make it refuse or leave out is here too. */
#define _POSIX_C_SOURCE 200809L
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum states {
    AUTHORIZATION = 1,
    TRANSACTION = 2,
    ANY_STATE = AUTHORIZATION | TRANSACTION,
};

void session_enter(struct session *s)
{
    if (s->server->options.mail != NULL &&
        !maildrop_read(&s->drop, s->server->options.mail, &s->server->memory)) {
        reply(s, "-ERR [SYS/TEMP] the maildrop cannot be read: %s", strerror(errno));
        return;
    }
    s->transaction = true;
    reply(s, "+OK logged in, %zu messages", s->drop.n);
}

/* ---- capabilities ---- */

static bool has_name(const char *line, const char *name)
{
    size_t len = strlen(name);
    return strncasecmp(line, name, len) == 0 && (line[len] == ' ' || line[len] == '\0');
}

static void capability(struct session *s, const char *line)
{
    const struct words *hidden = &s->server->options.no_capa;
    for (size_t i = 0; i < hidden->n; i++) {
        if (has_name(line, hidden->v[i])) {
            return;
        }
    }
    reply_text_line(s, line);
}

static void cmd_capa(struct session *s, struct span args)
{
    (void)args;
    const struct options *options = &s->server->options;
    if (s->transaction && options->late_capa != LATE_CAPA_ANSWER) {
        if (options->late_capa == LATE_CAPA_REFUSE) {
            reply(s, "-ERR not now");
        }
        s->over = true;
        return;
    }
    reply(s, "+OK capability list follows");
    capability(s, "TOP");
    capability(s, "UIDL");
    capability(s, "USER");
    capability(s, "RESP-CODES");
    capability(s, "AUTH-RESP-CODE");
    if (!options->no_pipelining) {
        capability(s, "PIPELINING");
    }
    capability(s, "EXPIRE NEVER");
    capability(s, "SASL PLAIN LOGIN");
    if (s->server->tls != NULL && s->conn->tls == NULL && !s->transaction) {
        capability(s, "STLS");
    }
    capability(s, "UTF8 USER");
    capability(s, "LANG");
    capability(s, "IMPLEMENTATION pop3-testserver");
    for (size_t i = 0; i < options->capa.n; i++) {
        capability(s, options->capa.v[i]);
    }
    reply_end(s);
}

static void cmd_stls(struct session *s, struct span args)
{
    (void)args;
    if (s->server->tls == NULL) {
        reply(s, "-ERR no certificate");
    } else if (s->conn->tls != NULL) {
        reply(s, "-ERR TLS is active already");
    } else if (s->utf8) {
        reply(s, "-ERR not after UTF8"); /* RFC 6856 */
    } else {
        reply(s, "+OK begin TLS");
        (void)session_io(s, conn_start_tls(s->conn, s->server->tls));
        /* RFC 2595 §4: what was said in the clear is forgotten. */
        free(s->user);
        s->user = NULL;
    }
}

/* RFC 6856 */
static void cmd_lang(struct session *s, struct span args)
{
    if (args.n == 0) {
        reply(s, "+OK languages follow");
        reply_line(s, "en English");
        reply_line(s, "fr Fran\xC3\xA7"
                      "ais");
        reply_end(s);
    } else if (span_is(args, "en") || span_is(args, "*")) {
        s->french = false;
        reply(s, "+OK en language is now English");
    } else if (span_is(args, "fr")) {
        s->french = true;
        reply(s, "+OK fr la langue est d\xC3\xA9sormais le fran\xC3\xA7"
                 "ais");
    } else {
        reply(s, "-ERR no such language");
    }
}

static void cmd_utf8(struct session *s, struct span args)
{
    (void)args;
    s->utf8 = true;
    reply(s, "+OK UTF8 enabled");
}

static void cmd_noop(struct session *s, struct span args)
{
    (void)args;
    reply(s, s->french ? "+OK rien \xC3\xA0 faire" : "+OK nothing done");
}

static void cmd_quit(struct session *s, struct span args)
{
    (void)args;
    const char *bye = s->french ? "+OK au revoir" : "+OK bye";
    if (s->transaction &&
        !maildrop_update(&s->drop, s->server->options.delete_files, &s->server->memory)) {
        bye = "-ERR [SYS/TEMP] some deleted messages not removed"; /* RFC 1939 §6 */
    }
    reply(s, "%s", bye);
    s->over = true;
}

/* ---- dispatch ---- */

static const struct command {
    const char *name;
    unsigned states;
    bool takes_args;
    void (*run)(struct session *s, struct span args);
} commands[] = {
    {"RETR", TRANSACTION, true, cmd_retr},    {"TOP", TRANSACTION, true, cmd_top},
    {"DELE", TRANSACTION, true, cmd_dele},    {"LIST", TRANSACTION, true, cmd_list},
    {"UIDL", TRANSACTION, true, cmd_uidl},    {"STAT", TRANSACTION, false, cmd_stat},
    {"NOOP", TRANSACTION, false, cmd_noop},   {"RSET", TRANSACTION, false, cmd_rset},
    {"USER", AUTHORIZATION, true, cmd_user},  {"PASS", AUTHORIZATION, true, cmd_pass},
    {"APOP", AUTHORIZATION, true, cmd_apop},  {"RPOP", AUTHORIZATION, true, cmd_rpop},
    {"AUTH", AUTHORIZATION, true, cmd_auth},  {"STLS", AUTHORIZATION, false, cmd_stls},
    {"UTF8", AUTHORIZATION, false, cmd_utf8}, {"CAPA", ANY_STATE, false, cmd_capa},
    {"LANG", ANY_STATE, true, cmd_lang},      {"QUIT", ANY_STATE, false, cmd_quit},
};

bool names_line(const char *command, size_t len, struct span line)
{
    return line.n >= len && strncasecmp(line.p, command, len) == 0 &&
           (line.n == len || line.p[len] == ' ');
}

/* Answers what --refuse and --error say must fail. */
static bool refused(struct session *s, struct span line)
{
    const struct options *options = &s->server->options;
    for (size_t i = 0; i < options->errors.n; i++) {
        const char *error = options->errors.v[i];
        size_t len = strcspn(error, " ");
        if (names_line(error, len, line)) {
            reply_text(s, "-ERR", error[len] == ' ' ? error + len + 1 : "");
            return true;
        }
    }
    for (size_t i = 0; i < options->refuse.n; i++) {
        if (names_line(options->refuse.v[i], strlen(options->refuse.v[i]), line)) {
            reply(s, "-ERR refused");
            return true;
        }
    }
    return false;
}

void session_answer(struct session *s, struct span line)
{
    if (refused(s, line)) {
        return;
    }
    struct span args = line;
    struct span name = span_word(&args);
    if (memchr(line.p, '\0', line.n) != NULL) {
        reply(s, "-ERR a NUL in a command");
        return;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *command = &commands[i];
        if (!span_is(name, command->name)) {
            continue;
        }
        if ((command->states & (s->transaction ? TRANSACTION : AUTHORIZATION)) == 0) {
            reply(s, "-ERR not in this state");
        } else if (args.n > 0 && !command->takes_args) {
            reply(s, "-ERR no argument expected");
        } else {
            command->run(s, args);
        }
        return;
    }
    reply(s, "-ERR unknown command");
}

static void dispatch(struct session *s, struct span line)
{
    if (s->override == NULL || !s->override->run(s->override->ctx, s, line)) {
        session_answer(s, line);
    }
}

/* ---- the session ---- */

static void make_timestamp(struct session *s)
{
    const struct options *options = &s->server->options;
    const char *from = options->greeting != NULL ? strchr(options->greeting, '<') : NULL;
    const char *to = from != NULL ? strchr(from, '>') : NULL;
    if (to != NULL && (size_t)(to + 1 - from) < sizeof s->timestamp) {
        memcpy(s->timestamp, from, (size_t)(to + 1 - from));
        return;
    }
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
    (void)snprintf(s->timestamp, sizeof s->timestamp, "<%ld.%u.%lld%09ld@localhost>",
                   (long)getpid(), s->conn->number, (long long)now.tv_sec, now.tv_nsec);
}

static void greet(struct session *s)
{
    const struct options *options = &s->server->options;
    const char *text = options->greeting != NULL ? options->greeting : "+OK pop3-testserver ready";
    bool whole = text[0] == '+' || text[0] == '-';
    char *line = malloc(strlen(text) + sizeof s->timestamp + 8);
    if (line == NULL) {
        s->over = true;
        return;
    }
    bool given = s->timestamp[0] != '\0' && strstr(text, s->timestamp) != NULL;
    (void)sprintf(line, "%s%s%s%s", whole ? "" : "+OK ", text,
                  s->timestamp[0] != '\0' && !given ? " " : "", given ? "" : s->timestamp);
    reply_text(s, line, "");
    free(line);
    if (text[0] == '-') {
        s->over = true; /* a server that does not want the client closes (RFC 1939 §3) */
    }
}

/* Whether the client has used up what a session may ask for, or asks for too much at once. */
static bool is_too_much(const struct session *s, uint64_t count)
{
    const struct options *options = &s->server->options;
    size_t len;
    const char *more = conn_pending(s->conn, &len);
    uint64_t together = 1;
    for (size_t i = 0; i < len; i++) {
        together += more[i] == '\n';
    }
    return (options->most_commands > 0 && count > options->most_commands) ||
           (options->most_together > 0 && together > options->most_together);
}

/* Whether the client has been refused more often than a session allows. */
static bool is_annoyed(const struct session *s)
{
    uint64_t most = s->server->options.most_errors;
    return most > 0 && s->errors >= most;
}

enum io session_run(struct server *server, struct conn *conn, enum session_start start,
                    const struct session_override *override)
{
    struct session s = {.server = server, .conn = conn, .override = override};
    struct span line;
    enum io result = IO_EOF;
    if (server->options.apop) {
        make_timestamp(&s);
    }
    if (start == START_GREETING) {
        greet(&s);
    }
    if (start == START_TRANSACTION) {
        s.transaction = true;
        if (server->options.mail != NULL &&
            !maildrop_read(&s.drop, server->options.mail, &server->memory)) {
            reply(&s, "-ERR [SYS/TEMP] the maildrop cannot be read: %s", strerror(errno));
            s.over = true;
        }
    }
    uint64_t count = 0;
    while (!s.over && session_line(&s, &line)) {
        if (is_too_much(&s, ++count)) {
            conn_close(conn, CLOSE_TCP);
            break;
        }
        bool quit = line.n >= 4 && strncasecmp(line.p, "QUIT", 4) == 0;
        dispatch(&s, line);
        s.over = s.over || is_annoyed(&s);
        if (s.over && quit) {
            result = IO_OK;
        }
    }
    (void)session_io(&s, conn_flush(conn));
    if (s.stopped) {
        result = IO_STOPPED;
    }
    maildrop_free(&s.drop);
    free(s.user);
    return result;
}
