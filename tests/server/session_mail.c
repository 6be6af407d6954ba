/* The commands of a session that work on messages: STAT, LIST, UIDL, RETR, TOP, DELE, RSET. */
#define _POSIX_C_SOURCE 200809L
#include "message.h"
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static bool number(struct span text, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
        *value = *value * 10 + (uint64_t)(text.p[i] - '0');
    }
    return text.n > 0 && text.n < 19;
}

/* The message an argument means; NULL when there is none, with the reply sent. */
static struct message *find(struct session *s, struct span text, uint64_t *n)
{
    if (!number(text, n)) {
        reply(s, "-ERR a message number is wanted");
    } else if (*n < 1 || *n > s->drop.n) {
        reply(s, "-ERR no such message, only %zu in maildrop", s->drop.n);
    } else if (s->drop.messages[*n - 1].deleted) {
        reply(s, "-ERR message %" PRIu64 " is deleted", *n);
    } else {
        return &s->drop.messages[*n - 1];
    }
    return NULL;
}

static void count(const struct session *s, size_t *n, uint64_t *octets)
{
    *n = 0;
    *octets = 0;
    for (size_t i = 0; i < s->drop.n; i++) {
        if (!s->drop.messages[i].deleted) {
            (*n)++;
            *octets += s->drop.messages[i].octets;
        }
    }
}

void cmd_stat(struct session *s, struct span args)
{
    (void)args;
    size_t n;
    uint64_t octets;
    count(s, &n, &octets);
    reply(s, "+OK %zu %" PRIu64, n, octets);
}

void cmd_list(struct session *s, struct span args)
{
    uint64_t n;
    if (args.n > 0) {
        const struct message *message = find(s, args, &n);
        if (message != NULL) {
            reply(s, "+OK %" PRIu64 " %" PRIu64, n, message->octets);
        }
        return;
    }
    size_t left;
    uint64_t octets;
    count(s, &left, &octets);
    reply(s, "+OK %zu messages (%" PRIu64 " octets)", left, octets);
    for (size_t i = 0; i < s->drop.n && !s->over; i++) {
        if (!s->drop.messages[i].deleted) {
            reply_line(s, "%zu %" PRIu64, i + 1, s->drop.messages[i].octets);
        }
    }
    reply_end(s);
}

void cmd_uidl(struct session *s, struct span args)
{
    uint64_t n;
    if (args.n > 0) {
        const struct message *message = find(s, args, &n);
        if (message != NULL) {
            reply(s, "+OK %" PRIu64 " %s", n, message->unique_id);
        }
        return;
    }
    reply(s, "+OK unique-ids follow");
    for (size_t i = 0; i < s->drop.n && !s->over; i++) {
        if (!s->drop.messages[i].deleted) {
            reply_line(s, "%zu %s", i + 1, s->drop.messages[i].unique_id);
        }
    }
    reply_end(s);
}

static void send_message(struct session *s, const struct message *message, int64_t body_lines)
{
    uint64_t octets = 0;
    int fd = open(message->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        reply(s, "-ERR [SYS/TEMP] the message cannot be read: %s", strerror(errno));
        return;
    }
    if (body_lines == WHOLE_MESSAGE) {
        reply(s, "+OK %" PRIu64 " octets", message->octets);
    } else {
        reply(s, "+OK top of message follows");
    }
    if (!s->over) {
        enum io result = message_send(s->conn, fd, ENDS_CRLF, body_lines, &octets);
        log_event(s->conn->log, s->conn->number, "S: <body %" PRIu64 " octets>", octets);
        if (session_io(s, result)) {
            reply_end(s);
        }
    }
    (void)close(fd); /* it was only read */
}

void cmd_retr(struct session *s, struct span args)
{
    uint64_t n;
    const struct message *message = find(s, args, &n);
    if (message != NULL) {
        send_message(s, message, WHOLE_MESSAGE);
    }
}

void cmd_top(struct session *s, struct span args)
{
    uint64_t n;
    uint64_t lines;
    struct span first = span_word(&args);
    if (!number(args, &lines)) {
        reply(s, "-ERR a message number and a count of lines are wanted");
        return;
    }
    const struct message *message = find(s, first, &n);
    if (message != NULL) {
        send_message(s, message, (int64_t)lines);
    }
}

void cmd_dele(struct session *s, struct span args)
{
    uint64_t n;
    struct message *message = find(s, args, &n);
    if (message != NULL) {
        message->deleted = true;
        reply(s, "+OK message %" PRIu64 " deleted", n);
    }
}

void cmd_rset(struct session *s, struct span args)
{
    (void)args;
    for (size_t i = 0; i < s->drop.n; i++) {
        s->drop.messages[i].deleted = false;
    }
    reply(s, "+OK maildrop has %zu messages", s->drop.n);
}
