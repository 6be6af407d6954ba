/* A Maildir for any message: a delivery of the rooms below, without an account. */
#include <pop3/collect.h>

#include <stdlib.h>
#include <sysexits.h>

#include "deliver/maildir.h"
#include "deliver/message.h"
#include "public/error.h"

/* The mark in the names of these messages: of no account, so that none takes them for its own. */
#define P3_NOBODY "0000000000000000"

/* What is done with the message in hand. */
typedef enum p3_phase_of_message {
    P3_NOT_BEGUN = 0,
    P3_WRITING,
    P3_GIVEN_UP /* writing failed: finish() says how */
} p3_phase_of_message;

struct pop3_maildir {
    p3_delivery *delivery;
    p3_message message;
    p3_names names;
    p3_name_list list; /* names of the batch's messages */
    p3_parcel *parcels;
    size_t count; /* of them: messages that are finished */
    p3_phase_of_message phase;
};

static bool open_maildir(pop3_maildir *m, const char *path, p3_problem *why)
{
    const p3_owner nobody = {P3_NOBODY};
    int error = p3_names_init(&m->names);
    if (error != 0)
        return p3_problem_errno(why, error, "opening a Maildir: no random numbers");
    m->delivery = p3_maildir_open(path, NULL, why);
    if (m->delivery == NULL)
        return false;
    m->parcels = calloc(POP3_MAILDIR_BATCH, sizeof *m->parcels);
    return (m->parcels != NULL &&
            p3_message_init(&m->message, m->delivery, P3_LINES_LF, P3_BODIES_NONE) &&
            p3_name_list_init(&m->list, &m->names, POP3_MAILDIR_BATCH, nobody)) ||
           p3_problem_set(why, EX_OSERR, "opening a Maildir: out of memory");
}

pop3_collect_status pop3_maildir_open(pop3_maildir **out, const char *path,
                                      pop3_collect_error *error)
{
    p3_problem why = {0};
    *out = NULL;
    if (path == NULL || path[0] == '\0')
        return p3_collect_refuse(error, POP3_COLLECT_ARGUMENT,
                                 "opening a Maildir: no directory was given");
    pop3_maildir *m = calloc(1, sizeof *m);
    if (m == NULL)
        p3_problem_set(&why, EX_OSERR, "opening a Maildir: out of memory");
    else if (open_maildir(m, path, &why)) {
        *out = m;
        return POP3_COLLECT_OK;
    }
    pop3_maildir_close(m);
    return p3_collect_fail(error, &why);
}

pop3_collect_status pop3_maildir_begin(pop3_maildir *maildir, pop3_collect_error *error)
{
    if (maildir->phase != P3_NOT_BEGUN)
        return p3_collect_refuse(error, POP3_COLLECT_STATE,
                                 "beginning a message: another one has not ended");
    if (maildir->count == POP3_MAILDIR_BATCH)
        return p3_collect_refuse(error, POP3_COLLECT_STATE,
                                 "beginning a message: those that are finished come first");
    if (maildir->list.count == maildir->count) /* else the name of one that was given up */
        p3_name_list_add(&maildir->list, &maildir->names);
    p3_message_begin(&maildir->message, p3_name_list_at(&maildir->list, maildir->count));
    maildir->phase = P3_WRITING;
    return POP3_COLLECT_OK;
}

/* The message in hand cannot be delivered. */
static pop3_collect_status abandon_message(pop3_maildir *m, pop3_collect_error *error)
{
    if (m->phase == P3_WRITING)
        p3_message_abandon(&m->message);
    m->phase = P3_GIVEN_UP;
    return p3_collect_fail(error, &m->message.why);
}

static pop3_collect_status not_begun(pop3_collect_error *error)
{
    return p3_collect_refuse(error, POP3_COLLECT_STATE, "writing a message: none has been begun");
}

pop3_collect_status pop3_maildir_write(pop3_maildir *maildir, const char *data, size_t len,
                                       pop3_collect_error *error)
{
    if (maildir->phase == P3_NOT_BEGUN)
        return not_begun(error);
    if (len == 0 && maildir->phase == P3_WRITING)
        return POP3_COLLECT_OK;
    if (maildir->phase == P3_GIVEN_UP || !p3_message_take(&maildir->message, data, len))
        return abandon_message(maildir, error);
    return POP3_COLLECT_OK;
}

pop3_sink_result pop3_maildir_sink(void *maildir, const char *data, size_t len)
{
    return pop3_maildir_write(maildir, data, len, NULL) == POP3_COLLECT_OK ? POP3_SINK_CONTINUE
                                                                           : POP3_SINK_DISCARD;
}

pop3_collect_status pop3_maildir_finish(pop3_maildir *maildir, pop3_collect_error *error)
{
    pop3_collect_status status = POP3_COLLECT_OK;
    if (maildir->phase == P3_NOT_BEGUN)
        return not_begun(error);
    p3_parcel *parcel = &maildir->parcels[maildir->count];
    *parcel = (p3_parcel){.fd = -1};
    if (maildir->phase == P3_GIVEN_UP || !p3_message_finish(&maildir->message, parcel))
        status = abandon_message(maildir, error);
    else
        maildir->count++;
    maildir->phase = P3_NOT_BEGUN;
    return status;
}

void pop3_maildir_abort(pop3_maildir *maildir)
{
    if (maildir->phase == P3_WRITING)
        p3_message_abandon(&maildir->message);
    maildir->phase = P3_NOT_BEGUN;
}

/* Removes those that are finished and not in their place. */
static void discard(pop3_maildir *m)
{
    for (size_t i = 0; i < m->count; i++) {
        if (!m->parcels[i].delivered)
            m->delivery->class->discard(m->delivery, &m->parcels[i], 1);
    }
}

pop3_collect_status pop3_maildir_commit(pop3_maildir *maildir, pop3_collect_error *error)
{
    p3_batch batch = {
        .to = maildir->delivery, .parcels = maildir->parcels, .count = maildir->count};
    if (maildir->phase != P3_NOT_BEGUN)
        return p3_collect_refuse(error, POP3_COLLECT_STATE, "delivering: a message has not ended");
    if (batch.count > 0)
        maildir->delivery->class->deliver(&batch);
    if (batch.problem.exit != 0)
        discard(maildir);
    p3_name_list_renew(&maildir->list, &maildir->names, POP3_MAILDIR_BATCH);
    maildir->count = 0;
    return batch.problem.exit != 0 ? p3_collect_fail(error, &batch.problem) : POP3_COLLECT_OK;
}

void pop3_maildir_close(pop3_maildir *maildir)
{
    if (maildir == NULL)
        return;
    if (maildir->parcels != NULL && maildir->delivery != NULL)
        discard(maildir);
    p3_message_free(&maildir->message); /* and what is in hand */
    if (maildir->delivery != NULL)
        maildir->delivery->class->close(maildir->delivery);
    p3_name_list_free(&maildir->list);
    free(maildir->parcels);
    free(maildir);
}
