/* Decides what to do with each message of a mailbox. */
#include "collect/plan.h"

#include <stdlib.h>

/* Compares unique-ids, then places. Orders are arrays of indices, because mailboxes are large. */
static int compare_mails(const void *x, const void *y, void *mails)
{
    uint32_t a = *(const uint32_t *)x;
    uint32_t b = *(const uint32_t *)y;
    int order = p3_compare_uids(((const p3_mail *)mails)[a].uid, ((const p3_mail *)mails)[b].uid);
    return order != 0 ? order : (a > b) - (a < b);
}

static int compare_rows(const void *x, const void *y, void *rows)
{
    uint32_t a = *(const uint32_t *)x;
    uint32_t b = *(const uint32_t *)y;
    int order = p3_compare_uids(((const p3_row *)rows)[a].uid, ((const p3_row *)rows)[b].uid);
    return order != 0 ? order : (a > b) - (a < b);
}

/* Messages and rows with the same unique-id: their indices. */
typedef struct p3_group {
    const uint32_t *mails;
    size_t mail_count;
    const uint32_t *rows;
    size_t row_count;
} p3_group;

/* Whether some targets of a list have a message, and its header is known. */
static bool is_partial(const p3_row *row)
{
    return p3_is_intent(row->standing) && row->members != 0 &&
           p3_fingerprint_known(&row->fingerprint);
}

/* Whether a unique-id has only ever identified one message. */
static bool is_named(const p3_listing *box, const p3_group *g)
{
    return g->mail_count == 1 && g->row_count == 1 && box->at[g->mails[0]].uid.len > 0 &&
           !box->numbered;
}

/* Whether a row is for the next retrieved message with its unique-id: an intent, or a delivery in
 * doubt that is not the message listed now. A row of a message that some targets of a list have is
 * for no other message. */
static bool is_for_next(const p3_row *row, bool named)
{
    if (row->standing == P3_DOUBTED)
        return named;
    return p3_is_intent(row->standing) && (row->members == 0 || named);
}

static void take_group(p3_plan *plan, p3_listing *box, const p3_rows *rows, const p3_group *g)
{
    size_t r = 0;
    bool named = is_named(box, g);
    for (size_t i = 0; i < g->mail_count; i++) {
        p3_mail *mail = &box->at[g->mails[i]];
        if (mail->todo != P3_TODO_RETRIEVE || mail->row != P3_NO_ROW)
            continue;
        while (r < g->row_count &&
               (!is_for_next(&rows->at[g->rows[r]], named) || plan->claimed[g->rows[r]]))
            r++;
        if (r == g->row_count)
            return;
        mail->row = g->rows[r];
        plan->claimed[mail->row] = true;
    }
}

/* Whether the sizes that LIST gave then and gives now differ. */
static bool sizes_differ(const p3_row *row, const p3_mail *mail)
{
    return row->octets != 0 && mail->octets != P3_SIZE_UNKNOWN && row->octets != mail->octets;
}

/* Whether, by the listing, a message is that of the only row of its unique-id. */
static bool is_believed(const p3_listing *box, const p3_mail *mail, const p3_row *row)
{
    if (mail->uid.len == 0 || sizes_differ(row, mail))
        return false;
    if (row->standing != P3_DELIVERED && row->standing != P3_PASSED_OVER)
        return row->standing == P3_LEAVING && !p3_fingerprint_known(&row->fingerprint);
    /* Numbers are reused when another client deletes. */
    return !box->numbered ||
           (row->octets != 0 && row->octets == mail->octets && p3_fingerprint_known(&row->body));
}

bool p3_plan_is_listed(const p3_listing *box, const p3_mail *mail, const p3_row *row)
{
    return row->standing == P3_DELIVERED && !row->common && !box->numbered &&
           p3_compare_uids(mail->uid, row->uid) == 0 && is_believed(box, mail, row);
}

/* Whether a message should be in the mailbox. */
static bool is_expected(p3_standing standing)
{
    return standing == P3_DELIVERED || standing == P3_LEAVING || standing == P3_PASSED_OVER;
}

