/* What to do with each message of a mailbox. */
#include "sync/plan.h"
#include "sync/grow.h"

#include <stdlib.h>
#include <string.h>

/* Most octets of unique-ids: a hundred for each of two and a half million messages. */
#define P3_UIDS_MOST ((size_t)256 * 1024 * 1024)

/* ---- the mailbox ---- */

bool p3_mailbox_add(p3_mailbox *box, uint32_t number, pop3_str uid)
{
    if (uid.len > P3_UIDS_MOST - box->text_used)
        return false;
    p3_mail *at = p3_grow(box->at, &box->room, box->count + 1, sizeof *at);
    if (at == NULL)
        return false;
    box->at = at;
    char *text = p3_grow(box->text, &box->text_room, box->text_used + uid.len, 1);
    if (text == NULL)
        return false;
    box->text = text;
    if (uid.len > 0)
        memcpy(box->text + box->text_used, uid.data, uid.len);
    box->text_used += uid.len;
    box->unordered = box->unordered || (box->count > 0 && number <= box->at[box->count - 1].number);
    box->at[box->count++] = (p3_mail){
        .number = number, .row = P3_NO_ROW, .octets = P3_SIZE_UNKNOWN, .uid = {NULL, uid.len}};
    return true;
}

/* Orders by message number, then by place. */
static int compare_numbers(const void *x, const void *y, void *mails)
{
    uint32_t a = *(const uint32_t *)x;
    uint32_t b = *(const uint32_t *)y;
    uint32_t m = ((const p3_mail *)mails)[a].number;
    uint32_t n = ((const p3_mail *)mails)[b].number;
    return m != n ? (m > n) - (m < n) : (a > b) - (a < b);
}

/* Most servers count, so that mailboxes and what is known of them tend to be in order already. */
static uint32_t *make_order(void *base, size_t count,
                            int (*compare)(const void *, const void *, void *))
{
    uint32_t *order = count < UINT32_MAX ? malloc((count + 1) * sizeof *order) : NULL;
    bool sorted = true;
    if (order == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
        sorted = sorted && (i == 0 || compare(&order[i - 1], &order[i], base) < 0);
    }
    if (!sorted)
        qsort_r(order, count, sizeof *order, compare, base);
    return order;
}

/* Of entries with the same message number leaves the first. */
static bool leave_first(p3_mailbox *box)
{
    uint32_t *order = make_order(box->at, box->count, compare_numbers);
    if (order == NULL)
        return false;
    uint32_t last = 0; /* no message has that number */
    for (size_t i = 0; i < box->count; i++) {
        p3_mail *mail = &box->at[order[i]];
        if (mail->number == last)
            mail->number = 0;
        else
            last = mail->number;
    }
    size_t left = 0;
    for (size_t i = 0; i < box->count; i++) {
        if (box->at[i].number != 0)
            box->at[left++] = box->at[i];
    }
    box->count = left;
    free(order);
    return true;
}

bool p3_mailbox_seal(p3_mailbox *box)
{
    const char *at = box->text != NULL ? box->text : "";
    for (size_t i = 0; i < box->count; i++) {
        box->at[i].uid.data = at;
        at += box->at[i].uid.len;
    }
    return !box->unordered || leave_first(box);
}

void p3_mailbox_size(p3_mailbox *box, uint32_t number, uint64_t octets)
{
    size_t low = 0;
    size_t high = box->count;
    while (low < high) {
        size_t half = low + (high - low) / 2;
        if (box->at[half].number < number)
            low = half + 1;
        else
            high = half;
    }
    if (low < box->count && box->at[low].number == number)
        box->at[low].octets = octets;
}

void p3_mailbox_free(p3_mailbox *box)
{
    free(box->at);
    free(box->text);
    free(box->prints);
    *box = (p3_mailbox){0};
}

p3_fingerprint p3_mailbox_print(const p3_mailbox *box, size_t i)
{
    return box->prints != NULL ? box->prints[i] : (p3_fingerprint){{0}};
}

bool p3_mailbox_set_print(p3_mailbox *box, size_t i, p3_fingerprint print)
{
    if (box->prints == NULL)
        box->prints = calloc(box->count, sizeof *box->prints);
    if (box->prints != NULL)
        box->prints[i] = print;
    return box->prints != NULL;
}

