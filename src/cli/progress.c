/* Reports a run of sync. */
#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/delayed_reports.h"
#include "cli/size_text.h"
#include "support/clock.h"

/* Milliseconds between updates of the display. */
#define P3_REDRAW_MS 100

/* An active account. */
typedef struct p3_live {
    const p3_account *account; /* NULL: unused */
    p3_tally tally;
    int64_t since; /* milliseconds: when it was listed; 0: not yet */
    uint64_t octets_before;
} p3_live;

struct p3_progress {
    p3_progress_style style;
    bool verbose;
    bool dry_run;
    p3_live *live;
    size_t count;
    unsigned drawn; /* lines on the terminal to replace */
    int64_t drawn_at;
    p3_delayed_reports remarks; /* unless verbose: reports about failed messages */
};

p3_progress *p3_progress_new(p3_progress_style style, bool verbose, bool dry_run, size_t accounts)
{
    p3_progress *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->live = calloc(accounts + 1, sizeof *p->live);
    if (p->live == NULL) {
        free(p);
        return NULL;
    }
    *p = (p3_progress){
        .style = style, .verbose = verbose, .dry_run = dry_run, .live = p->live, .count = accounts};
    return p;
}

/* ---- the lines that change ---- */

/* Erases the changing lines, so that something can be printed above them. */
static void clear_lines(p3_progress *p)
{
    p3_erase_lines(stderr, p->drawn);
    p->drawn = 0;
}

static void draw_line(const p3_live *l, unsigned columns)
{
    char text[300];
    char size[P3_SHORT_TEXT];
    char rate[P3_SHORT_TEXT];
    char left[P3_SHORT_TEXT];
    const p3_tally *t = &l->tally;
    if (l->since == 0) {
        snprintf(text, sizeof text, "%s: connecting", l->account->name);
    } else {
        double seconds = (double)(p3_clock_ms() - l->since) / 1000 + 0.001;
        double speed = (double)(t->octets - l->octets_before) / seconds;
        uint64_t rest = t->wanted_octets > t->octets ? t->wanted_octets - t->octets : 0;
        snprintf(text, sizeof text, "%s: %" PRIu64 " of %" PRIu64 " messages, %s, %s/s%s%s",
                 l->account->name, t->retrieved, t->wanted, p3_size_text(t->octets, size),
                 p3_size_text((uint64_t)speed, rate), rest > 0 && speed > 1 ? ", left: " : "",
                 rest > 0 && speed > 1 ? p3_time_text((double)rest / speed, left) : "");
    }
    p3_print(stderr, "%.*s\n", (int)columns - 1, text);
}

static void redraw(p3_progress *p)
{
    struct winsize w;
    unsigned columns = 80;
    unsigned rows = 24;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 10 && w.ws_row > 2) {
        columns = w.ws_col;
        rows = w.ws_row;
    }
    clear_lines(p);
    for (size_t i = 0; i < p->count && p->drawn < rows - 2; i++) {
        if (p->live[i].account != NULL) {
            draw_line(&p->live[i], columns);
            p->drawn++;
        }
    }
    fflush(stderr);
    p->drawn_at = p3_clock_ms();
}

static p3_live *find_live(p3_progress *p, const p3_account *account)
{
    p3_live *empty = NULL;
    for (size_t i = 0; i < p->count; i++) {
        if (p->live[i].account == account)
            return &p->live[i];
        if (p->live[i].account == NULL && empty == NULL)
            empty = &p->live[i];
    }
    if (empty != NULL)
        *empty = (p3_live){.account = account};
    return empty;
}

static void follow_notice(p3_progress *p, const p3_notice *n)
{
    p3_live *l = find_live(p, n->account);
    bool over = n->kind == P3_NOTICE_OVER || n->kind == P3_NOTICE_WAITING;
    if (l == NULL)
        return;
    l->tally = *n->tally;
    if (n->kind == P3_NOTICE_LISTED) {
        l->since = p3_clock_ms();
        l->octets_before = n->tally->octets;
    }
    if (over)
        l->account = NULL;
    if (over || n->kind != P3_NOTICE_MESSAGE || p3_clock_ms() - p->drawn_at >= P3_REDRAW_MS)
        redraw(p);
}

/* ---- the lines that stay ---- */

