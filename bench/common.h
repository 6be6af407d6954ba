/* What the programs of the benchmark share: giving up, numbers from the command line, loopback
 * sockets, the clock. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stddef.h>
#include <stdint.h>

/* Prints "PROGRAM: what: strerror(errno)" and exits. */
_Noreturn void die(const char *what);

/* Prints "PROGRAM: what" and exits. */
_Noreturn void die_plain(const char *what);

/* A decimal number from the command line; exits when it is none or exceeds `most`. */
size_t number_or_die(const char *text, size_t most);

/* A non-blocking socket that listens on 127.0.0.1; port 0 takes a free one. *port receives it. */
int listen_on(uint16_t *port);

/* A socket connected to 127.0.0.1, or being connected when it is non-blocking. */
int connect_to(uint16_t port, int nonblocking);

/* Makes a connected socket non-blocking. */
void make_nonblocking(int fd);

/* The same, and makes small writes on it immediate. */
void make_quick(int fd);

/* Lifts the number of descriptors this process may have to what the system allows it. */
void allow_many_descriptors(void);

/* Seconds on a clock that only goes forward. */
double now_seconds(void);

#endif
