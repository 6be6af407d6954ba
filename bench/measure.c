/* Runs a command and says what it took: a line of JSON with wall time, processor time and the most
 * memory that any of its processes had resident.
 *
 *     bench-measure [--timeout SECONDS] OUTPUT COMMAND [ARGUMENT]...
 *
 * The line goes to the file OUTPUT. A program of its own, because Linux counts what a process had
 * before exec(2) into its peak: a small parent leaves little to be counted. The command gets a
 * process group of its own, which is killed when its time is over. Exits as the command does.
 */
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile pid_t child;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    kill(-child, SIGKILL);
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static pid_t start(char **command)
{
    pid_t pid = vfork();
    if (pid < 0)
        die("vfork");
    if (pid == 0) {
        setpgid(0, 0);
        execvp(command[0], command);
        _exit(127);
    }
    return pid;
}

int main(int argc, char **argv)
{
    unsigned timeout = 600;
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--timeout") == 0) {
        timeout = (unsigned)number_or_die(argv[2], 86400);
        first = 3;
    }
    if (argc - first < 2)
        die_plain("[--timeout SECONDS] OUTPUT COMMAND [ARGUMENT]...");
    FILE *out = fopen(argv[first], "we");
    if (out == NULL)
        die(argv[first]);
    struct sigaction action = {.sa_handler = on_alarm};
    if (sigaction(SIGALRM, &action, NULL) != 0)
        die("sigaction");
    struct rusage used;
    int status;
    double begin = now_seconds();
    child = start(argv + first + 1);
    alarm(timeout);
    while (wait4(child, &status, 0, &used) < 0) {
        if (errno != EINTR)
            die("wait4");
    }
    double wall = now_seconds() - begin;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    fprintf(out, "{\"wall\": %.6f, \"cpu\": %.6f, \"peak_kib\": %ld, \"exit\": %d}\n", wall,
            seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss, code);
    if (fclose(out) != 0)
        die(argv[first]);
    return code;
}
