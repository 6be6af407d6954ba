/* Runs the filter command. */
#include "collect/filter.h"

#include <errno.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "collect/failure_text.h"
#include "confine/shell.h"

/* A run of the filter command. */
typedef struct p3_filter_job {
    p3_job job;
    p3_filter *filter;
    size_t mail;
    char *header;
    size_t len;
    int status; /* its exit status, or -1 */
    p3_problem problem;
} p3_filter_job;

static void run_command(p3_job *job)
{
    p3_filter_job *j = (p3_filter_job *)job;
    int fd = p3_spool(j->header, j->len, &j->problem);
    j->status = -1;
    if (fd < 0)
        return;
    j->status = p3_spawn_shell(j->filter->drop->account->filter, fd, NULL, &j->problem);
    (void)close(fd);
}

/* Does what the command decided. */
static void decide(p3_report *report, p3_mail *mail, p3_filter_job *j)
{
    if (j->status == 0)
        return;
    mail->todo = P3_TODO_NOTHING;
    mail->remove = mail->remove || j->status == 1;
    if (j->status == 1)
        return;
    if (j->status == 2) {
        p3_report_skipped(report, mail, "the header command leaves it on the server");
        return;
    }
    if (j->problem.exit == 0)
        p3_problem_set(&j->problem, EX_TEMPFAIL,
                       "running the header command: it ended with status %d; 0, 1 and 2 are "
                       "understood",
                       j->status);
    p3_report_failed(report, mail, &j->problem);
}

static void command_over(p3_job *job)
{
    p3_filter_job *j = (p3_filter_job *)job;
    p3_filter *f = j->filter;
    f->busy = false;
    decide(f->drop->report, &f->drop->box.at[j->mail], j);
    free(j->header);
    free(j);
    f->window.most = 1;
    p3_window_fill(&f->window);
    p3_maildrop_advance(f->drop);
}

static pop3_sink_result keep(void *ctx, const char *data, size_t len)
{
    p3_filter *f = ctx;
    p3_header_take(&f->header, data, len);
    return f->header.done ? POP3_SINK_DISCARD : POP3_SINK_CONTINUE;
}

/* The current header with LF line ends, as commands expect; NULL when out of memory. */
static char *copy_header(const p3_header *h, size_t *len)
{
    char *copy = malloc(h->len + 1);
    *len = 0;
    for (size_t i = 0; copy != NULL && i < h->len; i++) {
        bool line_end = h->data[i] == '\r' && i + 1 < h->len && h->data[i + 1] == '\n';
        if (!line_end)
            copy[(*len)++] = h->data[i];
    }
    return copy;
}

static void start_command(p3_filter *f, const p3_mail *mail)
{
    p3_filter_job *j = calloc(1, sizeof *j);
    size_t len = 0;
    char *header = j != NULL ? copy_header(&f->header, &len) : NULL;
    if (header == NULL) {
        free(j);
        p3_maildrop_failed_memory(f->drop);
        return;
    }
    *j = (p3_filter_job){.job = {.run = run_command, .over = command_over},
                         .filter = f,
                         .mail = (size_t)(mail - f->drop->box.at),
                         .header = header,
                         .len = len};
    f->busy = true;
    f->window.most = 0; /* the next header is requested after this decision */
    if (!p3_jobs_start(f->jobs, &j->job)) {
        p3_problem why;
        p3_problem_errno(&why, errno, "running the header command");
        f->busy = false;
        free(header);
        free(j);
        p3_maildrop_failed(f->drop, &why);
    }
}

static void header_came(void *ctx, p3_mail *mail, const pop3_result *result)
{
    p3_filter *f = ctx;
    pop3_status status = result->status;
    bool whole = status == POP3_OK || (status == POP3_ERR_CANCELLED && f->header.done);
    if (whole && !f->header.failed) {
        start_command(f, mail);
    } else if (status == POP3_ERR_REFUSED && result->command == POP3_CMD_TOP) {
        p3_window_by_retr(&f->window);
    } else if (status == POP3_ERR_REFUSED) {
        p3_problem why;
        p3_describe_refused_message(f->drop->client, &why);
        mail->todo = P3_TODO_NOTHING;
        p3_report_failed(f->drop->report, mail, &why);
    } else {
        p3_maildrop_lost(f->drop, status);
    }
    p3_header_reset(&f->header);
}

/* Headers are requested one at a time, at the command's speed. */
void p3_filter_begin(p3_filter *f)
{
    p3_maildrop *d = f->drop;
    if (d->account->filter == NULL)
        return;
    f->window = p3_window_for(d, p3_maildrop_can_top(d) ? POP3_CMD_TOP : POP3_CMD_RETR, f);
    f->window.sink = keep;
    f->window.done = header_came;
    f->window.most = 1;
    p3_window_add_all(&f->window, P3_TODO_RETRIEVE);
    p3_window_fill(&f->window);
}

bool p3_filter_is_done(const p3_filter *f)
{
    return !f->busy && p3_window_is_done(&f->window);
}

void p3_filter_free(p3_filter *f)
{
    p3_window_free(&f->window);
    p3_header_free(&f->header);
}
