/* Asks the user at the terminal for a secret, without echo. */
#include "cli/password_prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "support/printable.h"

/* The terminal of the current prompt, for signals that end the process. */
static int terminal = -1;
static struct termios before;

/* Signals that would end the process, unless they are caught or ignored. */
static const int endings[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
#define P3_ENDINGS (sizeof endings / sizeof *endings)

/* SA_RESETHAND has removed the handler; the signal raised here ends the process after it returns.
 */
static void on_ending(int number)
{
    (void)tcsetattr(terminal, TCSAFLUSH, &before);
    (void)raise(number);
}

static void watch_endings(struct sigaction *usual)
{
    struct sigaction action = {.sa_handler = on_ending, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < P3_ENDINGS; i++) {
        (void)sigaction(endings[i], NULL, &usual[i]);
        if (usual[i].sa_handler == SIG_DFL)
            (void)sigaction(endings[i], &action, NULL);
    }
}

static void forget_endings(const struct sigaction *usual)
{
    for (size_t i = 0; i < P3_ENDINGS; i++)
        (void)sigaction(endings[i], &usual[i], NULL);
}

/* Disables echo. A key that sends a signal only ends the line: the signal is sent after the
 * terminal has been restored, because it might reach another thread than the one that waits here.
 */
static void silence(void)
{
    struct termios silent = before;
    silent.c_lflag &= (tcflag_t) ~(unsigned)(ECHO | ISIG);
    silent.c_cc[VEOL] = before.c_cc[VINTR];
    silent.c_cc[VEOL2] = before.c_cc[VSUSP];
    (void)tcsetattr(terminal, TCSAFLUSH,
                    &silent); /* before the prompt, because what is typed at it is secret */
}

/* The signal whose key is the last octet of a line, or 0. */
static int signal_of(const char *line, ssize_t n)
{
    unsigned char last = n > 0 ? (unsigned char)line[n - 1] : (unsigned char)_POSIX_VDISABLE;
    if (last == _POSIX_VDISABLE)
        return 0;
    return last == before.c_cc[VINTR] ? SIGINT : last == before.c_cc[VSUSP] ? SIGTSTP : 0;
}

/* Asks once; sets `key` to the signal whose key ended the line. */
static ssize_t ask_once(const char *name, char *line, size_t size, int *key)
{
    struct sigaction usual[P3_ENDINGS];
    watch_endings(usual);
    silence();
    char *clean = p3_line_clean(name, strlen(name));
    dprintf(terminal, "Password for %s: ", clean != NULL ? clean : "");
    free(clean);
    ssize_t n;
    do
        n = read(terminal, line, size);
    while (n < 0 && errno == EINTR);
    (void)tcsetattr(terminal, TCSAFLUSH, &before);
    forget_endings(usual);
    dprintf(terminal, "\n");
    *key = signal_of(line, n);
    return n > 0 ? n : 0;
}

ssize_t p3_password_prompt(const char *name, char *line, size_t size)
{
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    static bool interrupted;
    ssize_t n = P3_PASSWORD_PROMPT_NO_TERMINAL;
    int key = 0;
    pthread_mutex_lock(&one);
    terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    while (!interrupted && terminal >= 0 && tcgetattr(terminal, &before) == 0) {
        n = ask_once(name, line, size, &key);
        if (key == 0)
            break;
        (void)kill(getpid(), key);
        interrupted = key == SIGINT;
    }
    if (interrupted)
        n = P3_PASSWORD_PROMPT_INTERRUPTED;
    if (terminal >= 0)
        (void)close(terminal);
    terminal = -1;
    pthread_mutex_unlock(&one);
    return n;
}
