/* Delivers to a folder of an IMAP server: each message exactly once.
 *
 * A message has the name of its intent in a header field. After a crash, or if the server's answer
 * about a message was lost, the folder is read (imap_find.h): messages that are there count as
 * delivered. The others are sent by another run, because the server may still be processing them.
 * Permanently refused messages go to a Maildir, with a note; temporarily refused ones stay on the
 * POP3 server. Neither affects the others. */
#include "deliver/imap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "deliver/imap_find.h"
#include "deliver/imap_labels.h"
#include "deliver/parcel.h"
#include "deliver/quarantine.h"
#include "deliver/spooled.h"
#include "support/clock.h"
#include "support/crash_point.h"

/* After this many temporary failures in a row the rest of the batch waits. */
#define P3_SETBACKS_MOST 10

/* How often the connection may break without an accepted message in between. */
#define P3_LOSSES_MOST 3

/* Milliseconds for finding left-over messages and for setting labels. */
#define P3_FIND_MS  (2 * 60 * 1000)
#define P3_LABEL_MS (2 * 60 * 1000)

typedef struct p3_imap {
    p3_spooled mail; /* must be first */
    p3_imap_address address;
    p3_imap_session *own;      /* only used by deliver() and settle(), and when closing */
    p3_imap_session **session; /* this one, or that of another folder of the server */
} p3_imap;

static bool imap_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    (void)sender;
    return p3_spooled_begin((p3_spooled *)d, name, d->retries ? P3_RETRIED : "", NULL, 0, why);
}

/* The progress of a message of a batch. */
typedef enum p3_append_state {
    P3_WAITING,    /* not sent yet */
    P3_ON_ITS_WAY, /* sent completely; the answer is missing */
    P3_DOUBTFUL,   /* refused without a reason */
    P3_OVER
} p3_append_state;

/* The delivery of a batch. */
typedef struct p3_course {
    p3_imap *to;
    p3_batch *batch;
    const p3_spool *spool;
    p3_append_state *at;  /* of each message */
    p3_imap_place *place; /* the place of each message, for its labels */
    size_t sent;          /* the messages before it have been sent */
    size_t taken;         /* the messages from it on have not been accepted */
    unsigned setbacks;    /* in a row */
    unsigned losses;      /* of the connection, without an accepted message in between */
    bool is_second;       /* doubtful messages have been sent again */
    bool lacks_folder;
    bool made_folder;
    bool ends;      /* nothing more is sent */
    p3_problem why; /* the last problem */
} p3_course;

static bool connect_again(p3_imap *m, p3_problem *why)
{
    if (p3_imap_is_usable(*m->session)) {
        p3_imap_turn_to(*m->session, &m->address);
        return true;
    }
    p3_imap_end(*m->session);
    *m->session = p3_imap_connect(&m->address, m->mail.envelope->imap, why);
    return *m->session != NULL;
}

static void stop(p3_course *c, const char *more)
{
    p3_problem_set(&c->batch->stopped, c->why.exit != 0 ? c->why.exit : EX_TEMPFAIL,
                   "delivering by IMAP: %.600s%s", c->why.text, more);
    c->ends = true;
}

/* Handles the server's answer about a message. */
static void take_outcome(p3_course *c, size_t i, p3_imap_outcome is)
{
    p3_parcel *p = &c->batch->parcels[i];
    bool kept = is == P3_IMAP_REFUSED || (is == P3_IMAP_DOUBTFUL && c->is_second);
    c->at[i] = P3_OVER;
    if (is == P3_IMAP_NO_FOLDER && !c->made_folder && !c->ends) {
        c->at[i] = P3_WAITING;
        c->lacks_folder = true;
        return;
    }
    if (is == P3_IMAP_APPENDED) {
        p3_parcel_deliver(p);
        c->place[i] = p3_imap_appended(*c->to->session);
        c->losses = 0;
        c->taken = i + 1 > c->taken ? i + 1 : c->taken;
    } else if (kept) {
        p3_parcel_refuse(p, c->to->mail.envelope->refused, &c->spool->mails[i],
                         "delivering by IMAP: ", "the IMAP server", &c->why);
    } else {
        c->at[i] = is == P3_IMAP_DOUBTFUL ? P3_DOUBTFUL : P3_OVER;
        p3_parcel_fail(p, EX_TEMPFAIL, "delivering by IMAP: ", &c->why);
    }
    c->setbacks = p->delivered ? 0 : c->setbacks + 1;
    if (c->setbacks == P3_SETBACKS_MOST && !c->ends) {
        stop(c, "; several messages failed: the others wait for another run");
        c->batch->stopped.of_folder = true; /* as far as is known */
    }
}

