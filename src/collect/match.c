/* Finds the rows of messages. Rows and messages are sorted in the same order and walked through
 * together, so the work is linear after sorting. */
#include "collect/match.h"
#include "system/sort.h"

#include <stdlib.h>
#include <string.h>

/* A message or a row, for sorting. */
typedef struct p3_side {
    uint32_t index;
    p3_fingerprint print;
    p3_fingerprint body; /* zero in a pass that ignores it */
    pop3_str uid;        /* empty in a pass that ignores it */
    uint64_t octets;     /* unknown: 0 for a row, UINT64_MAX for a message */
    bool sized;          /* rows: the sizes must be equal if both are known */
    bool comparable;     /* rows: the body is known */
} p3_side;

/* What must be equal, besides the header. */
typedef struct p3_pass {
    bool uid;
    bool size;
    bool gone;  /* only rows of messages that are gone */
    bool whole; /* only messages that are not those of their rows, compared to the last octet */
} p3_pass;

static int compare_keys(const p3_side *a, const p3_side *b, const p3_pass *pass)
{
    int order = memcmp(a->print.octets, b->print.octets, sizeof a->print.octets);
    if (order == 0)
        order = memcmp(a->body.octets, b->body.octets, sizeof a->body.octets);
    if (order == 0)
        order = p3_compare_uids(a->uid, b->uid);
    if (order == 0 && pass->size)
        order = (a->octets > b->octets) - (a->octets < b->octets);
    return order;
}

static int compare_sides(const void *x, const void *y, void *pass)
{
    const p3_side *a = x;
    const p3_side *b = y;
    int order = compare_keys(a, b, pass);
    if (order == 0 && a->sized != b->sized)
        order = a->sized ? 1 : -1;
    if (order == 0)
        order = (a->octets > b->octets) - (a->octets < b->octets);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

static pop3_str uid_in(const p3_pass *pass, pop3_str uid)
{
    return pass->uid ? uid : (pop3_str){"", 0};
}

/* The messages of a pass that have not been matched yet. */
static size_t gather_mails(const p3_listing *box, const p3_pass *pass, p3_side *out)
{
    size_t n = 0;
    for (size_t i = 0; i < box->count; i++) {
        const p3_mail *mail = &box->at[i];
        p3_look look = p3_listing_look(box, i);
        bool named = mail->uid.len > 0 && !box->numbered;
        if (mail->todo != (pass->whole ? P3_TODO_MATCH : P3_TODO_READ_HEADER) ||
            mail->row != P3_NO_ROW || !p3_fingerprint_known(&look.print) ||
            (pass->gone && !look.distinctive && !named))
            continue;
        out[n++] = (p3_side){.index = (uint32_t)i,
                             .print = look.print,
                             .body = look.body,
                             .uid = uid_in(pass, mail->uid),
                             .octets = pass->whole ? 0 : mail->octets};
    }
    return n;
}

/* Whether a row can be matched in a pass. */
static bool is_open(const p3_row *row, const p3_pass *pass)
{
    if (p3_is_intent(row->standing) && (pass->whole || row->members == 0))
        return false;
    return (row->standing == P3_GONE) == pass->gone && p3_fingerprint_known(&row->fingerprint) &&
           (!pass->whole || p3_fingerprint_known(&row->body));
}

/* The rows without a message. A message is searched for under other unique-ids only if it may have
 * got one, or if messages may have been recorded under those of others. */
static size_t gather_rows(const p3_match *match, const p3_listing *box, const p3_pass *pass,
                          p3_side *out)
{
    size_t n = 0;
    for (size_t i = 0; i < match->rows->count; i++) {
        const p3_row *row = &match->rows->at[i];
        bool anywhere = match->renumbered || box->numbered || row->standing == P3_DOUBTED;
        if (match->claimed[i] || !is_open(row, pass) || (!pass->uid && !anywhere))
            continue;
        p3_side *side = &out[n++];
        *side = (p3_side){.index = (uint32_t)i,
                          .print = row->fingerprint,
                          .uid = uid_in(pass, row->uid),
                          .comparable = p3_fingerprint_known(&row->body)};
        if (pass->whole) {
            side->body = row->body;
        } else {
            side->octets = row->octets;
            side->sized = row->standing == P3_DOUBTED;
        }
    }
    return n;
}

/* Whether a row may be that of a message with the same header. A header that others may have, and a
 * delivery in a session that was out of step, require the same size. A message that is gone, or has
 * another unique-id now, matches such a header only if it can be compared to the last octet. */
static bool may_be(const p3_listing *box, const p3_side *mail, const p3_side *row,
                   const p3_pass *pass)
{
    bool known = row->octets != 0 && mail->octets != P3_SIZE_UNKNOWN;
    bool common = !p3_listing_look(box, mail->index).distinctive;
    if (common && !row->comparable && (pass->gone || !pass->uid))
        return false;
    return !known || row->octets == mail->octets || !(row->sized || common);
}

static void walk(const p3_match *match, p3_listing *box, const p3_pass *pass, const p3_side *mails,
                 size_t mail_count, const p3_side *rows, size_t row_count)
{
    size_t r = 0;
    for (size_t m = 0; m < mail_count && r < row_count;) {
        int order = compare_keys(&mails[m], &rows[r], pass);
        if (order > 0) {
            r++;
        } else if (order < 0 || !may_be(box, &mails[m], &rows[r], pass)) {
            m++; /* rows of unknown size come first, messages of unknown size last */
        } else {
            box->at[mails[m++].index].row = rows[r].index;
            match->claimed[rows[r++].index] = true;
        }
    }
}

static bool find_rows(p3_listing *box, const p3_match *match, const p3_pass *passes, size_t count)
{
    p3_side *mails = malloc((box->count + 1) * sizeof *mails);
    p3_side *known = malloc((match->rows->count + 1) * sizeof *known);
    bool ok = mails != NULL && known != NULL;
    for (size_t i = 0; ok && i < count; i++) {
        p3_pass pass = passes[i];
        size_t m = gather_mails(box, &pass, mails);
        size_t k = gather_rows(match, box, &pass, known);
        p3_sort(mails, m, sizeof *mails, compare_sides, &pass);
        p3_sort(known, k, sizeof *known, compare_sides, &pass);
        walk(match, box, &pass, mails, m, known, k);
    }
    free(mails);
    free(known);
    return ok;
}

bool p3_match_headers(p3_listing *box, const p3_match *match)
{
    static const p3_pass passes[] = {{.uid = true, .size = true},
                                     {.uid = true},
                                     {.size = true},
                                     {.uid = false},
                                     {.uid = true, .gone = true}};
    return find_rows(box, match, passes, sizeof passes / sizeof *passes);
}

bool p3_match_bodies(p3_listing *box, const p3_match *match)
{
    static const p3_pass passes[] = {{.uid = true, .whole = true}, {.whole = true}};
    return find_rows(box, match, passes, sizeof passes / sizeof *passes);
}
