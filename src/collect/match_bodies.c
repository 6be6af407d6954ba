/* Finds the rows of messages that were compared to the last octet and are not those of the rows
 * that their headers found: many may have the same header, and no server promises to list them in
 * the order of last time. */
#include "collect/match_bodies.h"

#include <stdlib.h>
#include <string.h>

/* A message or a row. */
typedef struct p3_whole {
    p3_fingerprint header;
    p3_fingerprint body;
    pop3_str uid; /* empty in the pass for which it does not count */
    uint32_t index;
} p3_whole;

static int compare_octets(const p3_whole *a, const p3_whole *b)
{
    int order = memcmp(a->header.octets, b->header.octets, sizeof a->header.octets);
    if (order == 0)
        order = memcmp(a->body.octets, b->body.octets, sizeof a->body.octets);
    return order != 0 ? order : p3_compare_uids(a->uid, b->uid);
}

static int compare_wholes(const void *x, const void *y)
{
    const p3_whole *a = x;
    const p3_whole *b = y;
    int order = compare_octets(a, b);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static size_t gather_others(const p3_mailbox *box, const p3_others *others, bool by_uid,
                            p3_whole *out)
{
    size_t n = 0;
    for (size_t i = 0; i < others->count; i++) {
        const p3_other *o = &others->at[i];
        pop3_str uid = by_uid ? box->at[o->mail].uid : (pop3_str){"", 0};
        if (box->at[o->mail].row == P3_NO_ROW)
            out[n++] = (p3_whole){o->header, o->body, uid, (uint32_t)o->mail};
    }
    return n;
}

/* The rows that no message has, and whose message may be there: with its own unique-id, or with
 * another where that is possible at all. */
static size_t gather_rows(const p3_plan *plan, const p3_mailbox *box, const p3_rows *rows,
                          bool by_uid, p3_whole *out)
{
    size_t n = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const p3_row *row = &rows->at[i];
        bool anywhere = plan->renumbered || box->numbered || row->standing == P3_DOUBTED;
        if (plan->claimed[i] || p3_is_intent(row->standing) || row->standing == P3_GONE ||
            !p3_fingerprint_known(&row->fingerprint) || !p3_fingerprint_known(&row->body) ||
            (!by_uid && !anywhere))
            continue;
        pop3_str uid = by_uid ? row->uid : (pop3_str){"", 0};
        out[n++] = (p3_whole){row->fingerprint, row->body, uid, (uint32_t)i};
    }
    return n;
}

static void walk(p3_plan *plan, p3_mailbox *box, const p3_whole *mails, size_t mail_count,
                 const p3_whole *rows, size_t row_count)
{
    size_t r = 0;
    for (size_t m = 0; m < mail_count && r < row_count;) {
        int order = compare_octets(&mails[m], &rows[r]);
        if (order > 0) {
            r++;
            continue;
        }
        if (order == 0) {
            p3_mail *mail = &box->at[mails[m].index];
            mail->row = rows[r].index;
            mail->todo = P3_TODO_KEEP;
            mail->certain = P3_CERTAIN;
            plan->claimed[rows[r++].index] = true;
        }
        m++;
    }
}

bool p3_others_add(p3_others *o, p3_other other)
{
    p3_other *at = p3_grow(o->at, &o->room, o->count + 1, sizeof *at);
    if (at == NULL)
        return false;
    o->at = at;
    o->at[o->count++] = other;
    return true;
}

void p3_others_free(p3_others *o)
{
    free(o->at);
    *o = (p3_others){0};
}

bool p3_plan_match_others(p3_plan *plan, p3_mailbox *box, const p3_rows *rows,
                          const p3_others *others)
{
    p3_whole *mails = malloc((others->count + 1) * sizeof *mails);
    p3_whole *known = malloc((rows->count + 1) * sizeof *known);
    bool ok = mails != NULL && known != NULL;
    for (size_t i = 0; ok && i < others->count; i++)
        p3_plan_take(plan, &box->at[others->at[i].mail]);
    for (int by_uid = 1; ok && by_uid >= 0; by_uid--) {
        size_t m = gather_others(box, others, by_uid, mails);
        size_t k = gather_rows(plan, box, rows, by_uid, known);
        qsort(mails, m, sizeof *mails, compare_wholes);
        qsort(known, k, sizeof *known, compare_wholes);
        walk(plan, box, mails, m, known, k);
    }
    free(mails);
    free(known);
    return ok;
}
