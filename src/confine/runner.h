/* A process that does for this one what the sandbox forbids: it is forked before the sandbox is
 * entered, and its duties are fixed then. It runs command lines, and opens and removes files beside
 * an mbox or a state (see outside.h). */
#ifndef P3_CONFINE_RUNNER_H
#define P3_CONFINE_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "confine/duties.h"

/* Starts it. There must be no other thread. Returns false, with errno. */
bool p3_runner_start(const p3_runner_duties *duties);

/* Ends it, and waits for that. Does nothing when there is none. */
void p3_runner_stop(void);

bool p3_runner_is_there(void);

/* Whether it was started and has ended by itself, or was killed: nothing can be asked of it, and it
 * cannot be started again from inside. */
bool p3_runner_has_ended(void);

/* Its process number, or -1. */
pid_t p3_runner_pid(void);

/* Runs a command line, like p3_child_start(); `more` is at most one variable, SENDER. Any thread
 * may call it. Returns 0 or an errno; the answer is for p3_runner_wait(). */
int p3_runner_ask(const char *command, int input, int output, const char *const *more, int *answer);

/* Waits for the command's end. Returns its exit status like p3_child_wait(), or -1 with errno when
 * it could not be run. */
int p3_runner_wait(int answer);

/* Requests the thing number `which`. Any thread may call it. Returns a descriptor from which it can
 * be read to its end, or -1 with errno. */
int p3_runner_provide(uint32_t which, const p3_provide_hint *hint);

/* For outside*.c: the socket, or -1; the duties; and sending a request with at most three
 * descriptors. Returns an errno or 0. */
int p3_runner_socket(void);
const p3_runner_duties *p3_runner_duties_of(void);
int p3_runner_send(const void *request, size_t size, const int *fds, int count);

#endif
