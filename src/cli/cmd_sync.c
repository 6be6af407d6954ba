/* pop3 sync: brings the new mail of accounts to where it belongs. */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/text.h"

static volatile sig_atomic_t stop;
static int stop_pipe[2] = {-1, -1};

static void on_signal(int number)
{
    int saved = errno;
    (void)number;
    stop = 1;
    ssize_t n = write(stop_pipe[1], "", 1);
    (void)n; /* the flag is seen at the next message at the latest */
    errno = saved;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        stop_pipe[0] = stop_pipe[1] = -1;
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* Each account at work takes half a dozen descriptors. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void notice(void *ctx, const p3_notice *n)
{
    (void)ctx;
    if (n->kind == P3_NOTICE_FAILED || n->kind == P3_NOTICE_OVER) {
        if (n->problem != NULL)
            (void)p3_complain(n->account->name, n->problem);
    }
}

int p3_cmd_sync(p3_arguments *a)
{
    p3_problem why;
    p3_local_account local;
    p3_outcome outcome;
    if (p3_setting_set(&a->settings, p3_setting_find("url"), a->rest[0], &why) == false)
        return p3_complain(NULL, &why);
    if (!p3_local_account_make(&local, &a->settings, true, &why))
        return p3_complain(NULL, &why);
    catch_signals();
    allow_descriptors();
    p3_sync_options o = {.state = a->state,
                         .jobs = 16,
                         .per_host = 4,
                         .dry_run = a->dry_run,
                         .retry_ms = 5000,
                         .retries = 4,
                         .notice = notice,
                         .stop = &stop,
                         .stop_fd = stop_pipe[0]};
    int status = 0;
    if (!p3_sync(&o, &local.account, 1, &outcome, &why))
        status = p3_complain(NULL, &why);
    else
        status = outcome.problem.exit;
    p3_local_account_free(&local);
    return status;
}
