/* Which of the new messages are retrieved: by size, by the header command, by the run's limit. */
#include "collect/attempts.h"
#include "collect/failure_text.h"
#include "collect/session.h"
#include "confine/shell.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* ---- the header command ---- */

/* A run of the header command. */
typedef struct p3_filter_job {
    p3_job job;
    p3_session *session;
    size_t mail;
    char *header;
    size_t len;
    int status; /* its exit status, or -1 */
    p3_problem problem;
} p3_filter_job;

static void run_filter(p3_job *job)
{
    p3_filter_job *f = (p3_filter_job *)job;
    int fd = p3_spool(f->header, f->len, &f->problem);
    f->status = -1;
    if (fd < 0)
        return;
    f->status = p3_spawn_shell(f->session->account->filter, fd, NULL, &f->problem);
    (void)close(fd);
}

static void filter_over(p3_job *job)
{
    p3_filter_job *f = (p3_filter_job *)job;
    p3_session *s = f->session;
    p3_mail *mail = &s->box.at[f->mail];
    s->filter_busy = false;
    switch (f->status) {
    case 0:
        break;
    case 1:
        mail->todo = P3_TODO_NOTHING;
        mail->remove = true;
        break;
    case 2:
        mail->todo = P3_TODO_NOTHING;
        s->tally.skipped++;
        p3_session_tell(s, P3_NOTICE_SKIPPED, mail, "the header command leaves it alone", NULL);
        break;
    default:
        if (f->problem.exit == 0)
            p3_problem_set(&f->problem, EX_TEMPFAIL,
                           "running the header command: it ended with status %d; 0, 1 and 2 are "
                           "understood",
                           f->status);
        mail->todo = P3_TODO_NOTHING;
        s->tally.failed++;
        p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, &f->problem);
    }
    free(f->header);
    free(f);
    s->looking.most = 1;
    if (s->stage == P3_STAGE_FILTER)
        p3_window_fill(&s->looking);
    p3_session_advance(s);
}

static pop3_sink_result collect(p3_session *s, const char *data, size_t len)
{
    p3_header_take(&s->look, data, len);
    return s->look.done ? POP3_SINK_DISCARD : POP3_SINK_CONTINUE;
}

static void start_filter(p3_session *s, p3_mail *mail)
{
    p3_filter_job *f = calloc(1, sizeof *f);
    char *header = malloc(s->look.len + 1);
    if (f == NULL || header == NULL) {
        free(f);
        free(header);
        p3_session_fail_memory(s);
        return;
    }
    size_t len = 0;
    for (size_t i = 0; i < s->look.len; i++) {
        bool line_end =
            s->look.data[i] == '\r' && i + 1 < s->look.len && s->look.data[i + 1] == '\n';
        if (!line_end)
            header[len++] = s->look.data[i]; /* lines end with LF, as commands expect */
    }
    *f = (p3_filter_job){.job = {.run = run_filter, .over = filter_over},
                         .session = s,
                         .mail = (size_t)(mail - s->box.at),
                         .header = header,
                         .len = len};
    s->filter_busy = true;
    s->looking.most = 0; /* the next header is asked for when this one is decided about */
    if (!p3_jobs_start(s->run->jobs, &f->job)) {
        p3_problem why;
        p3_problem_errno(&why, errno, "running the header command");
        s->filter_busy = false;
        free(header);
        free(f);
        p3_session_fail(s, &why);
    }
}

static void header_came(p3_session *s, p3_mail *mail, const pop3_result *result)
{
    bool whole =
        result->status == POP3_OK || (result->status == POP3_ERR_CANCELLED && s->look.done);
    if (whole && !s->look.failed) {
        start_filter(s, mail);
    } else if (result->status == POP3_ERR_REFUSED && result->command == POP3_CMD_TOP) {
        (void)p3_window_by_retr(&s->looking);
    } else if (result->status == POP3_ERR_REFUSED) {
        p3_problem why;
        p3_describe_refused_message(s->client, &why);
        mail->todo = P3_TODO_NOTHING;
        s->tally.failed++;
        p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, &why);
    } else {
        p3_session_lost(s, result->status);
    }
    p3_header_reset(&s->look);
}

