/* Delivers messages to Gmail, once each. */
#include "deliver/gmail_import.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "deliver/delivery.h"
#include "deliver/gmail_find.h"
#include "deliver/gmail_labels.h"
#include "support/crash_point.h"
#include "web/json_members.h"

enum { P3_UNITS_IMPORT = 25 };

/* The metadata for messages with the same labels; requested once. */
typedef struct p3_labelled {
    struct p3_labelled *next;
    char *labels;       /* names separated by commas */
    char *metadata;     /* or NULL */
    p3_problem failure; /* why no message gets these labels, if `exit` is not 0 */
} p3_labelled;

struct p3_gmail_importer {
    const p3_gmail_options *options;
    pthread_mutex_t mutex; /* of what follows */
    p3_labelled *labelled;
    bool is_blind; /* the token does not permit searching */
};

p3_gmail_importer *p3_gmail_importer_new(const p3_gmail_options *options, p3_problem *why)
{
    p3_gmail_importer *i = calloc(1, sizeof *i);
    if (i == NULL) {
        p3_problem_memory(why);
        return NULL;
    }
    i->options = options;
    pthread_mutex_init(&i->mutex, NULL);
    return i;
}

void p3_gmail_importer_free(p3_gmail_importer *i)
{
    if (i == NULL)
        return;
    for (p3_labelled *at = i->labelled; at != NULL; at = i->labelled) {
        i->labelled = at->next;
        free(at->labels);
        free(at->metadata);
        free(at);
    }
    pthread_mutex_destroy(&i->mutex);
    free(i);
}

/* The labels of a message: those for all, and its own. NULL when out of memory. */
static char *labels_of(const p3_gmail_options *o, const p3_gmail_mail *mail)
{
    const char *all = o->labels != NULL ? o->labels : mail->label_count == 0 ? "INBOX" : "";
    size_t size = strlen(all) + 1;
    for (size_t i = 0; i < mail->label_count; i++)
        size += strlen(mail->labels[i].address) + 1;
    char *text = malloc(size);
    size_t used = text != NULL ? (size_t)snprintf(text, size, "%s", all) : 0;
    for (size_t i = 0; text != NULL && i < mail->label_count; i++)
        used += (size_t)snprintf(text + used, size - used, ",%s", mail->labels[i].address);
    return text;
}

/* The entry for these labels, which it takes over. NULL when out of memory. */
static p3_labelled *entry_of(p3_gmail_importer *i, char *labels)
{
    p3_labelled *at = labels != NULL ? i->labelled : NULL;
    while (at != NULL && strcmp(at->labels, labels) != 0)
        at = at->next;
    if (at == NULL && labels != NULL && (at = calloc(1, sizeof *at)) != NULL) {
        *at = (p3_labelled){.next = i->labelled, .labels = labels};
        i->labelled = at;
        return at;
    }
    free(labels);
    return at;
}

/* The entry for a message, with its metadata; the first caller requests that, and others wait. It
 * belongs to the importer. NULL with the problem. */
static p3_labelled *find_labelled(p3_gmail_importer *i, p3_gmail_connection *l,
                                  const p3_gmail_mail *mail, p3_problem *why)
{
    pthread_mutex_lock(&i->mutex);
    p3_labelled *at = entry_of(i, labels_of(i->options, mail));
    if (at == NULL) {
        p3_problem_memory(why);
    } else if (at->failure.exit == 0 && at->metadata == NULL) {
        at->metadata = p3_gmail_metadata(l, at->labels, i->options->unread, &at->failure);
        if (at->metadata != NULL)
            at->failure = (p3_problem){0}; /* that of an earlier attempt */
    }
    if (at != NULL && at->failure.exit != 0) {
        *why = at->failure;
        at = NULL;
    }
    pthread_mutex_unlock(&i->mutex);
    return at;
}

/* Google refuses the labels of a message: the next ones with these labels are not sent. */
static void note_refused_labels(p3_gmail_importer *i, p3_labelled *at, p3_problem *why)
{
    pthread_mutex_lock(&i->mutex);
    why->of_folder = true;
    at->failure = *why;
    pthread_mutex_unlock(&i->mutex);
}

/* Searches for a message that may be there. P3_GMAIL_SCOPE: searching is not permitted; `why` has
 * the details. */
static p3_gmail_verdict look_for(p3_gmail_importer *i, p3_gmail_connection *l,
                                 const p3_gmail_identity *who, bool *there, p3_problem *why)
{
    if (who->id[0] == '\0') {
        p3_problem_set(why, EX_UNAVAILABLE,
                       "searching Gmail for a message of an earlier run: its Message-ID cannot be "
                       "searched for");
        return P3_GMAIL_SCOPE;
    }
    pthread_mutex_lock(&i->mutex);
    bool is_blind = i->is_blind;
    pthread_mutex_unlock(&i->mutex);
    p3_gmail_verdict is = is_blind ? P3_GMAIL_SCOPE : p3_gmail_find(l, who, there, why);
    if (is != P3_GMAIL_SCOPE)
        return is;
    p3_problem_set(why, EX_NOPERM,
                   "searching Gmail for a message of an earlier run: the token does not permit "
                   "that; grant all permissions that are asked for; %s",
                   i->options->renewal);
    pthread_mutex_lock(&i->mutex);
    i->is_blind = true;
    pthread_mutex_unlock(&i->mutex);
    return is;
}

/* The parts of an upload besides the message (RFC 2387). */
typedef struct p3_wrapping {
    char type[120];
    char *head;
    char tail[80];
} p3_wrapping;

