/* A process that runs the user's commands, and opens files for the process in the sandbox.
 *
 * A request is one message on a socket. For a command it contains the command's number, SENDER if
 * there is one, and at most three descriptors: a pipe for the answer, and the command's input and
 * output. The runner forks for each, so that many commands run at the same time. It answers
 * requests for files and connections itself, at once, over the socket. It ends when the socket is
 * closed. */
#include "confine/runner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/child.h"
#include "confine/duty_dials.h"
#include "confine/duty_files.h"
#include "confine/duty_names.h"
#include "confine/runner_protocol.h"
#include "system/descriptor.h"
#include "system/packet.h"
#include "system/packet_socket.h"
#include "system/process.h"

static int runner = -1; /* our end of the socket */
static pid_t runner_pid;
static const p3_runner_duties *duties;

/* ---- in the runner ---- */

/* A pipe through which the runner learns the results of lookups. */
static int found_names[2];

_Static_assert(sizeof(p3_found_name) <= PIPE_BUF, "a name goes through the pipe in one piece");

#ifdef P3_COUNTS_COVERAGE
void __gcov_dump(void); /* libgcov's */
#endif

/* Ends a forked process without the exit handlers of the original. */
static _Noreturn void end_copy(void)
{
#ifdef P3_COUNTS_COVERAGE
    __gcov_dump();
#endif
    _exit(0);
}

/* Runs one command and reports its exit status. */
static void run_command(const p3_run_request *r, const int *fds)
{
    const char *more[] = {r->variable[0] != '\0' ? r->variable : NULL, NULL};
    p3_run_answer answer = {0, -1};
    pid_t pid = -1;
    int input = r->input ? fds[1] : -1;
    int output = r->output ? fds[r->input ? 2 : 1] : -1;
    (void)signal(SIGCHLD, SIG_DFL);
    answer.error = p3_child_start(duties->commands[r->command], input, output, more, &pid);
    if (input >= 0)
        (void)close(input);
    if (output >= 0)
        (void)close(output); /* otherwise its end would not be noticed */
    if (answer.error == 0)
        answer.status = p3_child_wait(pid);
    if (answer.error == 0 && answer.status < 0)
        answer.error = errno;
    ssize_t n = write(fds[0], &answer, sizeof answer); /* SIGPIPE is blocked, see serve() */
    (void)n;                                           /* perhaps nobody waits any more */
}

/* Checks a request against the duties, because it may come from a process that has been taken over.
 */
static bool is_proper(const p3_run_request *r, ssize_t len, int fds)
{
    return len == (ssize_t)sizeof *r && r->ask == P3_ASK_RUN &&
           r->command < duties->command_count && r->input <= 1 && r->output <= 1 &&
           fds == 1 + r->input + r->output && memchr(r->variable, '\0', P3_VARIABLE) != NULL &&
           (r->variable[0] == '\0' || strncmp(r->variable, "SENDER=", 7) == 0);
}

/* Looks up a name, and reports the addresses first to the runner, then to the process that asks,
 * which will connect to them. */
static void answer_name(int to, uint32_t which)
{
    p3_found_name found = {.which = which};
    (void)p3_process_end_with_parent(); /* otherwise nobody waits for it */
    (void)close(found_names[0]);
    p3_duty_look_up(duties->places[which].host, &found.answer);
    ssize_t n = write(found_names[1], &found, sizeof found);
    if (n == (ssize_t)sizeof found)
        n = write(to, &found.answer, sizeof found.answer);
    (void)n;
}

/* Answers with an error, or with a descriptor, which is then closed. */
static void answer(int to, int error, int fd)
{
    p3_file_answer a = {.error = error};
    (void)p3_packet_send(to, &a, sizeof a, &fd,
                         fd >= 0 ? 1 : 0); /* the other end has closed: the runner ends, too */
    if (fd >= 0)
        (void)close(fd);
}

/* Answers a request for a file. */
static void answer_file(int to, const p3_file_request *r)
{
    int fd = -1;
    int error = p3_duty_perform(r, duties, &fd);
    answer(to, error, fd);
}

/* Answers a request for a connection. */
static void answer_dial(int to, const p3_dial_request *r)
{
    int fd = -1;
    int error = p3_duty_dial(r, duties, &fd);
    answer(to, error, fd);
}

/* Receives a request and has it carried out. Returns false when there are no more. */
static bool serve_one(int from)
{
    static union {
        p3_run_request run;
        p3_file_request file;
        p3_name_request name;
        p3_dial_request dial;
        p3_provide_request provide;
    } r;
    int fds[P3_PACKET_ROOM];
    int count = 0;
    ssize_t len = p3_packet_receive(from, &r, sizeof r, fds, &count);
    if (len <= 0)
        return false;
    if (is_proper(&r.run, len, count) && fork() == 0) {
        (void)close(from);
        run_command(&r.run, fds);
        end_copy();
    }
    if (len == (ssize_t)sizeof r.name && r.name.ask == P3_ASK_NAME && count == 1 &&
        r.name.which < duties->place_count && fork() == 0) {
        (void)close(from);
        answer_name(fds[0], r.name.which);
        end_copy();
    }
    if (len == (ssize_t)sizeof r.provide && r.provide.ask == P3_ASK_PROVIDE && count == 1 &&
        r.provide.which < duties->provide_count && fork() == 0) {
        (void)close(from);
        duties->provide(duties->provide_ctx, r.provide.which, &r.provide.hint, fds[0]);
        end_copy();
    }
    if (len == (ssize_t)sizeof r.file && r.file.ask == P3_ASK_FILE && count == 0)
        answer_file(from, &r.file);
    if (len == (ssize_t)sizeof r.dial && r.dial.ask == P3_ASK_DIAL && count == 0)
        answer_dial(from, &r.dial);
    while (count > 0)
        (void)close(fds[--count]); /* a request that is not carried out gets no answer */
    return true;
}