/* Searches for messages that were sent and not answered. */
static bool look_up(p3_course *c, size_t count)
{
    p3_problem lost = c->why;
    p3_left_over *left = calloc(count, sizeof *left);
    size_t n = 0;
    if (left == NULL)
        return p3_problem_memory(&c->why);
    for (size_t i = 0; n < count; i++) {
        if (c->at[i] == P3_ON_ITS_WAY)
            left[n++] = (p3_left_over){.name = c->batch->parcels[i].name, .row = i};
    }
    bool ok = connect_again(c->to, &c->why) &&
              p3_imap_find(*c->to->session, c->to->mail.base.owner.mark, left, count, false,
                           p3_clock_ms() + P3_FIND_MS, &c->why);
    for (size_t i = 0; ok && i < count; i++) {
        p3_parcel *p = &c->batch->parcels[left[i].row];
        c->at[left[i].row] = P3_OVER;
        c->place[left[i].row] = left[i].place;
        if (left[i].there)
            p3_parcel_deliver(p);
        else
            p3_parcel_fail(
                p, EX_TEMPFAIL,
                "delivering by IMAP: it was sent, and is not in the folder yet; the next "
                "run looks again: ",
                &lost);
    }
    free(left);
    p3_crash_point("imap-looked-up");
    return ok;
}

/* The connection broke. Messages that were sent completely may be there. */
static void recover(p3_course *c)
{
    size_t count = 0;
    bool ok = ++c->losses < P3_LOSSES_MOST;
    for (size_t i = 0; i < c->batch->count; i++)
        count += c->at[i] == P3_ON_ITS_WAY;
    if (count > 0)
        ok = look_up(c, count) && ok;
    if (!ok && !c->ends)
        stop(c, "");
    c->sent = 0;
}

/* Sends the next message, if there is one and it may be sent. Returns whether it did. */
static bool send_next(p3_course *c)
{
    p3_imap_mail mail;
    while (c->sent < c->batch->count && c->at[c->sent] != P3_WAITING)
        c->sent++;
    size_t i = c->sent;
    if (c->ends || c->lacks_folder || i == c->batch->count)
        return false;
    if (!p3_imap_mail_examine(&mail, &c->spool->mails[i], c->to->mail.envelope->imap->date)) {
        p3_problem_errno(&c->why, errno, "reading a message that waits for the IMAP server");
        take_outcome(c, i, P3_IMAP_LATER);
        return true;
    }
    if (!p3_imap_may_send(*c->to->session, &mail))
        return false;
    p3_imap_outcome is = p3_imap_send(*c->to->session, &mail, &c->why);
    if (is == P3_IMAP_LOST)
        recover(c);
    else if (is == P3_IMAP_SENT)
        c->at[i] = P3_ON_ITS_WAY;
    else
        take_outcome(c, i, is);
    return true;
}

/* Receives the answer for the oldest message in flight. */
static void hear_next(p3_course *c)
{
    size_t i = 0;
    p3_imap_outcome is = p3_imap_hear(*c->to->session, &c->why);
    while (c->at[i] != P3_ON_ITS_WAY)
        i++;
    if (is == P3_IMAP_LOST)
        recover(c);
    else
        take_outcome(c, i, is);
}

static void make_folder(p3_course *c)
{
    c->lacks_folder = false;
    c->made_folder = true;
    c->sent = 0;
    if (p3_imap_make_folder(*c->to->session, &c->why))
        return;
    if (p3_imap_is_usable(*c->to->session))
        stop(c, "");
    else
        recover(c);
}

/* Sends messages once more that were refused without a reason while later ones were accepted. False
 * when there are none. */
static bool send_again(p3_course *c)
{
    bool any = false;
    for (size_t i = 0; i < c->taken && !c->is_second && !c->ends; i++) {
        if (c->at[i] == P3_DOUBTFUL) {
            c->at[i] = P3_WAITING;
            any = true;
        }
    }
    c->is_second = true;
    c->sent = 0;
    return any;
}

static void run_course(p3_course *c)
{
    do {
        if (!c->ends && !connect_again(c->to, &c->why))
            stop(c, "");
        else if (send_next(c))
            continue;
        else if (p3_imap_under_way(*c->to->session) > 0)
            hear_next(c);
        else if (c->lacks_folder && !c->ends)
            make_folder(c);
        else if (!send_again(c))
            break;
    } while (true);
}

/* Sets the labels of messages in the folder, over another connection if one breaks. False, with the
 * problem. */
static bool set_labels(p3_imap *m, const p3_imap_place *at, size_t count, p3_problem *why)
{
    p3_imap_outcome is = P3_IMAP_LOST;
    for (int attempt = 0; is == P3_IMAP_LOST && attempt < 2; attempt++) {
        if (!connect_again(m, why))
            return false;
        is = p3_imap_label(*m->session, at, count, p3_clock_ms() + P3_LABEL_MS, why);
    }
    return is == P3_IMAP_APPENDED;
}