/* Headers are asked for one at a time: the command decides how fast it goes. */
static void begin_filter(p3_session *s)
{
    p3_window_free(&s->looking);
    s->looking = (p3_window){.session = s,
                             .kind = p3_session_can_top(s) ? POP3_CMD_TOP : POP3_CMD_RETR,
                             .allowed = SIZE_MAX,
                             .most = 1,
                             .by_retr = SIZE_MAX};
    s->looking.sink = collect;
    s->looking.done = header_came;
    for (size_t i = 0; i < s->box.count; i++) {
        if (s->box.at[i].todo == P3_TODO_TAKE && !p3_window_add(&s->looking, i))
            return;
    }
    p3_window_fill(&s->looking);
}

/* ---- size, limit ---- */

static void skip(p3_session *s, p3_mail *mail, const char *why)
{
    mail->todo = P3_TODO_NOTHING;
    s->tally.skipped++;
    p3_session_tell(s, P3_NOTICE_SKIPPED, mail, why, NULL);
}

static void filter_by_size(p3_session *s)
{
    const p3_account *a = s->account;
    for (size_t i = 0; i < s->box.count; i++) {
        p3_mail *mail = &s->box.at[i];
        if (mail->todo != P3_TODO_TAKE || mail->octets == P3_SIZE_UNKNOWN)
            continue;
        if (a->kill_size > 0 && mail->octets > a->kill_size) {
            mail->todo = P3_TODO_NOTHING;
            mail->remove = true;
        } else if (a->max_size > 0 && mail->octets > a->max_size) {
            skip(s, mail, "it is larger than the size limit");
        }
    }
}

/* ---- the decision ---- */

/* A message to retrieve, for the order: those that made trouble before come last. */
typedef struct p3_candidate {
    uint32_t tries;
    size_t mail;
} p3_candidate;

static int compare_candidates(const void *x, const void *y)
{
    const p3_candidate *a = x;
    const p3_candidate *b = y;
    if (a->tries != b->tries)
        return a->tries < b->tries ? -1 : 1;
    return a->mail < b->mail ? -1 : a->mail > b->mail;
}

/* Once a session of this run has ended by a message, one that has often made trouble is left alone:
 * the others are to get to their QUIT. */
static bool is_trouble(p3_session *s, const p3_mail *mail, uint32_t tries)
{
    p3_problem why;
    if (s->approach.care == P3_CARE_USUAL || tries < P3_TRIES_MOST)
        return false;
    p3_problem_set(&why, EX_PROTOCOL,
                   "it is left alone for the rest of this run: %" PRIu32
                   " times it could not be retrieved",
                   tries);
    s->tally.failed++;
    p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, &why);
    return true;
}

bool p3_session_is_due(const p3_session *s, const p3_mail *mail)
{
    return mail->remove ||
           (mail->todo == P3_TODO_KEEP && (mail->certain || s->run->options->dry_run) &&
            p3_session_due(s, &s->rows.at[mail->row]));
}

/* Of so many messages to retrieve, how many are in this session: those that are deleted in it count
 * as well, where the server wants QUIT to come after some. */
static size_t spread(p3_session *s, size_t count)
{
    size_t quota = p3_session_quota(s);
    size_t due = 0;
    if (s->only_deletes) {
        s->more = s->more || count > 0;
        return 0;
    }
    if (quota == SIZE_MAX || s->account->removal != P3_REMOVE_DELIVERED || s->approach.frugal)
        return count;
    for (size_t i = 0; i < s->box.count; i++)
        due += p3_session_is_due(s, &s->box.at[i]);
    size_t room = due < quota ? quota - due : 0;
    s->more = s->more || count > room;
    return count < room ? count : room;
}

