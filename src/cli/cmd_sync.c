/* pop3 sync: collects new mail. */
#include "cli/command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/chosen_accounts.h"
#include "cli/progress.h"
#include "cli/remembered_traits.h"
#include "cli/sandbox.h"
#include "confine/runner.h"
#include "settings/text.h"
#include "support/clock.h"
#include "support/stop_request.h"
#include "deliver/directory.h"
#include "state/state.h"
#include "system/descriptor.h"

static volatile sig_atomic_t stop;
static int stop_pipe[2] = {-1, -1};

/* When the first signal came, in milliseconds; 0: none. */
static int64_t stopped_at;

/* Milliseconds in which further signals belong to the first: timeout(1) and others signal the
 * process, and then its group. */
#define P3_SAME_SIGNAL 1000

static void on_signal(int number)
{
    int saved = errno;
    if (stopped_at != 0 && p3_clock_ms() - stopped_at >= P3_SAME_SIGNAL) {
        (void)signal(number, SIG_DFL);
        (void)raise(number); /* when this handler has returned */
        return;
    }
    if (stopped_at == 0)
        stopped_at = p3_clock_ms();
    stop = 1;
    ssize_t n = write(stop_pipe[1], "", 1);
    (void)n; /* the flag is checked at the next message at the latest */
    errno = saved;
}

/* The first signal ends the run after the current message. A later one ends the process, because a
 * command of the user may never end, and the records are correct at any moment. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    if (!p3_descriptor_pipe(stop_pipe, false))
        stop_pipe[0] = stop_pipe[1] = -1;
    p3_stop_request_watch(stop_pipe[0]);
    sigemptyset(&action.sa_mask);
    sigaddset(&action.sa_mask, SIGINT);
    sigaddset(&action.sa_mask, SIGTERM);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    /* A parent may have blocked them. */
    (void)pthread_sigmask(SIG_UNBLOCK, &action.sa_mask, NULL);
}

/* Each active account uses about six descriptors. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The path of the state file, whose directories are created. */
static char *find_state(const p3_arguments *a, p3_problem *why)
{
    bool usual;
    char *path = p3_state_path(a, &usual);
    if (path == NULL) {
        p3_problem_set(why, EX_CONFIG, "HOME is not set: say where the state is with --state");
        return NULL;
    }
    char *slash = usual && !a->run.dry_run ? strrchr(path, '/') : NULL;
    if (slash != NULL) {
        *slash = '\0';
        (void)p3_directory_make(path); /* failures show when the file is opened */
        *slash = '/';
    }
    return path;
}

static p3_progress_style choose_style(const p3_arguments *a)
{
    if (a->run.json)
        return P3_PROGRESS_JSON;
    if (a->run.quiet)
        return P3_PROGRESS_QUIET;
    return isatty(STDERR_FILENO) ? P3_PROGRESS_LIVE : P3_PROGRESS_LINES;
}

/* Without the process outside of the sandbox nothing works any more, and errors have other causes
 * than they name. */
static int report_runner_ended(void)
{
    p3_problem why;
    p3_problem_set(&why, EX_OSERR,
                   "the second process of the sandbox has ended, which connects and opens files; "
                   "if memory was short, the system may have killed it; run it again");
    return p3_print_problem(NULL, &why);
}

static int run_once(const p3_sync_options *o, const p3_account *const *accounts, size_t count)
{
    p3_problem why;
    int status;
    p3_state_own_sqlite();
    if (!p3_sync(o, accounts, count, &status, &why))
        status = p3_print_problem(NULL, &why);
    return status != EX_OK && p3_runner_has_ended() ? report_runner_ended() : status;
}