static bool has_labels(const p3_imap *m)
{
    const char *labels = m->mail.envelope->imap->labels;
    return labels != NULL && labels[0] != '\0';
}

/* Messages in the folder without their labels do not count as delivered: the next run finds them
 * there. */
static void label_batch(p3_course *c)
{
    size_t count = 0;
    for (size_t i = 0; i < c->batch->count; i++) {
        const p3_parcel *p = &c->batch->parcels[i];
        if (p->delivered && p->problem == NULL)
            c->place[count++] = c->place[i];
    }
    if (count == 0 || set_labels(c->to, c->place, count, &c->why))
        return;
    for (size_t i = 0; i < c->batch->count; i++) {
        p3_parcel *p = &c->batch->parcels[i];
        if (!p->delivered || p->problem != NULL)
            continue;
        p->delivered = false;
        p3_parcel_fail(p, c->why.exit, "delivering by IMAP: ", &c->why);
    }
    if (!c->ends)
        stop(c, "");
}

static void imap_deliver(p3_batch *b)
{
    p3_course c = {.to = (p3_imap *)b->to, .batch = b, .spool = p3_spooled_batch(b)};
    if (c.spool == NULL)
        return;
    c.at = calloc(b->count, sizeof *c.at);
    c.place = calloc(b->count, sizeof *c.place);
    if (c.at == NULL || c.place == NULL)
        p3_problem_memory(&b->problem);
    else
        run_course(&c);
    if (c.at != NULL && c.place != NULL && has_labels(c.to))
        label_batch(&c);
    free(c.at);
    free(c.place);
}

/* Sets the labels of messages that were found, which may lack them. */
static bool label_found(p3_imap *m, const p3_left_over *at, size_t count, p3_problem *why)
{
    size_t found = 0;
    p3_imap_place *place = calloc(count, sizeof *place);
    if (place == NULL)
        return p3_problem_memory(why);
    for (size_t i = 0; i < count; i++) {
        if (at[i].there)
            place[found++] = at[i].place;
    }
    bool ok = found == 0 || set_labels(m, place, found, why);
    free(place);
    return ok;
}

static bool imap_settle(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why)
{
    p3_imap *m = (p3_imap *)d;
    p3_problem later;
    if (m->mail.envelope == NULL || m->mail.envelope->imap == NULL)
        return p3_problem_set(
            why, EX_CONFIG,
            "looking for earlier messages at %s: the account no longer delivers there",
            m->mail.where);
    const char *refused = d->among_folders ? NULL : m->mail.envelope->refused;
    if (connect_again(m, &later) &&
        p3_imap_find(*m->session, d->owner.mark, at, count, true, p3_clock_ms() + P3_FIND_MS,
                     &later) &&
        (!has_labels(m) || label_found(m, at, count, &later)) &&
        (refused == NULL || p3_quarantine_settle(refused, at, count, &later)))
        return true;
    p3_problem_set(why, later.exit, "delivering by IMAP: %.700s", later.text);
    why->of_folder = later.of_folder;
    return false;
}

static void imap_close(p3_delivery *d)
{
    p3_imap *m = (p3_imap *)d;
    p3_spooled_clear(&m->mail);
    p3_imap_end(m->own);
    free(m);
}

static void imap_join(p3_delivery *d, p3_delivery *first)
{
    ((p3_imap *)d)->session = &((p3_imap *)first)->own;
}

static const p3_delivery_class imap_class = {
    .slow = true,
    .prints = true,
    .begin = imap_begin,
    .write = p3_spooled_write,
    .finish = p3_spooled_finish,
    .abandon = p3_spooled_abandon,
    .discard = p3_spooled_discard,
    .seal = p3_spooled_seal,
    .deliver = imap_deliver,
    .recorded = p3_spooled_recorded,
    .settle = imap_settle,
    .join = imap_join,
    .close = imap_close,
};

p3_delivery *p3_imap_open(const char *where, const p3_envelope *envelope, p3_problem *why)
{
    p3_imap *m = calloc(1, sizeof *m);
    if (m == NULL || !p3_spooled_init(&m->mail, &imap_class, where, envelope)) {
        free(m);
        p3_problem_memory(why);
        return NULL;
    }
    m->mail.server = "the IMAP server";
    m->session = &m->own;
    if (p3_imap_address_read(&m->address, m->mail.where))
        return &m->mail.base;
    p3_problem_set(why, EX_CONFIG, "opening %s: it is no address of an IMAP server", where);
    imap_close(&m->mail.base);
    return NULL;
}
