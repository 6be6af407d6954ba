/* Code in the guide to libpop3-collect (docs/api/collecting.md): compiled with the examples, never
 * run. */
#include <pop3/collect.h>

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

bool collect(const char *host, const char *user, const char *password, const char *maildir,
             const char *memory);
pop3_collect_status collect_by_hand(pop3_client *client, const pop3_listing *uids,
                                    pop3_seen *memory, pop3_maildir *maildir);
void step_until_over(pop3_open_visit *visit);
struct collection;
bool begin_visit(struct collection *c, int *loop_waits_for);

/* [visit] */
bool collect(const char *host, const char *user, const char *password, const char *maildir,
             const char *memory)
{
    pop3_client_options server = POP3_CLIENT_OPTIONS_INIT;
    pop3_visit_options visit = POP3_VISIT_OPTIONS_INIT;
    pop3_visit_report report = POP3_VISIT_REPORT_INIT;
    server.host = host; /* TLS, port 995, certificate verified */
    visit.connection = &server;
    visit.user = user;
    visit.password = password;
    visit.maildir = maildir;
    visit.memory = memory;                  /* "/home/me/.mail.db" */
    visit.removal = POP3_REMOVAL_DELIVERED; /* delete delivered mail; default: keep it */
    if (pop3_visit(&visit, &report) != POP3_COLLECT_OK)
        fprintf(stderr, "%s: %s\n", host, report.error.message);
    printf("%llu new messages\n", (unsigned long long)report.delivered);
    return report.error.status == POP3_COLLECT_OK;
}
/* [visit] */

/* [by_hand] */
pop3_collect_status collect_by_hand(pop3_client *client, const pop3_listing *uids,
                                    pop3_seen *memory, pop3_maildir *maildir)
{
    pop3_collect_status status = POP3_COLLECT_OK;
    for (size_t i = 0; i < uids->count && status == POP3_COLLECT_OK; i++) {
        const pop3_entry *e = &uids->entries[i];
        if (pop3_seen_contains(memory, e->uid) ||
            (status = pop3_maildir_begin(maildir, NULL)) != POP3_COLLECT_OK)
            continue;
        if (pop3_client_retr(client, e->number, pop3_maildir_sink, maildir) != POP3_OK) {
            pop3_maildir_abort(maildir); /* it stays on the server */
            continue;
        }
        status = pop3_maildir_finish(maildir, NULL);
        if (status == POP3_COLLECT_OK)
            status = pop3_maildir_commit(maildir, NULL); /* or one for many messages */
        if (status == POP3_COLLECT_OK)
            status = pop3_seen_add(memory, e->uid, NULL);
    }
    pop3_collect_status saved = pop3_seen_save(memory, NULL);
    return status != POP3_COLLECT_OK ? status : saved;
}
/* [by_hand] */

/* [in_a_thread] */
typedef struct collection {
    pop3_visit_options visit; /* with a stop_fd, a pipe's end, for ending it early */
    pop3_visit_report report;
    pthread_t thread;
    int done;
} collection;

static void *visit_in_thread(void *arg)
{
    collection *c = arg;
    (void)pop3_visit(&c->visit, &c->report);
    (void)close(c->done); /* the other end becomes readable: end of file */
    return NULL;
}

/* When loop_waits_for becomes readable: pthread_join(c->thread, NULL), then read c->report. */
bool begin_visit(collection *c, int *loop_waits_for)
{
    const pop3_visit_report empty = POP3_VISIT_REPORT_INIT;
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    *loop_waits_for = ends[0];
    c->report = empty;
    c->done = ends[1];
    if (pthread_create(&c->thread, NULL, visit_in_thread, c) == 0)
        return true;
    (void)close(ends[0]);
    (void)close(ends[1]);
    return false;
}
/* [in_a_thread] */

/* [in_a_loop] */
void step_until_over(pop3_open_visit *visit) /* of pop3_visit_begin() */
{
    pop3_visit_report report = POP3_VISIT_REPORT_INIT;
    while (pop3_visit_step(visit)) {
        pop3_waitable waits[POP3_VISIT_WAITABLES];
        struct pollfd fds[POP3_VISIT_WAITABLES]; /* add those of other visits, and your own */
        size_t n = pop3_visit_waitables(visit, waits, POP3_VISIT_WAITABLES);
        for (size_t i = 0; i < n; i++) {
            fds[i].fd = waits[i].fd;
            fds[i].events = (short)((waits[i].read ? POLLIN : 0) | (waits[i].write ? POLLOUT : 0));
        }
        (void)poll(fds, (nfds_t)n, pop3_visit_deadline(visit));
    }
    if (pop3_visit_end(visit, &report) != POP3_COLLECT_OK)
        fprintf(stderr, "%s\n", report.error.message);
}
/* [in_a_loop] */
