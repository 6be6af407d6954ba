/* Asks the user at the terminal for a secret, without echo. */
#include "cli/password_prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "settings/text.h"
#include "support/printable.h"
#include "support/stop_request.h"

/* The terminal of the current prompt, for signals that end or stop the process. */
static int terminal = -1;
static struct termios before;
static struct termios silent;
static const char *question; /* of the current prompt */

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

/* While the process is stopped, the shell has the terminal; afterwards the question is asked again.
 */
static void on_stop(int number)
{
    int saved = errno;
    struct sigaction stop = {.sa_handler = SIG_DFL};
    struct sigaction usual;
    sigemptyset(&stop.sa_mask);
    (void)tcsetattr(terminal, TCSAFLUSH, &before);
    (void)sigaction(number, &stop, &usual);
    (void)raise(number);
    (void)sigaction(number, &usual, NULL);
    (void)tcsetattr(terminal, TCSAFLUSH, &silent);
    ssize_t n = write(terminal, question, strlen(question));
    (void)n;
    errno = saved;
}

/* Sets the handler of a signal, unless it is caught or ignored. */
static void watch_signal(int number, const struct sigaction *action, struct sigaction *usual)
{
    (void)sigaction(number, NULL, usual);
    if (usual->sa_handler == SIG_DFL)
        (void)sigaction(number, action, NULL);
}

/* `usual` gets the former actions: of the endings, and of SIGTSTP behind them. */
static void watch_signals(struct sigaction *usual)
{
    struct sigaction ends = {.sa_handler = on_ending, .sa_flags = (int)SA_RESETHAND};
    struct sigaction stops = {.sa_handler = on_stop, .sa_flags = SA_RESTART | (int)SA_NODEFER};
    sigemptyset(&ends.sa_mask);
    sigemptyset(&stops.sa_mask);
    for (size_t i = 0; i < P3_ENDINGS; i++)
        watch_signal(endings[i], &ends, &usual[i]);
    watch_signal(SIGTSTP, &stops, &usual[P3_ENDINGS]);
}

static void forget_signals(const struct sigaction *usual)
{
    for (size_t i = 0; i < P3_ENDINGS; i++)
        (void)sigaction(endings[i], &usual[i], NULL);
    (void)sigaction(SIGTSTP, &usual[P3_ENDINGS], NULL);
}

/* Disables echo. A key that sends a signal only ends the line: the signal is sent after the
 * terminal has been restored, because it might reach another thread than the one that waits here.
 */
static void silence(void)
{
    silent = before;
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

/* Reads a line. Where a signal is a request to end the process, it ends the wait as well. */
static ssize_t read_line(char *line, size_t size)
{
    ssize_t n;
    do {
        if (p3_stop_request_is_made())
            return P3_PASSWORD_PROMPT_INTERRUPTED;
        n = -1;
        errno = EINTR;
        if (p3_stop_request_poll(terminal, POLLIN, INT64_MAX) != 0)
            n = read(terminal, line, size);
    } while (n < 0 && errno == EINTR);
    return n > 0 ? n : 0;
}

/* Asks once; sets `key` to the signal whose key ended the line. */
static ssize_t ask_once(const char *name, char *line, size_t size, int *key)
{
    struct sigaction usual[P3_ENDINGS + 1];
    char *clean = p3_line_clean(name, strlen(name));
    char *text = p3_text_join("Password for ", clean != NULL ? clean : "", ": ", NULL);
    free(clean);
    question = text != NULL ? text : "Password: ";
    silent = before; /* until it is set */
    watch_signals(usual);
    silence();
    dprintf(terminal, "%s", question);
    ssize_t n = read_line(line, size);
    (void)tcsetattr(terminal, TCSAFLUSH, &before);
    forget_signals(usual);
    free(text);
    dprintf(terminal, "\n");
    *key = signal_of(line, n);
    return n;
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
        interrupted = n == P3_PASSWORD_PROMPT_INTERRUPTED || key == SIGINT;
        if (key == 0)
            break;
        (void)kill(getpid(), key);
    }
    if (interrupted)
        n = P3_PASSWORD_PROMPT_INTERRUPTED;
    if (terminal >= 0)
        (void)close(terminal);
    terminal = -1;
    pthread_mutex_unlock(&one);
    return n;
}