/* A server that gives its messages new unique-ids, or headers, each time could fill the disk. */
static size_t bound_by_copies(p3_session *s, size_t count)
{
    uint64_t room = p3_attempts_room(&s->tally);
    if (count <= room)
        return count;
    p3_problem_set(&s->problem, EX_TEMPFAIL,
                   "%" PRIu64
                   " messages were delivered in this run, though the server lists no more "
                   "than %" PRIu64 ": it seems to make new ones of those that were delivered; the "
                   "rest waits for the next run",
                   s->tally.delivered - s->tally.settled, s->tally.listed_most);
    return (size_t)room;
}

static void choose(p3_session *s)
{
    p3_candidate *all = malloc((s->box.count + 1) * sizeof *all);
    size_t count = 0;
    if (all == NULL) {
        p3_session_fail_memory(s);
        return;
    }
    for (size_t i = 0; i < s->box.count; i++) {
        p3_mail *mail = &s->box.at[i];
        uint32_t tries = mail->row == P3_NO_ROW ? 0 : s->rows.at[mail->row].tries;
        if (mail->todo == P3_TODO_TAKE && !is_trouble(s, mail, tries))
            all[count++] = (p3_candidate){tries, i};
    }
    qsort(all, count, sizeof *all, compare_candidates);
    if (s->account->limit > 0 && s->tally.retrieved + count > s->account->limit)
        count =
            (size_t)(s->account->limit > s->tally.retrieved ? s->account->limit - s->tally.retrieved
                                                            : 0);
    count = bound_by_copies(s, spread(s, count));
    s->tally.wanted = s->tally.retrieved + count;
    s->tally.wanted_octets = s->tally.octets;
    for (size_t i = 0; i < count && p3_window_add(&s->taking, all[i].mail); i++) {
        if (s->box.at[all[i].mail].octets != P3_SIZE_UNKNOWN)
            s->tally.wanted_octets += s->box.at[all[i].mail].octets;
    }
    free(all);
}

bool p3_session_due(const p3_session *s, const p3_row *row)
{
    if (row->tries >= P3_RETURNS_MOST)
        return false;
    switch (s->account->removal) {
    case P3_REMOVE_DELIVERED:
        return true;
    case P3_REMOVE_AFTER:
        /* A clock that was wrong makes messages stay longer, never shorter. */
        return p3_calendar_plausible(&s->calendar, row->time) &&
               row->time + s->account->remove_after <= s->calendar.due;
    default:
        return false;
    }
}

/* Says what would be done, and does none of it. */
static void pretend(p3_session *s)
{
    for (size_t i = 0; i < s->taking.count; i++)
        p3_session_tell(s, P3_NOTICE_WOULD, &s->box.at[s->taking.mails[i]], "retrieve", NULL);
    for (size_t i = 0; i < s->box.count; i++) {
        const p3_mail *mail = &s->box.at[i];
        if (p3_session_is_due(s, mail))
            p3_session_tell(s, P3_NOTICE_WOULD, mail, "delete", NULL);
    }
}

void p3_session_filter(p3_session *s)
{
    if (s->stage == P3_STAGE_LOOKING) {
        if (!p3_window_done(&s->looking))
            return;
        if (!s->verifying && s->plan.looks > 0 && !p3_plan_resolve(&s->plan, &s->box, &s->rows)) {
            p3_session_fail_memory(s);
            return;
        }
        if (!s->verifying && p3_session_verify(s))
            return;
        if (!p3_session_end_verifying(s))
            return;
        s->stage = P3_STAGE_FILTER;
    }
    if (!s->filter_begun) {
        s->filter_begun = true;
        filter_by_size(s);
        p3_window_free(&s->looking);
        if (s->account->filter != NULL)
            begin_filter(s);
    }
    if (s->stage != P3_STAGE_FILTER || s->filter_busy || !p3_window_done(&s->looking))
        return;
    choose(s);
    if (s->stage != P3_STAGE_FILTER)
        return;
    p3_session_tell(s, P3_NOTICE_LISTED, NULL, NULL, NULL);
    if (s->run->options->dry_run) {
        pretend(s);
        p3_session_finish(s);
        return;
    }
    p3_session_begin_taking(s);
}