/* Runs again and again, until a signal. */
static int run_every(p3_sync_options *o, const p3_account *const *accounts, size_t count,
                     int64_t every)
{
    int status = run_once(o, accounts, count);
    o->confine = NULL; /* that is permanent */
    while (every > 0 && !stop) {
        struct pollfd fds[2] = {{.fd = stop_pipe[0], .events = POLLIN}, {.fd = p3_runner_socket()}};
        if (p3_runner_has_ended())
            return status == EX_OSERR ? status : report_runner_ended();
        if (poll(fds, 2, (int)every) == 0)
            status = run_once(o, accounts, count);
    }
    return every > 0 ? EX_OK : status;
}

/* What is done with mail on the server that its target does not have. */
static bool read_start(const p3_arguments *a, const p3_chosen *chosen, p3_start *out,
                       p3_problem *why)
{
    const p3_run_settings *r = &a->run;
    if (r->from_now_on + r->from_the_start + r->continues > 1)
        return p3_problem_set(
            why, EX_USAGE,
            "--from-now-on, --from-the-start and --continue exclude each other: choose one");
    /* It would pass over new mail in each run. */
    if (r->from_now_on && r->every > 0)
        return p3_problem_set(why, EX_USAGE,
                              "--from-now-on is for a single run: leave out --every, and the "
                              "setting every");
    if (r->from_now_on && a->count == 0 && chosen->count > 1)
        return p3_problem_set(
            why, EX_USAGE,
            "--from-now-on would pass over the mail of all these accounts: name the accounts");
    *out = r->from_now_on      ? P3_START_NOW
           : r->from_the_start ? P3_START_FROM_THE_START
           : r->continues      ? P3_START_CONTINUE
                               : P3_START_USUAL;
    return true;
}

static int sync_accounts(p3_arguments *a, p3_chosen *chosen)
{
    p3_problem why;
    int64_t every = a->run.every;
    size_t n = chosen->count;
    p3_sync_options o = {.dry_run = a->run.dry_run,
                         .jobs = (unsigned)a->run.jobs,
                         .per_host = (unsigned)a->run.per_host,
                         .retries = (unsigned)a->run.retries,
                         .retry_ms = (int)a->run.retry_wait,
                         .stop = &stop,
                         .stop_fd = stop_pipe[0]};
    char *state = read_start(a, chosen, &o.start, &why) ? find_state(a, &why) : NULL;
    if (state == NULL)
        return p3_print_problem(NULL, &why);
    for (size_t i = 0; i < n; i++) {
        if (!p3_local_account_set_refused(&chosen->at[i], state)) {
            free(state);
            p3_problem_set(&why, EX_OSERR, "beginning: out of memory");
            return p3_print_problem(NULL, &why);
        }
    }
    p3_sandbox sandbox = {.chosen = chosen,
                          .state = state,
                          .delivers = true,
                          .dry_run = a->run.dry_run,
                          .is_told = a->run.verbose,
                          .off = !a->run.sandbox};
    p3_sandbox_prepare(&sandbox);
    p3_progress_style style = choose_style(a);
    const p3_account **accounts = calloc(n, sizeof(const p3_account *));
    p3_progress *progress =
        p3_progress_new(style, a->run.verbose, a->run.dry_run, n < o.jobs ? n : o.jobs);
    int status = EX_OSERR;
    if (accounts != NULL && progress != NULL) {
        for (size_t i = 0; i < n; i++)
            accounts[i] = &chosen->at[i].account;
        o.state = state;
        o.sizes = style == P3_PROGRESS_LIVE;
        o.notice = p3_progress_notice;
        o.notice_ctx = progress;
        o.confine = p3_sandbox_enter;
        o.confine_ctx = &sandbox;
        status = run_every(&o, accounts, n, every);
    } else {
        p3_problem_set(&why, EX_OSERR, "beginning: out of memory");
        status = p3_print_problem(NULL, &why);
    }
    p3_sandbox_end(&sandbox);
    p3_progress_free(progress);
    free(accounts);
    free(state);
    return status;
}

int p3_cmd_sync(p3_arguments *a)
{
    catch_signals();
    allow_descriptors();
    return p3_chosen_deliver(a, sync_accounts);
}