/* Creates them. The boundary is random, so that it is not in the message. */
static bool wrap(p3_wrapping *w, const char *metadata, const p3_gmail_identity *who,
                 p3_problem *why)
{
    unsigned char octets[20];
    char boundary[2 * sizeof octets + 1];
    w->head = NULL;
    if (getentropy(octets, sizeof octets) != 0)
        return p3_problem_errno(why, errno, "delivering to Gmail: no randomness");
    for (size_t i = 0; i < sizeof octets; i++)
        snprintf(boundary + 2 * i, 3, "%02x", octets[i]);
    snprintf(w->type, sizeof w->type, "multipart/related; boundary=%s", boundary);
    snprintf(w->tail, sizeof w->tail, "\r\n--%s--\r\n", boundary);
    if (asprintf(&w->head,
                 "--%s\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n%s\r\n"
                 "--%s\r\nContent-Type: message/rfc822\r\n\r\n" P3_DELIVERY_FIELD ": %s\r\n%s%s%s",
                 boundary, metadata, boundary, who->mark, who->is_ours ? "Message-ID: <" : "",
                 who->is_ours ? who->id : "", who->is_ours ? ">\r\n" : "") < 0)
        w->head = NULL;
    return w->head != NULL || p3_problem_memory(why);
}

/* Sends the message once, except after temporary refusals. */
static p3_gmail_verdict upload(p3_gmail_importer *i, p3_gmail_connection *l,
                               const p3_gmail_mail *mail, const p3_gmail_identity *who,
                               p3_problem *why)
{
    const p3_gmail_options *o = i->options;
    char url[P3_GMAIL_URL];
    json_t *answer = NULL;
    p3_wrapping w;
    bool has_own = mail->label_count > 0; /* an invalid label is a problem of this message only */
    p3_labelled *labelled = find_labelled(i, l, mail, why);
    if (labelled == NULL && why->of_folder && has_own)
        return P3_GMAIL_LABEL;
    if (labelled == NULL || !wrap(&w, labelled->metadata, who, why))
        return P3_GMAIL_STOP;
    p3_gmail_url(l, url, "/upload",
                 "/messages/import?uploadType=multipart&internalDateSource=%s&neverMarkSpam=%s"
                 "&processForCalendar=%s",
                 o->date == P3_GMAIL_DATE_NOW ? "receivedTime" : "dateHeader",
                 o->never_spam ? "true" : "false", o->calendar ? "true" : "false");
    p3_http_upload body = {.head = w.head,
                           .head_len = strlen(w.head),
                           .fd = mail->fd,
                           .offset = mail->offset,
                           .length = mail->length,
                           .tail = w.tail,
                           .tail_len = strlen(w.tail)};
    const p3_gmail_call call = {.doing = "delivering to Gmail",
                                .request = {.url = url, .upload = &body, .type = w.type},
                                .units = P3_UNITS_IMPORT};
    p3_gmail_verdict is = p3_gmail_ask(l, &call, &answer, why);
    if (is == P3_GMAIL_GOOD && p3_member_text(answer, "id") == NULL) {
        p3_problem_set(why, EX_PROTOCOL, "delivering to Gmail: Google's answer has no id");
        is = P3_GMAIL_UNSURE;
    }
    json_decref(answer);
    free(w.head);
    p3_crash_point("gmail-answered");
    if (is == P3_GMAIL_LABEL)
        note_refused_labels(i, labelled, why);
    return is == P3_GMAIL_LABEL && !has_own ? P3_GMAIL_STOP : is;
}

static p3_gmail_outcome outcome_of(p3_gmail_verdict is)
{
    switch (is) {
    case P3_GMAIL_GOOD:
        return P3_GMAIL_DELIVERED;
    case P3_GMAIL_MESSAGE:
        return P3_GMAIL_REFUSED;
    case P3_GMAIL_LABEL:
        return P3_GMAIL_HELD;
    case P3_GMAIL_UNSURE:
        return P3_GMAIL_LATER;
    default:
        return P3_GMAIL_ENDED;
    }
}

p3_gmail_outcome p3_gmail_import(p3_gmail_importer *i, p3_gmail_connection *l,
                                 const p3_gmail_mail *mail, p3_problem *why)
{
    p3_gmail_identity who;
    p3_problem blind = {0}; /* why it is unknown whether it was there */
    bool again = mail->again;
    if (mail->length > P3_GMAIL_MOST) {
        p3_problem_set(why, EX_UNAVAILABLE,
                       "the message has %" PRIu64 " octets, and Google accepts %" PRIu64 " at most",
                       mail->length, P3_GMAIL_MOST);
        return P3_GMAIL_REFUSED;
    }
    if (!p3_gmail_identify(&who, mail->fd, mail->offset, mail->length, mail->name, &mail->print,
                           why))
        return P3_GMAIL_ENDED;
    for (int attempt = 0;; attempt++) {
        bool there = false;
        p3_gmail_verdict is = again ? look_for(i, l, &who, &there, why) : P3_GMAIL_GOOD;
        if (is == P3_GMAIL_SCOPE && attempt > 0)
            return P3_GMAIL_LATER; /* it has just failed; not again and again */
        if (is == P3_GMAIL_SCOPE)
            blind = *why;
        else if (is != P3_GMAIL_GOOD)
            return P3_GMAIL_ENDED;
        if (there)
            return P3_GMAIL_DELIVERED;
        is = upload(i, l, mail, &who, why);
        if (is == P3_GMAIL_GOOD && blind.exit != 0) {
            *why = blind;
            return P3_GMAIL_BLINDLY;
        }
        /* A server that failed may have carried it out nevertheless: ask before sending again. */
        if (is != P3_GMAIL_UNSURE || attempt + 1 == P3_GMAIL_ATTEMPTS)
            return outcome_of(is);
        p3_gmail_back_off(l, attempt, 0);
        again = true;
    }
}
