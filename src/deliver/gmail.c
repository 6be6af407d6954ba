/* Delivers to a Gmail mailbox.
 *
 * Google can be asked whether a message is there, though not by a name of ours: it is found by its
 * Message-ID. So an intent that is left over is not settled beforehand: its message comes again,
 * under its name, and is asked for before it is sent. */
#include "deliver/gmail.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "deliver/gmail_import.h"
#include "deliver/parcel.h"
#include "system/thread.h"

/* Connections at a time: an import takes a third of a second, and the quota allows nine a second.
 */
#define P3_GMAIL_LINES 4

/* So many messages in a row that were set back, and the rest waits. */
#define P3_SETBACKS_MOST 10

typedef struct p3_gmail {
    p3_delivery base;
    char *user;
    const p3_envelope *envelope;
    p3_spool *spool;  /* of the batch being filled, or NULL */
    const char *name; /* of the message being written, or NULL */
    /* Only used by deliver(), and at the end. */
    p3_gmail_session *session;
    p3_gmail_importer *importer;
    p3_gmail_line *lines[P3_GMAIL_LINES]; /* NULL: not made yet */
} p3_gmail;

/* ---- writing a message ---- */

static bool spool_fails(p3_problem *why)
{
    return p3_problem_errno(why, errno, "keeping messages for Gmail");
}

static bool gmail_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    p3_gmail *g = (p3_gmail *)d;
    (void)sender;
    g->name = name;
    if (g->spool == NULL && (g->spool = p3_spool_new(why)) == NULL)
        return false;
    return p3_spool_begin(g->spool, "", NULL, 0) || spool_fails(why);
}

static bool gmail_write(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    return p3_spool_write(((p3_gmail *)d)->spool, data, len) || spool_fails(why);
}

static bool gmail_finish(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    p3_gmail *g = (p3_gmail *)d;
    if (!p3_spool_finish(g->spool))
        return spool_fails(why);
    out->name = g->name;
    out->octets = g->spool->last.length;
    g->name = NULL;
    return true;
}

static void discard_spool(p3_gmail *g)
{
    p3_spool_free(g->spool);
    g->spool = NULL;
}

static void gmail_abandon(p3_delivery *d)
{
    p3_gmail *g = (p3_gmail *)d;
    if (g->name != NULL && g->spool != NULL && !p3_spool_abandon(g->spool))
        g->spool->length = UINT64_MAX; /* deliver() refuses it */
    g->name = NULL;
}

/* All that is finished is in the spool of the batch being filled, and nothing else. */
static void gmail_discard(p3_delivery *d, const p3_parcel *parcels, size_t count)
{
    (void)parcels;
    (void)count;
    gmail_abandon(d);
    discard_spool((p3_gmail *)d);
}

static void gmail_seal(p3_delivery *d, p3_batch *batch)
{
    p3_gmail *g = (p3_gmail *)d;
    batch->spool = g->spool;
    g->spool = NULL;
}

/* ---- delivering ---- */

/* A batch that is being delivered over several connections. */
typedef struct p3_sending {
    p3_gmail *gmail;
    p3_batch *batch;
    pthread_mutex_t mutex; /* of what follows */
    size_t next;           /* the first message that nobody has begun */
    unsigned setbacks;     /* in a row */
    bool stopped;
} p3_sending;

/* One of the connections. */
typedef struct p3_sender {
    p3_sending *sending;
    p3_gmail_line **line;
    pthread_t thread;
    bool started;
} p3_sender;

/* Notes what became of a message. The mutex is held: messages are put aside one at a time. */
static void note(p3_sending *s, size_t i, p3_gmail_outcome is, p3_problem *why)
{
    p3_batch *b = s->batch;
    p3_parcel *p = &b->parcels[i];
    const p3_spool *spool = b->spool;
    p->delivered = is == P3_GMAIL_DELIVERED || is == P3_GMAIL_BLINDLY;
    if (is == P3_GMAIL_BLINDLY)
        p3_parcel_fail(p, EX_UNAVAILABLE, "it is delivered, and may be there twice: ", why);
    else if (is == P3_GMAIL_REFUSED)
        p3_parcel_refuse(p, s->gmail->envelope->refused, &spool->mails[i], "", "Gmail", why);
    else if (is == P3_GMAIL_LATER)
        p3_parcel_fail(p, EX_TEMPFAIL,
                       "it may have arrived, and is looked for before it is sent again: ", why);
    s->setbacks = p->delivered ? 0 : s->setbacks + 1;
    bool ended = is == P3_GMAIL_ENDED;
    if (s->stopped || (!ended && s->setbacks < P3_SETBACKS_MOST))
        return;
    s->stopped = true;
    p3_problem_set(&b->stopped, why->exit, "%.650s%s", why->text,
                   ended ? "" : "; several messages failed: the others wait for another run");
}