/* Waits for a request, and first learns the results of lookups. Returns false on failure. */
static bool await_request(int from)
{
    struct pollfd fds[2] = {{.fd = from, .events = POLLIN},
                            {.fd = found_names[0], .events = POLLIN}};
    p3_found_name found;
    while (poll(fds, 2, -1) >= 0) {
        bool asked = fds[0].revents != 0;
        while (poll(&fds[1], 1, 0) > 0 &&
               read(found_names[0], &found, sizeof found) == (ssize_t)sizeof found)
            p3_duty_learn(duties, &found);
        if (asked)
            return true;
    }
    return false;
}

/* The runner: it ends when we do, so no signal that can be blocked ends it. */
static void serve(int from)
{
    sigset_t all;
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)signal(SIGCHLD, SIG_IGN); /* nobody waits for its children */
    if (!p3_descriptor_pipe(found_names, true))
        return;
    p3_duty_learn_numeric(duties);
    while (await_request(from) && serve_one(from))
        continue;
}

/* ---- in the process that asks ---- */

bool p3_runner_start(const p3_runner_duties *all)
{
    int ends[2];
    if (!p3_packet_pair(ends))
        return false;
    duties = all;
    (void)fflush(NULL); /* unwritten output belongs to us alone */
    runner_pid = fork();
    if (runner_pid == 0) {
        (void)close(ends[0]);
        serve(ends[1]);
        end_copy();
    }
    int error = errno;
    (void)close(ends[1]);
    runner = ends[0];
    if (runner_pid > 0)
        return true;
    (void)close(runner);
    runner = -1;
    errno = error;
    return false;
}

void p3_runner_stop(void)
{
    if (runner < 0)
        return;
    (void)close(runner);
    runner = -1;
    while (waitpid(runner_pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

bool p3_runner_is_there(void)
{
    return runner >= 0;
}

bool p3_runner_has_ended(void)
{
    struct pollfd fd = {.fd = runner}; /* that its other end is closed shows unasked */
    return runner >= 0 && poll(&fd, 1, 0) > 0;
}

pid_t p3_runner_pid(void)
{
    return runner >= 0 ? runner_pid : -1;
}

int p3_runner_socket(void)
{
    return runner;
}

static bool find_command(const char *command, uint32_t *out)
{
    for (size_t i = 0; i < duties->command_count; i++) {
        if (strcmp(duties->commands[i], command) == 0) {
            *out = (uint32_t)i;
            return true;
        }
    }
    return false;
}

const p3_runner_duties *p3_runner_duties_of(void)
{
    return duties;
}

int p3_runner_send(const void *request, size_t size, const int *fds, int count)
{
    return p3_packet_send(runner, request, size, fds, count);
}

int p3_runner_ask(const char *command, int input, int output, const char *const *more, int *answer)
{
    p3_run_request r = {.ask = P3_ASK_RUN, .input = input >= 0, .output = output >= 0};
    int ends[2];
    if (!find_command(command, &r.command))
        return EPERM;
    if (more != NULL && more[0] != NULL) {
        size_t len = strlen(more[0]);
        if (len >= sizeof r.variable)
            return E2BIG;
        memcpy(r.variable, more[0], len + 1);
    }
    if (!p3_descriptor_pipe(ends, true)) /* inside of the sandbox only TCP sockets may be created */
        return errno;
    int fds[3] = {ends[1]};
    int count = 1;
    if (input >= 0)
        fds[count++] = input;
    if (output >= 0)
        fds[count++] = output;
    int error = p3_runner_send(&r, sizeof r, fds, count);
    (void)close(ends[1]);
    if (error != 0)
        (void)close(ends[0]);
    *answer = ends[0];
    return error;
}

int p3_runner_provide(uint32_t which, const p3_provide_hint *hint)
{
    p3_provide_request r = {.ask = P3_ASK_PROVIDE, .which = which, .hint = *hint};
    int ends[2];
    if (!p3_descriptor_pipe(ends, true))
        return -1;
    int error = p3_runner_send(&r, sizeof r, &ends[1], 1);
    (void)close(ends[1]);
    if (error == 0)
        return ends[0];
    (void)close(ends[0]);
    errno = error;
    return -1;
}

int p3_runner_wait(int answer)
{
    p3_run_answer a = {ECHILD, -1}; /* the pipe ended without an answer */
    ssize_t n;
    while ((n = read(answer, &a, sizeof a)) < 0 && errno == EINTR)
        continue;
    (void)close(answer);
    if (n == (ssize_t)sizeof a && a.error == 0)
        return a.status;
    errno = n == (ssize_t)sizeof a ? a.error : ECHILD;
    return -1;
}