static void summarize(const p3_progress *p, const p3_notice *n)
{
    const p3_tally *t = n->tally;
    char size[P3_SHORT_TEXT];
    if (p->dry_run || (n->problem != NULL && t->delivered == 0))
        return;
    p3_print(stdout, "%s: %" PRIu64 " new message%s (%s) %s", n->account->name, t->delivered,
             t->delivered == 1 ? "" : "s", p3_size_text(t->octets, size),
             t->refused > 0 ? "retrieved" : "delivered");
    if (t->refused > 0)
        p3_print(stdout, ", %" PRIu64 " refused and kept", t->refused);
    if (t->deleted > 0)
        p3_print(stdout, ", %" PRIu64 " deleted on the server", t->deleted);
    if (t->passed_over > 0)
        p3_print(stdout, ", %" PRIu64 " count%s as seen", t->passed_over,
                 t->passed_over == 1 ? "s" : "");
    if (t->skipped > 0)
        p3_print(stdout, ", %" PRIu64 " left alone", t->skipped);
    if (t->failed > 0)
        p3_print(stdout, ", %" PRIu64 " failed", t->failed);
    if (t->unseen > 0)
        p3_print(stdout, ", %" PRIu64 " not compared", t->unseen);
    if (t->undeleted > 0)
        p3_print(stdout, ", %" PRIu64 " not deleted", t->undeleted);
    p3_print(stdout, "; %" PRIu64 " on the server\n",
             t->listed - (t->deleted < t->listed ? t->deleted : t->listed));
}

static void tell_of_message(const p3_account *account, uint32_t number, const char *text)
{
    p3_print(stderr, "pop3: %s: message %u: %s\n", account->name, number, text);
}

static void say_over(p3_progress *p, const p3_notice *n)
{
    if (p->style != P3_PROGRESS_QUIET)
        summarize(p, n);
    p3_delayed_reports_tell(&p->remarks, n, tell_of_message);
    if (n->problem != NULL)
        (void)p3_print_problem(n->account->name, n->problem);
}

static void print_notice(p3_progress *p, const p3_notice *n)
{
    char time[P3_SHORT_TEXT];
    switch (n->kind) {
    case P3_NOTICE_WOULD:
        p3_print(stdout, "%s: would %s message %u\n", n->account->name, n->text, n->number);
        break;
    case P3_NOTICE_WARNING:
        if (p->style != P3_PROGRESS_QUIET)
            p3_print(stderr, "pop3: %s: %s\n", n->account->name, n->text);
        break;
    case P3_NOTICE_SKIPPED:
        if (p->verbose)
            p3_print(stdout, "%s: message %u: %s\n", n->account->name, n->number, n->text);
        break;
    case P3_NOTICE_WAITING:
        /* A wait of minutes is always reported. */
        if (n->problem != NULL && (p->style != P3_PROGRESS_QUIET || n->seconds >= 60))
            p3_print(stderr, "pop3: %s: %s; again in %s\n", n->account->name, n->problem->text,
                     p3_time_text(n->seconds, time));
        break;
    case P3_NOTICE_FAILED:
        if (p->verbose || !p3_delayed_reports_keep(&p->remarks, n))
            tell_of_message(n->account, n->number, n->problem->text);
        break;
    case P3_NOTICE_OVER:
        say_over(p, n);
        break;
    default:
        break;
    }
    fflush(stdout);
}

void p3_progress_notice(void *progress, const p3_notice *n)
{
    p3_progress *p = progress;
    bool quiet_kind = n->kind == P3_NOTICE_MESSAGE || n->kind == P3_NOTICE_DELIVERED ||
                      n->kind == P3_NOTICE_BEGUN || n->kind == P3_NOTICE_LISTED;
    if (p->style == P3_PROGRESS_JSON) {
        p3_json_notice(n);
        return;
    }
    p3_delayed_reports_follow(&p->remarks, n);
    if (p->style == P3_PROGRESS_LIVE && !quiet_kind)
        clear_lines(p);
    if (!quiet_kind)
        print_notice(p, n);
    if (p->style == P3_PROGRESS_LIVE)
        follow_notice(p, n);
}

void p3_progress_free(p3_progress *p)
{
    if (p == NULL)
        return;
    if (p->style == P3_PROGRESS_LIVE)
        clear_lines(p);
    p3_delayed_reports_free(&p->remarks);
    free(p->live);
    free(p);
}
