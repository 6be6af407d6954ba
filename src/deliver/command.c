/* Delivers to a command's standard input, one message at a time. Its exit status decides: 0:
 * delivered, 75 (EX_TEMPFAIL): try later, anything else: it cannot accept this message.
 *
 * A command cannot be asked what it did with a message: after a crash between its end and the
 * record, it gets the message again. */
#include "deliver/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "confine/outside.h"
#include "support/stop_request.h"
#include "support/file.h"
#include "confine/shell.h"

typedef struct p3_command_target {
    p3_delivery base;
    char *command;
    int fd; /* the current message, or -1 */
    char *sender;
    const char *name;
    uint64_t octets;
} p3_command_target;

static bool command_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    p3_command_target *c = (p3_command_target *)d;
    c->name = name;
    c->octets = 0;
    c->sender = strdup(sender);
    c->fd = p3_outside_spool();
    if (c->sender == NULL)
        return p3_problem_memory(why);
    return c->fd >= 0 || p3_problem_errno(why, errno, "keeping a message for the command");
}

static bool command_write(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    p3_command_target *c = (p3_command_target *)d;
    if (!p3_write_all(c->fd, data, len))
        return p3_problem_errno(why, errno, "keeping a message for the command");
    c->octets += len;
    return true;
}

static bool command_finish(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    p3_command_target *c = (p3_command_target *)d;
    if (lseek(c->fd, 0, SEEK_SET) != 0)
        return p3_problem_errno(why, errno, "keeping a message for the command");
    out->name = c->name;
    out->octets = c->octets;
    out->fd = c->fd;
    out->sender = c->sender;
    c->fd = -1;
    c->sender = NULL;
    return true;
}

static void command_abandon(p3_delivery *d)
{
    p3_command_target *c = (p3_command_target *)d;
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
    free(c->sender);
    c->sender = NULL;
}

static void deliver_one(const p3_command_target *c, p3_parcel *p)
{
    char sender[360];
    p3_problem why = {0};
    snprintf(sender, sizeof sender, "SENDER=%s", p->sender);
    const char *more[] = {sender, NULL};
    int status = p3_spawn_shell(c->command, p->fd, more, &why);
    p->delivered = status == 0;
    if (status == EX_TEMPFAIL)
        p3_problem_set(&why, EX_TEMPFAIL, "delivering to the command: it asks to try again later");
    else if (status > 0)
        p3_problem_set(&why, EX_UNAVAILABLE, "delivering to the command: it ended with status %d",
                       status);
    if (status != 0 && (p->problem = malloc(sizeof *p->problem)) != NULL)
        *p->problem = why;
}

/* After a signal has asked for the end, no further command is started, because it may take any
 * time. */
static void command_deliver(p3_batch *b)
{
    if (p3_stop_request_is_made())
        p3_problem_set(&b->stopped, EX_TEMPFAIL, "stopped by a signal");
    for (size_t i = 0; b->stopped.exit == 0 && i < b->count; i++)
        deliver_one((const p3_command_target *)b->to, &b->parcels[i]);
}

static void command_close(p3_delivery *d)
{
    p3_command_target *c = (p3_command_target *)d;
    command_abandon(d);
    free(c->command);
    free(c);
}

static const p3_delivery_class command_class = {
    .slow = true,
    .alone = true,
    .begin = command_begin,
    .write = command_write,
    .finish = command_finish,
    .abandon = command_abandon,
    .deliver = command_deliver,
    .close = command_close,
};

p3_delivery *p3_command_open(const char *command, const p3_envelope *envelope, p3_problem *why)
{
    (void)envelope;
    p3_command_target *c = calloc(1, sizeof *c);
    if (c == NULL || (c->command = strdup(command)) == NULL) {
        free(c);
        p3_problem_memory(why);
        return NULL;
    }
    c->base.class = &command_class;
    c->fd = -1;
    return &c->base;
}
