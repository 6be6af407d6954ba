/* What is recorded before the first message is asked for: what the listing tells about what is
 * known, and which messages are about to be delivered under which names. */
#include "collect/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* So many intents are recorded while the line waits: about as many as a window of commands, so that
 * it is busy while the others are recorded. */
#define P3_FIRST_INTENTS 1000

/* How a row is to be changed now that the mailbox has been seen. */
static bool change_row(p3_session *s, size_t i, p3_change *out)
{
    p3_row *row = &s->rows.at[i];
    int64_t now = time(NULL);
    if (s->plan.claimed[i] || row->standing == P3_INTENT) {
        *out = (p3_change){.row = *row, .forget = row->standing == P3_INTENT};
        return row->standing == P3_INTENT && !s->plan.claimed[i];
    }
    if (row->standing == P3_GONE || row->standing == P3_DOUBTED) {
        *out = (p3_change){.row = *row, .forget = true};
        return row->standing == P3_DOUBTED || row->time + P3_GONE_SECONDS < now;
    }
    row->standing = P3_GONE;
    row->time = now;
    *out = (p3_change){.row = *row};
    return true;
}

/* Whether a message that was looked at is not in the state as it ought to be. */
static bool change_kept(p3_session *s, const p3_mail *mail, p3_change *out)
{
    p3_row *row = &s->rows.at[mail->row];
    bool same = row->uid.len == mail->uid.len &&
                (row->uid.len == 0 || memcmp(row->uid.data, mail->uid.data, row->uid.len) == 0);
    uint64_t octets = mail->octets != P3_SIZE_UNKNOWN ? mail->octets : row->octets;
    bool timed = p3_calendar_plausible(&s->calendar, row->time) || s->calendar.stamp == 0;
    if (same && row->standing == P3_DELIVERED && row->octets == octets && timed)
        return false;
    if (!timed) /* delivered when the clock was wrong: its age counts from here on */
        row->time = s->calendar.stamp;
    row->tries = row->standing == P3_GONE ? row->tries + 1 : row->tries; /* it has come back */
    row->standing = P3_DELIVERED;
    row->octets = octets;
    row->uid = mail->uid;
    *out = (p3_change){.row = *row};
    return true;
}

/* The intent to deliver a message under a name. */
static bool intend(p3_session *s, size_t i, p3_change *out)
{
    p3_mail *mail = &s->box.at[s->taking.mails[i]];
    if (mail->row == P3_NO_ROW)
        mail->row = p3_rows_add(&s->rows, mail->uid);
    if (mail->row == P3_NO_ROW)
        return false;
    p3_row *row = &s->rows.at[mail->row];
    if (row->standing == P3_INTENT && p3_names_made_for(row->name, s->owner.mark) &&
        p3_target_row_of(s->account->target.kind)->keeps_names)
        p3_name_list_set(&s->mail_names, i, row->name);
    row->standing = P3_INTENT;
    row->uid = mail->uid;
    row->name = p3_name_list_at(&s->mail_names, i);
    *out = (p3_change){.row = *row};
    return true;
}

/* Adds the intents of the next messages, up to `end`. */
static bool intend_up_to(p3_session *s, size_t end, p3_change *changes, size_t *n)
{
    while (s->mail_names.count < end) {
        p3_name_list_add(&s->mail_names, &s->run->names);
        if (!intend(s, s->mail_names.count - 1, &changes[(*n)++]))
            return false;
    }
    return true;
}

bool p3_session_record_intents(p3_session *s)
{
    size_t known = s->rows.count;
    size_t first = s->taking.count < P3_FIRST_INTENTS ? s->taking.count : P3_FIRST_INTENTS;
    size_t n = 0;
    p3_change *changes = calloc(known + s->box.count + first + 1, sizeof *changes);
    if (changes == NULL ||
        !p3_name_list_init(&s->mail_names, &s->run->names, s->taking.count, s->owner)) {
        free(changes);
        p3_session_fail_memory(s);
        return false;
    }
    for (size_t i = 0; i < known; i++)
        n += change_row(s, i, &changes[n]);
    for (size_t i = 0; i < s->box.count; i++) {
        if (s->box.at[i].todo == P3_TODO_KEEP)
            n += change_kept(s, &s->box.at[i], &changes[n]);
    }
    if (!intend_up_to(s, first, changes, &n)) {
        free(changes);
        p3_session_fail_memory(s);
        return false;
    }
    if (n > 0)
        return p3_session_record_for(s, changes, n, first > 0 ? &s->account->target : NULL, first);
    free(changes);
    return true;
}

bool p3_session_record_later_intents(p3_session *s)
{
    size_t rest = s->taking.count - s->mail_names.count;
    size_t n = 0;
    if (rest == 0)
        return true;
    p3_change *changes = calloc(rest, sizeof *changes);
    if (changes == NULL || !intend_up_to(s, s->taking.count, changes, &n)) {
        free(changes);
        p3_session_fail_memory(s);
        return false;
    }
    return p3_session_record_for(s, changes, n, NULL, s->taking.count);
}
