/* A visit to one account: a run of the rooms below, with one account in it. */
#include <pop3/collect.h>

#include <stdlib.h>
#include <string.h>

#include "collect/sync.h"
#include "public/error.h"
#include "public/visit_account.h"
#include "support/printable.h"

/* What has come of it so far. */
typedef struct p3_progress {
    const pop3_visit_options *options;
    pop3_visit_report report;
    p3_problem over; /* how it ended */
} p3_progress;

static void count(pop3_visit_report *r, const p3_tally *t)
{
    r->listed = t->listed;
    r->wanted = t->wanted;
    r->retrieved = t->retrieved;
    r->octets = t->octets;
    r->delivered = t->delivered;
    r->settled = t->settled;
    r->deleted = t->deleted;
    r->skipped = t->skipped;
    r->passed_over = t->passed_over;
    r->failed = t->failed;
    r->unseen = t->unseen;
}

/* Returns false for what is not told so. */
static bool event_of(p3_notice_kind kind, pop3_visit_event *out)
{
    static const struct {
        p3_notice_kind kind;
        pop3_visit_event event;
    } events[] = {
        {P3_NOTICE_BEGUN, POP3_VISIT_CONNECTING},  {P3_NOTICE_LISTED, POP3_VISIT_LISTED},
        {P3_NOTICE_MESSAGE, POP3_VISIT_RETRIEVED}, {P3_NOTICE_DELIVERED, POP3_VISIT_DELIVERED},
        {P3_NOTICE_SKIPPED, POP3_VISIT_SKIPPED},   {P3_NOTICE_FAILED, POP3_VISIT_FAILED},
        {P3_NOTICE_REMARK, POP3_VISIT_REMARK},     {P3_NOTICE_WAITING, POP3_VISIT_WAITING},
    };
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (events[i].kind == kind) {
            *out = events[i].event;
            return true;
        }
    }
    return false;
}

static void tell(const p3_progress *p, const p3_notice *n, pop3_visit_event event)
{
    const char *text = n->problem != NULL ? n->problem->text : n->text;
    char *clean = p3_line_clean(text, strlen(text));
    pop3_visit_notice notice = {.event = event,
                                .report = &p->report,
                                .number = n->number,
                                .uid = n->uid,
                                .octets = n->octets,
                                .text = clean != NULL ? clean : "",
                                .seconds = n->seconds};
    p->options->notice(p->options->notice_ctx, &notice);
    free(clean);
}

/* A p3_notice_fn. */
static void note(void *ctx, const p3_notice *n)
{
    p3_progress *p = ctx;
    pop3_visit_event event;
    count(&p->report, n->tally);
    if (n->kind == P3_NOTICE_OVER && n->problem != NULL)
        p->over = *n->problem;
    if (p->options->notice != NULL && event_of(n->kind, &event))
        tell(p, n, event);
}

/* Hands the report over, as much of it as the caller knows. */
static void hand_over(pop3_visit_report *to, const pop3_visit_report *from)
{
    if (to == NULL || to->size <= sizeof to->size)
        return;
    size_t known = to->size < sizeof *to ? to->size : sizeof *to;
    memcpy((char *)to + sizeof to->size, (const char *)from + sizeof from->size,
           known - sizeof to->size);
}

pop3_collect_status pop3_visit(const pop3_visit_options *options, pop3_visit_report *report)
{
    p3_visit_account a;
    p3_progress p = {.report = POP3_VISIT_REPORT_INIT};
    p3_problem why = {0};
    int status;
    bool began = p3_visit_account_read(&a, options, &why);
    if (began) {
        const p3_account *account = &a.account;
        p.options = &a.options;
        a.run.notice = note;
        a.run.notice_ctx = &p;
        began = p3_sync(&a.run, &account, 1, &status, &why);
    }
    if (began)
        why = p.over;
    pop3_collect_status class =
        why.exit != 0 ? p3_collect_fail(&p.report.error, &why) : POP3_COLLECT_OK;
    hand_over(report, &p.report);
    p3_visit_account_clear(&a);
    return class;
}
