/* Delays reports about failed messages until it is known whether a later session of the run
 * retrieved them, as after a lost connection. */
#include "cli/delayed_reports.h"

#include <stdlib.h>
#include <string.h>

/* Each received message is searched for among the waiting reports. */
#define P3_REMARKS_MOST 200

typedef struct p3_delayed_report {
    struct p3_delayed_report *next; /* in order */
    const p3_account *account;
    uint32_t number;
    bool earlier; /* another session has begun since */
    bool again;   /* the same message failed again later */
    size_t uid_len;
    char *uid; /* not terminated, after the text */
    char text[];
} p3_delayed_report;

/* Whether a report is about a message: numbers change between sessions, unique-ids do not. */
static bool is_about(const p3_delayed_report *r, const p3_notice *n)
{
    if (r->account != n->account || r->uid_len != n->uid.len)
        return false;
    return n->uid.len > 0 ? memcmp(r->uid, n->uid.data, n->uid.len) == 0 : r->number == n->number;
}

static void remove_at(p3_delayed_reports *r, p3_delayed_report **at)
{
    p3_delayed_report *gone = *at;
    *at = gone->next;
    r->count--;
    free(gone);
}

static void forget_solved(p3_delayed_reports *r, const p3_notice *n)
{
    for (p3_delayed_report **at = &r->first; *at != NULL;) {
        if ((*at)->earlier && is_about(*at, n))
            remove_at(r, at);
        else
            at = &(*at)->next;
    }
}

void p3_delayed_reports_follow(p3_delayed_reports *r, const p3_notice *n)
{
    if (n->kind == P3_NOTICE_MESSAGE)
        forget_solved(r, n);
    for (p3_delayed_report *at = r->first; n->kind == P3_NOTICE_BEGUN && at != NULL; at = at->next)
        at->earlier = at->earlier || at->account == n->account;
}

bool p3_delayed_reports_keep(p3_delayed_reports *r, const p3_notice *n)
{
    const char *text = n->problem->text;
    size_t len = strlen(text) + 1;
    if (r->count == P3_REMARKS_MOST)
        return false;
    p3_delayed_report *more = malloc(sizeof *more + len + n->uid.len);
    if (more == NULL)
        return false;
    *more = (p3_delayed_report){.account = n->account, .number = n->number, .uid_len = n->uid.len};
    memcpy(more->text, text, len);
    more->uid = more->text + len;
    if (n->uid.len > 0)
        memcpy(more->uid, n->uid.data, n->uid.len);
    p3_delayed_report **end = &r->first;
    for (; *end != NULL; end = &(*end)->next)
        (*end)->again = (*end)->again || (is_about(*end, n) && strcmp((*end)->text, text) == 0);
    *end = more;
    r->count++;
    return true;
}

void p3_delayed_reports_tell(p3_delayed_reports *r, const p3_notice *n,
                             void (*tell)(const p3_account *account, uint32_t number,
                                          const char *text))
{
    bool solved = n->problem == NULL; /* despite failures in earlier sessions */
    for (p3_delayed_report **at = &r->first; *at != NULL;) {
        const p3_delayed_report *one = *at;
        if (one->account != n->account) {
            at = &(*at)->next;
            continue;
        }
        if (!one->again && !(solved && one->earlier))
            tell(one->account, one->number, one->text);
        remove_at(r, at);
    }
}

void p3_delayed_reports_free(p3_delayed_reports *r)
{
    while (r->first != NULL)
        remove_at(r, &r->first);
}
