/* What must hold around every test. */
#define _POSIX_C_SOURCE 200809L
#include "support/guard.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/text.h"

/* Seconds a test may take, generous for a loaded machine, for valgrind and for an emulated
 * processor. */
#define GUARD_PATIENCE 240

static volatile sig_atomic_t broken_pipes;

static void note_broken_pipe(int signal)
{
    (void)signal;
    broken_pipes = broken_pipes + 1;
}

static void end_of_patience(int signal)
{
    static const char message[] = "Bail out! a test takes too long\n";
    (void)signal;
    ssize_t n = write(STDOUT_FILENO, message, sizeof message - 1);
    (void)n;
    _exit(99);
}

void guard_install(void)
{
    struct sigaction action = {.sa_handler = note_broken_pipe};
    sigemptyset(&action.sa_mask);
    sigaction(SIGPIPE, &action, NULL);
    action.sa_handler = end_of_patience;
    sigaction(SIGALRM, &action, NULL);
}

int guard_descriptors(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL)
        return -1;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count - 1; /* the folder's own */
}

long guard_memory(const char *field)
{
    text status = text_of_file("/proc/self/status");
    const char *at = status.data == NULL ? NULL : strstr(status.data, field);
    long kib = at == NULL ? -1 : strtol(at + strlen(field), NULL, 10);
    free(status.data);
    return kib;
}

void guard_begin(void)
{
    broken_pipes = 0;
    alarm(GUARD_PATIENCE);
}

bool guard_end(int before)
{
    alarm(0);
    int after = guard_descriptors();
    if (broken_pipes != 0)
        fprintf(stderr, "SIGPIPE was raised\n");
    if (after != before)
        fprintf(stderr, "%d descriptors were open before the test, %d after it\n", before, after);
    return broken_pipes == 0 && after == before;
}