static void plan_group(p3_plan *plan, p3_listing *box, const p3_rows *rows, const p3_group *g)
{
    size_t delivered = 0; /* or gone: known by a fingerprint */
    for (size_t i = 0; i < g->row_count; i++) {
        p3_standing standing = rows->at[g->rows[i]].standing;
        /* or delivered to some targets, where its header identifies it */
        delivered +=
            !p3_is_intent(standing) || (is_partial(&rows->at[g->rows[i]]) && !is_named(box, g));
        plan->met = plan->met || (is_expected(standing) && box->at[g->mails[0]].uid.len > 0);
    }
    p3_mail *first = &box->at[g->mails[0]];
    plan->twice += g->mail_count > 1 && first->uid.len > 0;
    if (g->mail_count == 1 && g->row_count == 1 && delivered == 1 &&
        is_believed(box, first, &rows->at[g->rows[0]])) {
        first->todo = P3_TODO_KEEP;
        first->row = g->rows[0];
        first->certain =
            box->numbered || rows->at[first->row].common ? P3_UNCERTAIN : P3_CERTAIN_LISTED;
        plan->claimed[first->row] = true;
        return;
    }
    for (size_t i = 0; i < g->mail_count; i++)
        box->at[g->mails[i]].todo = delivered > 0 ? P3_TODO_READ_HEADER : P3_TODO_RETRIEVE;
    if (delivered == 0)
        take_group(plan, box, rows, g);
}

/* Whether all expected messages, including those whose deletion was not confirmed, are missing
 * under their unique-ids, or were delivered when the server had none. */
static bool seems_renumbered(const p3_plan *plan, const p3_listing *box, const p3_rows *rows)
{
    if (plan->met || box->count == 0)
        return false;
    for (size_t i = 0; i < rows->count; i++) {
        const p3_row *row = &rows->at[i];
        if (is_expected(row->standing) && p3_fingerprint_known(&row->fingerprint))
            return true;
    }
    return false;
}

typedef void (*p3_group_fn)(p3_plan *, p3_listing *, const p3_rows *, const p3_group *);

/* Calls a function for each unique-id of the listing. */
static bool for_each_group(p3_plan *plan, p3_listing *box, const p3_rows *rows, p3_group_fn call)
{
    uint32_t *mails = p3_make_order(box->at, box->count, compare_mails);
    uint32_t *known = p3_make_order(rows->at, rows->count, compare_rows);
    bool ok = mails != NULL && known != NULL;
    size_t k = 0;
    for (size_t i = 0; ok && i < box->count;) {
        pop3_str uid = box->at[mails[i]].uid;
        p3_group g = {.mails = mails + i};
        while (i < box->count && p3_compare_uids(box->at[mails[i]].uid, uid) == 0)
            i++;
        g.mail_count = (size_t)(mails + i - g.mails);
        while (k < rows->count && p3_compare_uids(rows->at[known[k]].uid, uid) < 0)
            k++;
        g.rows = known + k;
        while (k < rows->count && p3_compare_uids(rows->at[known[k]].uid, uid) == 0)
            k++;
        g.row_count = (size_t)(known + k - g.rows);
        call(plan, box, rows, &g);
    }
    free(mails);
    free(known);
    return ok;
}

bool p3_plan_make(p3_plan *plan, p3_listing *box, const p3_rows *rows)
{
    *plan = (p3_plan){.claimed = calloc(rows->count + 1, sizeof(bool))};
    if (plan->claimed == NULL || !for_each_group(plan, box, rows, plan_group))
        return false;
    plan->renumbered = seems_renumbered(plan, box, rows);
    for (size_t i = 0; i < box->count; i++) {
        if (plan->renumbered && box->at[i].todo == P3_TODO_RETRIEVE && box->at[i].row == P3_NO_ROW)
            box->at[i].todo = P3_TODO_READ_HEADER;
        plan->looks += box->at[i].todo == P3_TODO_READ_HEADER;
    }
    return true;
}

/* New messages that their unique-ids do not identify. */
static void doubt_group(p3_plan *plan, p3_listing *box, const p3_rows *rows, const p3_group *g)
{
    (void)rows;
    for (size_t i = 0; i < g->mail_count; i++) {
        p3_mail *mail = &box->at[g->mails[i]];
        bool named = mail->uid.len > 0 && g->mail_count == 1 && !box->numbered;
        if (named || mail->todo != P3_TODO_RETRIEVE)
            continue;
        if (mail->row != P3_NO_ROW)
            p3_plan_retrieve(plan, mail);
        mail->todo = P3_TODO_READ_HEADER;
        plan->looks++;
    }
}

bool p3_plan_doubt(p3_plan *plan, p3_listing *box, const p3_rows *rows)
{
    return for_each_group(plan, box, rows, doubt_group);
}

/* Whether a message that was found by its header is certainly that of its row, so that nothing else
 * must be compared before it is deleted. */
static bool is_certain(const p3_listing *box, size_t i, const p3_row *row)
{
    const p3_mail *mail = &box->at[i];
    bool sized = row->octets != 0 && row->octets == mail->octets;
    bool same_uid =
        mail->uid.len > 0 && !box->numbered && p3_compare_uids(mail->uid, row->uid) == 0;
    if (row->standing == P3_GONE || row->common || !p3_listing_look(box, i).distinctive)
        return false;
    if (row->standing == P3_DOUBTED)
        return same_uid && sized;
    return (same_uid && !sizes_differ(row, mail)) || !p3_fingerprint_known(&row->body);
}