/* ---- the plan ---- */

static int compare_uids(pop3_str a, pop3_str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}

/* Orders by unique-id, then by place. Orders are arrays of indices: mailboxes are large. */
static int compare_mails(const void *x, const void *y, void *mails)
{
    uint32_t a = *(const uint32_t *)x;
    uint32_t b = *(const uint32_t *)y;
    int order = compare_uids(((const p3_mail *)mails)[a].uid, ((const p3_mail *)mails)[b].uid);
    return order != 0 ? order : (a > b) - (a < b);
}

static int compare_rows(const void *x, const void *y, void *rows)
{
    uint32_t a = *(const uint32_t *)x;
    uint32_t b = *(const uint32_t *)y;
    int order = compare_uids(((const p3_row *)rows)[a].uid, ((const p3_row *)rows)[b].uid);
    return order != 0 ? order : (a > b) - (a < b);
}

/* Mails and rows with the same unique-id: their indices. */
typedef struct p3_group {
    const uint32_t *mails;
    size_t mail_count;
    const uint32_t *rows;
    size_t row_count;
} p3_group;

/* Rows of messages that have not been delivered: their intents are for whoever comes next. */
static void take_group(p3_plan *plan, p3_mailbox *box, const p3_rows *rows, const p3_group *g)
{
    size_t r = 0;
    for (size_t i = 0; i < g->mail_count; i++) {
        p3_mail *mail = &box->at[g->mails[i]];
        if (mail->todo != P3_TODO_TAKE || mail->row != P3_NO_ROW)
            continue;
        while (r < g->row_count &&
               (rows->at[g->rows[r]].standing != P3_INTENT || plan->claimed[g->rows[r]]))
            r++;
        if (r == g->row_count)
            return;
        mail->row = g->rows[r];
        plan->claimed[mail->row] = true;
    }
}

static void plan_group(p3_plan *plan, p3_mailbox *box, const p3_rows *rows, const p3_group *g)
{
    size_t delivered = 0; /* or gone: known by a fingerprint */
    for (size_t i = 0; i < g->row_count; i++)
        delivered += rows->at[g->rows[i]].standing != P3_INTENT;
    bool single = g->mail_count == 1 && g->row_count == 1 && box->at[g->mails[0]].uid.len > 0;
    if (single && delivered == 1) {
        const p3_row *row = &rows->at[g->rows[0]];
        bool verifiable = p3_fingerprint_known(&row->fingerprint);
        if (row->standing == P3_DELIVERED || (row->standing == P3_LEAVING && !verifiable)) {
            p3_mail *mail = &box->at[g->mails[0]];
            mail->todo = P3_TODO_KEEP;
            mail->row = g->rows[0];
            plan->claimed[mail->row] = true;
            return;
        }
    }
    for (size_t i = 0; i < g->mail_count; i++)
        box->at[g->mails[i]].todo = delivered > 0 ? P3_TODO_LOOK : P3_TODO_TAKE;
    if (delivered == 0)
        take_group(plan, box, rows, g);
}

/* Whether messages that ought to be in the mailbox are all missing under their unique-ids, or have
 * none yet, as the server gave none when they were delivered. */
static bool seems_renumbered(const p3_plan *plan, const p3_mailbox *box, const p3_rows *rows)
{
    size_t expected = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->at[i].standing != P3_DELIVERED)
            continue;
        if (plan->claimed[i])
            return false;
        expected += p3_fingerprint_known(&rows->at[i].fingerprint);
    }
    return expected > 0 && box->count > 0;
}

typedef void (*p3_group_fn)(p3_plan *, p3_mailbox *, const p3_rows *, const p3_group *);

