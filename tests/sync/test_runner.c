/* The process that runs the user's commands for a command in its sandbox: it is the boundary, and
 * believes nothing that a process which was taken over might send it. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "confine/runner.h"

ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);

/* Where the parts of a request are: two numbers of 32 bits, two octets, a text of 400. */
enum { COMMAND = 4, INPUT = 8, OUTPUT = 9, VARIABLE = 10, VARIABLE_SIZE = 400 };

/* What a request becomes on its way: NULL leaves it as it is. */
static void (*tamper)(char *request, struct msghdr *m);

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    struct msghdr sent = *m;
    if (tamper != NULL)
        tamper(m->msg_iov->iov_base, &sent);
    return __real_sendmsg(fd, &sent, flags);
}

static void another_command(char *request, struct msghdr *m)
{
    uint32_t none = 99;
    (void)m;
    memcpy(request + COMMAND, &none, sizeof none);
}

static void cut_short(char *request, struct msghdr *m)
{
    (void)request;
    m->msg_iov->iov_len--;
}

static void an_input_that_is_no_flag(char *request, struct msghdr *m)
{
    (void)m;
    request[INPUT] = 2;
}

static void an_output_that_is_no_flag(char *request, struct msghdr *m)
{
    (void)m;
    request[OUTPUT] = 2;
}

static void an_input_that_is_not_there(char *request, struct msghdr *m)
{
    (void)m;
    request[INPUT] = 1;
}

static void a_variable_without_end(char *request, struct msghdr *m)
{
    (void)m;
    memset(request + VARIABLE, 'S', VARIABLE_SIZE);
}

static void another_variable(char *request, struct msghdr *m)
{
    (void)m;
    strcpy(request + VARIABLE, "PATH=/nowhere");
}

static void no_descriptors(char *request, struct msghdr *m)
{
    (void)request;
    m->msg_control = NULL;
    m->msg_controllen = 0;
}

static void four_descriptors(char *request, struct msghdr *m)
{
    static union {
        struct cmsghdr header;
        char room[CMSG_SPACE(4 * sizeof(int))];
    } control;
    int fds[4];
    (void)request;
    memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(m)), sizeof(int));
    fds[1] = fds[2] = fds[3] = fds[0];
    m->msg_control = &control;
    m->msg_controllen = sizeof control;
    struct cmsghdr *c = CMSG_FIRSTHDR(m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(c), fds, sizeof fds);
}

static char mark[] = "/tmp/pop3-runner-XXXXXX/mark";
static char touch[sizeof mark + 8];
static const char *const commands[] = {"exit 7", "test \"$SENDER\" = ann@example.org", touch};

static const p3_runner_duties duties = {.commands = commands,
                                        .command_count = sizeof commands / sizeof *commands};

static int set_up(void **state)
{
    char *slash = strrchr(mark, '/');
    (void)state;
    *slash = '\0';
    if (mkdtemp(mark) == NULL)
        return -1;
    *slash = '/';
    snprintf(touch, sizeof touch, "touch %s", mark);
    return p3_runner_start(&duties) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    p3_runner_stop();
    p3_runner_stop(); /* there is none any more */
    *strrchr(mark, '/') = '\0';
    return rmdir(mark);
}

/* Asks, and gives the command's status; -1 with errno when it was not run. */
static int status_of(const char *command, const char *const *more)
{
    int answer = -1;
    assert_int_equal(p3_runner_ask(command, -1, -1, more, &answer), 0);
    errno = 0;
    return p3_runner_wait(answer);
}

static void a_command_that_was_agreed_on_is_run(void **state)
{
    const char *more[] = {"SENDER=ann@example.org", NULL};
    (void)state;
    assert_true(p3_runner_is_there());
    assert_int_equal(status_of("exit 7", NULL), 7);
    assert_int_equal(status_of(commands[1], more), 0);
    assert_int_equal(status_of(commands[1], NULL), 1);
}

static void another_command_or_a_long_variable_is_not_even_asked_for(void **state)
{
    char text[VARIABLE_SIZE + 1];
    const char *more[] = {text, NULL};
    int answer;
    (void)state;
    memset(text, 'S', VARIABLE_SIZE);
    text[VARIABLE_SIZE] = '\0';
    assert_int_equal(p3_runner_ask("exit 8", -1, -1, NULL, &answer), EPERM);
    assert_int_equal(p3_runner_ask("exit 7", -1, -1, more, &answer), E2BIG);
}

static void a_request_that_was_tampered_with_is_dropped(void **state)
{
    static void (*const ways[])(char *, struct msghdr *) = {
        another_command,
        cut_short,
        an_input_that_is_no_flag,
        an_output_that_is_no_flag,
        an_input_that_is_not_there,
        a_variable_without_end,
        another_variable,
        no_descriptors,
        four_descriptors,
    };
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        tamper = ways[i];
        int status = status_of(touch, NULL);
        int error = errno;
        tamper = NULL;
        assert_int_equal(status, -1);
        assert_int_equal(error, ECHILD);
        assert_int_equal(access(mark, F_OK), -1);
        assert_int_equal(status_of("exit 7", NULL), 7); /* it goes on with what is proper */
    }
    assert_int_equal(status_of(touch, NULL), 0);
    assert_int_equal(unlink(mark), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_that_was_agreed_on_is_run),
        cmocka_unit_test(another_command_or_a_long_variable_is_not_even_asked_for),
        cmocka_unit_test(a_request_that_was_tampered_with_is_dropped),
    };
    return cmocka_run_group_tests_name("runner", tests, set_up, tear_down);
}
