/* A process of its own that does for this one what it has given up the right to: it is forked
 * before that, and does what it was told of then. It runs command lines, and opens and removes
 * files beside an mbox or a state (see outside.h). */
#ifndef P3_CONFINE_RUNNER_H
#define P3_CONFINE_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Which files a target or a state consists of, by the file that it is named after. */
typedef enum p3_beside {
    P3_BESIDE_MBOX, /* FILE, FILE.lock, FILE.pop3-... */
    P3_BESIDE_STATE /* FILE, FILE.lock, FILE-journal, FILE-wal, FILE-shm */
} p3_beside;

typedef struct p3_beside_file {
    p3_beside kind;
    const char *path;
} p3_beside_file;

/* All that it will do. The lists and what they point at must stay where they are. */
typedef struct p3_runner_duties {
    const char *const *commands; /* command lines that it runs */
    size_t command_count;
    const p3_beside_file *files; /* it opens and removes these, and what belongs to them */
    size_t file_count;
    const char *const *names; /* it looks these host names up, see p3_outside_name() */
    size_t name_count;
    bool spools; /* it makes files without a name for messages on their way to a command */
} p3_runner_duties;

/* Starts it. There must be no other thread. Returns false, with errno. */
bool p3_runner_start(const p3_runner_duties *duties);

/* Lets it end, and waits for that. Does nothing when there is none. */
void p3_runner_stop(void);

bool p3_runner_is_there(void);

/* Its process number, or -1. */
pid_t p3_runner_pid(void);

/* Has a command line run, as p3_child_start() does; `more` is at most one variable, SENDER. Any
 * thread may ask. Returns 0 or the error's number; the answer is for p3_runner_wait(). */
int p3_runner_ask(const char *command, int input, int output, const char *const *more, int *answer);

/* Waits for the command's end. Returns its exit status as p3_child_wait() does, or -1 with errno
 * when it could not be run. */
int p3_runner_wait(int answer);

#endif
