/* Lines typed at a terminal. */
#include "unit.h"

#include <pty.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "cli/line_editor.h"

#define DEADLINE 60 /* seconds until a test gives up waiting */

/* What the one at the terminal's other end says of a line by how it ends. */
enum { READ_NOTHING = 40, READ_WHOLE, READ_OTHER };

static const char *no_word(size_t i)
{
    (void)i;
    return NULL;
}

/* Reads a line in a process of its own, and tells whether it is what was expected. */
static pid_t read_elsewhere(int terminal, const char *expected)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    if (login_tty(terminal) != 0)
        _exit(1);
    setenv("TERM", "xterm", 1);
    setenv("HOME", "/nonexistent", 1);
    unsetenv("XDG_STATE_HOME");
    unsetenv("EDITRC");
    p3_line_editor *e = p3_line_editor_open("? ", no_word);
    const char *line = e != NULL ? p3_line_editor_read(e) : "";
    int result = line == NULL                  ? READ_NOTHING
                 : strcmp(line, expected) == 0 ? READ_WHOLE
                                               : READ_OTHER;
    p3_line_editor_close(e);
    _exit(result);
}

static bool is_raw(int terminal)
{
    struct termios now;
    assert_int_equal(tcgetattr(terminal, &now), 0);
    return (now.c_lflag & ICANON) == 0;
}

/* Types at the prompt; returns how the reader ended. */
static int typed(const char *text, const char *expected)
{
    int master;
    int slave;
    int ended;
    char shown[4096];
    struct timespec now;
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    assert_int_equal(tcflow(slave, TCOOFF), 0); /* nothing of the prompt comes through */
    pid_t pid = read_elsewhere(slave, expected);
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (time_t end = now.tv_sec + DEADLINE; !is_raw(slave) && now.tv_sec < end; sched_yield())
        clock_gettime(CLOCK_MONOTONIC, &now);
    bool ready = is_raw(slave);
    assert_int_equal(tcflow(slave, TCOON), 0);
    assert_true(read(master, shown, 1) == 1);
    assert_true(ready);
    assert_int_equal(write(master, text, strlen(text)), strlen(text));
    (void)close(slave);
    while (read(master, shown, sizeof shown) > 0) /* until the reader has ended */
        continue;
    assert_int_equal(waitpid(pid, &ended, 0), pid);
    (void)close(master);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

static void the_terminal_is_taken_over_before_the_prompt_shows(void **state)
{
    (void)state;
    assert_int_equal(typed("\x04", ""), READ_NOTHING);
}

static void a_long_line_is_whole(void **state)
{
    char line[1100] = {0};
    (void)state;
    memset(line, 'x', sizeof line - 2);
    line[sizeof line - 2] = '\n';
    assert_int_equal(typed(line, line), READ_WHOLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_terminal_is_taken_over_before_the_prompt_shows),
        cmocka_unit_test(a_long_line_is_whole),
    };
    return cmocka_run_group_tests_name("line editor", tests, NULL, NULL);
}