/* The next message; false when there is none, or the others wait. */
static bool next(p3_sending *s, size_t *i)
{
    pthread_mutex_lock(&s->mutex);
    *i = s->next;
    bool more = !s->stopped && s->next < s->batch->count;
    s->next += more;
    pthread_mutex_unlock(&s->mutex);
    return more;
}

static void *send_all(void *arg)
{
    p3_sender *sender = arg;
    p3_sending *s = sender->sending;
    p3_gmail *g = s->gmail;
    const p3_spool *spool = s->batch->spool;
    size_t i;
    while (next(s, &i)) {
        const p3_parcel *p = &s->batch->parcels[i];
        const p3_spool_mail *m = &spool->mails[i];
        const p3_gmail_mail mail = {.name = p->name,
                                    .fd = m->fd,
                                    .offset = m->offset,
                                    .length = m->length,
                                    .print = p3_fingerprint_join(p->header, p->body),
                                    .again = p->again};
        p3_problem why = {0};
        if (*sender->line == NULL)
            *sender->line = p3_gmail_line_new(g->session, &why);
        p3_gmail_outcome is = *sender->line != NULL
                                  ? p3_gmail_import(g->importer, *sender->line, &mail, &why)
                                  : P3_GMAIL_ENDED;
        pthread_mutex_lock(&s->mutex);
        note(s, i, is, &why);
        pthread_mutex_unlock(&s->mutex);
    }
    return NULL;
}

/* The session, once there is something to deliver. */
static bool prepare(p3_gmail *g, p3_problem *why)
{
    const p3_gmail_options *o = g->envelope != NULL ? g->envelope->gmail : NULL;
    if (o == NULL)
        return p3_problem_set(why, EX_CONFIG, "delivering to Gmail: there are no settings for it");
    if (g->session == NULL)
        g->session = p3_gmail_session_new(g->user, o, why);
    if (g->session != NULL && g->importer == NULL)
        g->importer = p3_gmail_importer_new(o, why);
    return g->importer != NULL;
}

static void deliver_batch(p3_batch *b)
{
    p3_gmail *g = (p3_gmail *)b->to;
    const p3_spool *spool = b->spool;
    p3_sending sending = {.gmail = g, .batch = b};
    p3_sender senders[P3_GMAIL_LINES] = {0};
    if (spool == NULL || spool->length == UINT64_MAX || spool->count != b->count) {
        p3_problem_set(&b->problem, EX_IOERR, "keeping messages for Gmail");
        return;
    }
    if (!prepare(g, &b->problem))
        return;
    pthread_mutex_init(&sending.mutex, NULL);
    for (size_t k = 0; k < P3_GMAIL_LINES; k++)
        senders[k] = (p3_sender){.sending = &sending, .line = &g->lines[k]};
    for (size_t k = 1; k < P3_GMAIL_LINES && k < b->count; k++)
        senders[k].started = p3_thread_start(&senders[k].thread, send_all, &senders[k]) == 0;
    (void)send_all(&senders[0]);
    for (size_t k = 1; k < P3_GMAIL_LINES; k++) {
        if (senders[k].started)
            (void)pthread_join(senders[k].thread, NULL);
    }
    pthread_mutex_destroy(&sending.mutex);
}

static void gmail_deliver(p3_batch **batches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        deliver_batch(batches[i]);
}

static void gmail_recorded(p3_delivery *d, p3_batch *batch, bool kept)
{
    (void)d;
    (void)kept;
    if (batch != NULL)
        p3_spool_free(batch->spool);
}

/* As said above: they come again. */
static bool gmail_settle(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why)
{
    (void)d;
    (void)at;
    (void)count;
    (void)why;
    return true;
}

static void gmail_close(p3_delivery *d)
{
    p3_gmail *g = (p3_gmail *)d;
    gmail_abandon(d);
    discard_spool(g);
    for (size_t k = 0; k < P3_GMAIL_LINES; k++)
        p3_gmail_line_free(g->lines[k]);
    p3_gmail_importer_free(g->importer);
    p3_gmail_session_free(g->session);
    free(g->user);
    free(g);
}

static const p3_delivery_class gmail_class = {
    .slow = true,
    .prints = true,
    .begin = gmail_begin,
    .write = gmail_write,
    .finish = gmail_finish,
    .abandon = gmail_abandon,
    .discard = gmail_discard,
    .seal = gmail_seal,
    .deliver = gmail_deliver,
    .recorded = gmail_recorded,
    .settle = gmail_settle,
    .close = gmail_close,
};

p3_delivery *p3_gmail_open(const char *user, const p3_envelope *envelope, p3_problem *why)
{
    p3_gmail *g = calloc(1, sizeof *g);
    if (g == NULL || (g->user = strdup(user)) == NULL) {
        free(g);
        p3_problem_set(why, EX_OSERR, "out of memory");
        return NULL;
    }
    g->base.class = &gmail_class;
    g->envelope = envelope;
    return &g->base;
}
