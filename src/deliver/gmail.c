/* Delivers to a Gmail mailbox.
 *
 * Google can be asked whether a message is there, but by its Message-ID only, not by the name of an
 * intent. So an intent that is left over is not settled beforehand: its message is retrieved again
 * under its name, and searched for before it is sent. */
#include "deliver/gmail.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "deliver/gmail_import.h"
#include "deliver/parcel.h"
#include "deliver/spooled.h"
#include "system/thread.h"

/* Connections at a time: the quota allows four imports a second, so that one may take a second. */
#define P3_GMAIL_LINES 4

/* After this many temporary failures in a row the rest of the batch waits. */
#define P3_SETBACKS_MOST 10

typedef struct p3_gmail {
    p3_spooled mail;                         /* must be first; `where` is the user */
    p3_recipient labels[P3_RECIPIENTS_MOST]; /* the next message's own labels */
    size_t label_count;
    /* Only used by deliver(), and when closing. */
    p3_gmail_session *session;
    p3_gmail_importer *importer;
    p3_gmail_connection *lines[P3_GMAIL_LINES]; /* NULL: not created yet */
} p3_gmail;

/* Finds the next message's labels in the table. */
static void gmail_address(p3_delivery *d, const char *header, size_t len, const char *left)
{
    p3_gmail *g = (p3_gmail *)d;
    const p3_recipients *map = g->mail.envelope != NULL ? g->mail.envelope->map : NULL;
    size_t at[P3_RECIPIENTS_MOST];
    size_t count = map != NULL ? p3_recipients_folders(map, header, len, at) : 0;
    (void)left;
    g->label_count = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = p3_recipients_folder(map, at[i]);
        if (name != NULL) /* or it matches no line */
            g->labels[g->label_count++] = p3_recipient_of(name);
    }
}

static bool gmail_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    p3_gmail *g = (p3_gmail *)d;
    (void)sender;
    return p3_spooled_begin(&g->mail, name, NULL, g->labels, g->label_count, why);
}

/* A batch that is delivered over several connections. */
typedef struct p3_sending {
    p3_gmail *gmail;
    p3_batch *batch;
    pthread_mutex_t mutex; /* protects what follows */
    size_t next;           /* the next message to send */
    unsigned setbacks;     /* in a row */
    bool stopped;
} p3_sending;

/* One of the connections. */
typedef struct p3_sender {
    p3_sending *sending;
    p3_gmail_connection **line;
    pthread_t thread;
    bool started;
} p3_sender;

/* Records the result of a message. The mutex is held, because messages are put into the quarantine
 * one at a time. */
static void note_outcome(p3_sending *s, size_t i, p3_gmail_outcome is, p3_problem *why)
{
    p3_batch *b = s->batch;
    p3_parcel *p = &b->parcels[i];
    const p3_spool *spool = b->spool;
    p->delivered = is == P3_GMAIL_DELIVERED || is == P3_GMAIL_BLINDLY;
    if (is == P3_GMAIL_BLINDLY)
        p3_parcel_fail(p, EX_UNAVAILABLE, "it is delivered, and may be there twice: ", why);
    else if (is == P3_GMAIL_REFUSED)
        p3_parcel_refuse(p, s->gmail->mail.envelope->refused, &spool->mails[i], "", "Gmail", why);
    else if (is == P3_GMAIL_LATER)
        p3_parcel_fail(p, EX_TEMPFAIL,
                       "it may have arrived, and is looked for before it is sent again: ", why);
    else if (is == P3_GMAIL_HELD)
        p3_parcel_fail(p, why->exit, "", why);
    if (is != P3_GMAIL_HELD) /* that is no sign of trouble for messages with other labels */
        s->setbacks = p->delivered ? 0 : s->setbacks + 1;
    bool ended = is == P3_GMAIL_ENDED;
    if (s->stopped || (!ended && s->setbacks < P3_SETBACKS_MOST))
        return;
    s->stopped = true;
    p3_problem_set(&b->stopped, why->exit, "%.650s%s", why->text,
                   ended ? "" : "; several messages failed: the others wait for another run");
}

/* The next message; false when there is none, or the rest waits. */
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
                                    .again = p->again,
                                    .labels = m->to,
                                    .label_count = m->to_count};
        p3_problem why = {0};
        if (*sender->line == NULL)
            *sender->line = p3_gmail_connection_new(g->session, &why);
        p3_gmail_outcome is = *sender->line != NULL
                                  ? p3_gmail_import(g->importer, *sender->line, &mail, &why)
                                  : P3_GMAIL_ENDED;
        pthread_mutex_lock(&s->mutex);
        note_outcome(s, i, is, &why);
        pthread_mutex_unlock(&s->mutex);
    }
    return NULL;
}

/* Creates the session when there is something to deliver. */
static bool prepare_session(p3_gmail *g, p3_problem *why)
{
    const p3_gmail_options *o = g->mail.envelope != NULL ? g->mail.envelope->gmail : NULL;
    if (o == NULL)
        return p3_problem_set(why, EX_CONFIG, "delivering to Gmail: there are no settings for it");
    if (g->session == NULL)
        g->session = p3_gmail_session_new(g->mail.where, o, why);
    if (g->session != NULL && g->importer == NULL)
        g->importer = p3_gmail_importer_new(o, why);
    return g->importer != NULL;
}

static void gmail_deliver(p3_batch *b)
{
    p3_gmail *g = (p3_gmail *)b->to;
    p3_sending sending = {.gmail = g, .batch = b};
    p3_sender senders[P3_GMAIL_LINES] = {0};
    if (p3_spooled_batch(b) == NULL || !prepare_session(g, &b->problem))
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

static void gmail_close(p3_delivery *d)
{
    p3_gmail *g = (p3_gmail *)d;
    p3_spooled_clear(&g->mail);
    for (size_t k = 0; k < P3_GMAIL_LINES; k++)
        p3_gmail_connection_free(g->lines[k]);
    p3_gmail_importer_free(g->importer);
    p3_gmail_session_free(g->session);
    free(g);
}

static const p3_delivery_class gmail_class = {
    .slow = true,
    .prints = true,
    .address = gmail_address,
    .begin = gmail_begin,
    .write = p3_spooled_write,
    .finish = p3_spooled_finish,
    .abandon = p3_spooled_abandon,
    .discard = p3_spooled_discard,
    .seal = p3_spooled_seal,
    .deliver = gmail_deliver,
    .recorded = p3_spooled_recorded,
    .close = gmail_close,
};

p3_delivery *p3_gmail_open(const char *user, const p3_envelope *envelope, p3_problem *why)
{
    p3_gmail *g = calloc(1, sizeof *g);
    if (g == NULL || !p3_spooled_init(&g->mail, &gmail_class, user, envelope)) {
        free(g);
        p3_problem_memory(why);
        return NULL;
    }
    g->mail.server = "Gmail";
    return &g->mail.base;
}