/* A header differs from that of the listed message. TOP may show another header than RETR, so the
 * message itself is compared. */
static void doubt_top(p3_plan *plan, p3_listing *box, const p3_rows *rows, const p3_group *g)
{
    p3_mail *mail = &box->at[g->mails[0]];
    if (!is_named(box, g) || mail->todo != P3_TODO_RETRIEVE || mail->row != P3_NO_ROW ||
        plan->claimed[g->rows[0]] || !p3_plan_is_listed(box, mail, &rows->at[g->rows[0]]))
        return;
    mail->row = g->rows[0];
    mail->todo = P3_TODO_KEEP;
    mail->certain = P3_UNCERTAIN;
    plan->claimed[mail->row] = true;
}

/* A message that is new by its header only: notes when the last one under its unique-id was
 * delivered. If their bodies are the same as well, a server or a filter changes the header, and the
 * age of the message is that of the first copy; otherwise it would be delivered at each visit and
 * never be due. */
static void note_earlier(p3_plan *plan, p3_listing *box, const p3_rows *rows, const p3_group *g)
{
    size_t i = g->mails[0];
    const p3_row *earlier = NULL;
    (void)plan;
    if (box->looks == NULL || g->mail_count != 1 || box->numbered || box->at[i].uid.len == 0 ||
        box->at[i].todo != P3_TODO_RETRIEVE || box->at[i].row != P3_NO_ROW)
        return;
    for (size_t r = 0; r < g->row_count; r++) {
        const p3_row *row = &rows->at[g->rows[r]];
        if ((row->standing == P3_DELIVERED || row->standing == P3_LEAVING) &&
            p3_fingerprint_known(&row->body))
            earlier = row;
    }
    if (earlier == NULL)
        return;
    box->looks[i].body = earlier->body;
    box->looks[i].since = earlier->time;
}

bool p3_plan_resolve(p3_plan *plan, p3_listing *box, const p3_rows *rows)
{
    p3_match match = {.rows = rows, .claimed = plan->claimed, .renumbered = plan->renumbered};
    if (!p3_match_headers(box, &match))
        return false;
    for (size_t i = 0; i < box->count; i++) {
        p3_mail *mail = &box->at[i];
        if (mail->todo != P3_TODO_READ_HEADER)
            continue;
        p3_look look = p3_listing_look(box, i);
        if (mail->row != P3_NO_ROW && p3_is_intent(rows->at[mail->row].standing)) {
            mail->todo = P3_TODO_RETRIEVE;
        } else if (mail->row != P3_NO_ROW) {
            mail->todo = P3_TODO_KEEP;
            mail->certain = is_certain(box, i, &rows->at[mail->row]) ? P3_CERTAIN : P3_UNCERTAIN;
        } else {
            mail->todo = p3_fingerprint_known(&look.print) ? P3_TODO_RETRIEVE : P3_TODO_NOTHING;
        }
    }
    return for_each_group(plan, box, rows, doubt_top) &&
           for_each_group(plan, box, rows, take_group) &&
           for_each_group(plan, box, rows, note_earlier);
}

void p3_plan_mismatch(p3_plan *plan, p3_mail *mail)
{
    p3_plan_retrieve(plan, mail);
    mail->todo = P3_TODO_MATCH;
    plan->mismatches++;
}

bool p3_plan_match(p3_plan *plan, p3_listing *box, const p3_rows *rows)
{
    p3_match match = {.rows = rows, .claimed = plan->claimed, .renumbered = plan->renumbered};
    if (plan->mismatches > 0 && !p3_match_bodies(box, &match))
        return false;
    for (size_t i = 0; i < box->count && plan->mismatches > 0; i++) {
        p3_mail *mail = &box->at[i];
        if (mail->todo != P3_TODO_MATCH)
            continue;
        mail->todo = mail->row != P3_NO_ROW ? P3_TODO_KEEP : P3_TODO_RETRIEVE;
        mail->certain = mail->row != P3_NO_ROW ? P3_CERTAIN : P3_UNCERTAIN;
    }
    return plan->mismatches == 0 || for_each_group(plan, box, rows, note_earlier);
}

void p3_plan_look(p3_plan *plan, p3_mail *mail)
{
    p3_plan_retrieve(plan, mail);
    mail->todo = P3_TODO_READ_HEADER;
    plan->looks++;
}

void p3_plan_retrieve(p3_plan *plan, p3_mail *mail)
{
    plan->claimed[mail->row] = false;
    mail->row = P3_NO_ROW;
    mail->todo = P3_TODO_RETRIEVE;
}

void p3_plan_free(p3_plan *plan)
{
    free(plan->claimed);
    *plan = (p3_plan){0};
}
