/* What the benchmark's server answers to commands: RFC 1939 with CAPA, STLS and PIPELINING. */
#define _GNU_SOURCE
#include "server/session.h"

#include "common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An answer that is not the same for all. */
__attribute__((format(printf, 2, 3))) static void answer(connection *c, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&text, format, args);
    va_end(args);
    if (len < 0)
        die("an answer");
    connection_put(c, (span){text, (size_t)len}, text);
}

static bool is_deleted(const connection *c, size_t number)
{
    return c->deleted != NULL && c->deleted[number - 1];
}

/* The message that a command names; 0, and -ERR, when there is none. */
static size_t message_of(const service *s, connection *c, const char *argument)
{
    char *end;
    unsigned long n = argument == NULL ? 0 : strtoul(argument, &end, 10);
    if (n >= 1 && n <= s->box.count && !is_deleted(c, n))
        return n;
    connection_say(c, "-ERR no such message\r\n");
    return 0;
}

static void capabilities(const service *s, connection *c)
{
    answer(c, "+OK\r\nTOP\r\nUSER\r\nUIDL\r\nRESP-CODES\r\n%s%sIMPLEMENTATION benchmark\r\n.\r\n",
           s->pipelining ? "PIPELINING\r\n" : "", s->stls && c->ssl == NULL ? "STLS\r\n" : "");
}

static void log_in(service *s, connection *c)
{
    if (c->user[0] == '\0') {
        connection_say(c, "-ERR USER first\r\n");
        return;
    }
    c->who = mailbox_account(&s->box, c->user);
    connection_say(c, "+OK\r\n");
}

static void list(const service *s, connection *c, const char *argument, bool uids)
{
    if (argument != NULL) {
        size_t n = message_of(s, c, argument);
        char uid[32];
        if (n == 0)
            return;
        mailbox_uid(c->who, n, uid);
        if (uids)
            answer(c, "+OK %zu %s\r\n", n, uid);
        else
            answer(c, "+OK %zu %zu\r\n", n, s->box.size);
    } else if (c->deletions > 0) {
        span text = mailbox_listing_without(&s->box, uids ? c->who : NULL, c->deleted);
        connection_put(c, text, (char *)(uintptr_t)text.data);
    } else {
        connection_put(c, uids ? mailbox_uids(&s->box, c->who) : s->box.listing, NULL);
    }
}

static void retrieve(const service *s, connection *c, const char *argument)
{
    size_t n = message_of(s, c, argument);
    if (n == 0)
        return;
    connection_put(c, mailbox_head(&s->box, n), NULL);
    connection_put(c, s->box.body, NULL);
}

static void top(const service *s, connection *c, const char *argument, const char *lines)
{
    size_t n = message_of(s, c, argument);
    if (n == 0)
        return;
    const char *at = s->box.body.data;
    const char *end = at + s->box.body.len - 3; /* the line that ends it */
    for (unsigned long i = lines == NULL ? 0 : strtoul(lines, NULL, 10); i > 0 && at < end; i--)
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    connection_put(c, mailbox_head(&s->box, n), NULL);
    if (at > s->box.body.data)
        connection_put(c, (span){s->box.body.data, (size_t)(at - s->box.body.data)}, NULL);
    connection_say(c, ".\r\n");
}

static void delete_message(const service *s, connection *c, const char *argument)
{
    size_t n = message_of(s, c, argument);
    if (n == 0)
        return;
    if (c->deleted == NULL && (c->deleted = calloc(s->box.count, sizeof *c->deleted)) == NULL)
        die("DELE");
    c->deleted[n - 1] = true;
    c->deletions++;
    connection_say(c, "+OK\r\n");
}

static void reset(const service *s, connection *c)
{
    if (c->deleted != NULL)
        memset(c->deleted, 0, s->box.count * sizeof *c->deleted);
    c->deletions = 0;
    connection_say(c, "+OK\r\n");
}

/* Commands after login. */
static void transaction(const service *s, connection *c, const char *verb, const char *first,
                        const char *second)
{
    size_t left = s->box.count - c->deletions;
    if (strcasecmp(verb, "RETR") == 0)
        retrieve(s, c, first);
    else if (strcasecmp(verb, "DELE") == 0)
        delete_message(s, c, first);
    else if (strcasecmp(verb, "STAT") == 0)
        answer(c, "+OK %zu %zu\r\n", left, left * s->box.size);
    else if (strcasecmp(verb, "LIST") == 0)
        list(s, c, first, false);
    else if (strcasecmp(verb, "UIDL") == 0)
        list(s, c, first, true);
    else if (strcasecmp(verb, "TOP") == 0)
        top(s, c, first, second);
    else if (strcasecmp(verb, "RSET") == 0)
        reset(s, c);
    else if (strcasecmp(verb, "LAST") == 0)
        connection_say(c, "+OK 0\r\n");
    else
        connection_say(c, "-ERR unknown command\r\n");
}

void session_command(service *s, connection *c, char *line)
{
    char *rest = line;
    const char *verb = strsep(&rest, " ");
    const char *first = rest != NULL ? strsep(&rest, " ") : NULL;
    const char *second = rest;
    c->commands++;
    if (strcasecmp(verb, "CAPA") == 0) {
        capabilities(s, c);
    } else if (strcasecmp(verb, "NOOP") == 0) {
        connection_say(c, "+OK\r\n");
    } else if (strcasecmp(verb, "QUIT") == 0) {
        connection_say(c, "+OK\r\n");
        c->closing = true;
    } else if (c->who != NULL) {
        transaction(s, c, verb, first, second);
    } else if (strcasecmp(verb, "USER") == 0 && first != NULL) {
        snprintf(c->user, sizeof c->user, "%s", first);
        connection_say(c, "+OK\r\n");
    } else if (strcasecmp(verb, "PASS") == 0) {
        log_in(s, c);
    } else if (strcasecmp(verb, "STLS") == 0 && s->stls && c->ssl == NULL) {
        connection_say(c, "+OK\r\n");
        c->wants_tls = true;
    } else {
        connection_say(c, "-ERR unknown command, or not logged in\r\n");
    }
}