/* Calls a function for each unique-id of the mailbox. */
static bool for_each_group(p3_plan *plan, p3_mailbox *box, const p3_rows *rows, p3_group_fn call)
{
    uint32_t *mails = make_order(box->at, box->count, compare_mails);
    uint32_t *known = make_order(rows->at, rows->count, compare_rows);
    bool ok = mails != NULL && known != NULL;
    size_t k = 0;
    for (size_t i = 0; ok && i < box->count;) {
        pop3_str uid = box->at[mails[i]].uid;
        p3_group g = {.mails = mails + i};
        while (i < box->count && compare_uids(box->at[mails[i]].uid, uid) == 0)
            i++;
        g.mail_count = (size_t)(mails + i - g.mails);
        while (k < rows->count && compare_uids(rows->at[known[k]].uid, uid) < 0)
            k++;
        g.rows = known + k;
        while (k < rows->count && compare_uids(rows->at[known[k]].uid, uid) == 0)
            k++;
        g.row_count = (size_t)(known + k - g.rows);
        call(plan, box, rows, &g);
    }
    free(mails);
    free(known);
    return ok;
}

bool p3_plan_make(p3_plan *plan, p3_mailbox *box, const p3_rows *rows)
{
    *plan = (p3_plan){.claimed = calloc(rows->count + 1, sizeof(bool))};
    if (plan->claimed == NULL || !for_each_group(plan, box, rows, plan_group))
        return false;
    plan->renumbered = seems_renumbered(plan, box, rows);
    for (size_t i = 0; i < box->count; i++) {
        if (plan->renumbered && box->at[i].todo == P3_TODO_TAKE && box->at[i].row == P3_NO_ROW)
            box->at[i].todo = P3_TODO_LOOK;
        plan->looks += box->at[i].todo == P3_TODO_LOOK;
    }
    return true;
}

/* A row in an order by fingerprint. */
typedef struct p3_printed {
    const p3_row *row;
    uint32_t index;
} p3_printed;

static int compare_printed(const void *x, const void *y)
{
    const p3_printed *a = x;
    const p3_printed *b = y;
    int order = memcmp(a->row->fingerprint.octets, b->row->fingerprint.octets,
                       sizeof a->row->fingerprint.octets);
    if (order != 0)
        return order;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* The first row that has this fingerprint, or a later one. */
static size_t lower_bound(const p3_printed *at, size_t count, const p3_fingerprint *f)
{
    size_t low = 0;
    while (count > 0) {
        size_t half = count / 2;
        if (memcmp(at[low + half].row->fingerprint.octets, f->octets, sizeof f->octets) < 0) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

/* The row of a message that was looked at, or P3_NO_ROW. */
static uint32_t find_row(const p3_plan *plan, pop3_str uid, p3_fingerprint print,
                         const p3_printed *at, size_t count)
{
    uint32_t other = P3_NO_ROW;
    for (size_t i = lower_bound(at, count, &print);
         i < count && p3_fingerprint_equal(&at[i].row->fingerprint, &print); i++) {
        if (plan->claimed[at[i].index] || at[i].row->standing == P3_INTENT)
            continue;
        if (compare_uids(at[i].row->uid, uid) == 0)
            return at[i].index;
        if (other == P3_NO_ROW)
            other = at[i].index;
    }
    return plan->renumbered ? other : P3_NO_ROW;
}

bool p3_plan_resolve(p3_plan *plan, p3_mailbox *box, const p3_rows *rows)
{
    p3_printed *printed = malloc((rows->count + 1) * sizeof *printed);
    if (printed == NULL)
        return false;
    for (size_t i = 0; i < rows->count; i++)
        printed[i] = (p3_printed){&rows->at[i], (uint32_t)i};
    qsort(printed, rows->count, sizeof *printed, compare_printed);
    for (size_t i = 0; i < box->count; i++) {
        p3_mail *mail = &box->at[i];
        if (mail->todo != P3_TODO_LOOK)
            continue;
        mail->todo = P3_TODO_NOTHING;
        p3_fingerprint print = p3_mailbox_print(box, i);
        if (!p3_fingerprint_known(&print))
            continue;
        mail->row = find_row(plan, mail->uid, print, printed, rows->count);
        mail->todo = mail->row == P3_NO_ROW ? P3_TODO_TAKE : P3_TODO_KEEP;
        if (mail->row != P3_NO_ROW)
            plan->claimed[mail->row] = true;
    }
    free(printed);
    return for_each_group(plan, box, rows, take_group);
}

void p3_plan_free(p3_plan *plan)
{
    free(plan->claimed);
    *plan = (p3_plan){0};
}
