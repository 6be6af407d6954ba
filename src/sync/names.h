/* Names for delivered messages that never collide: with those of other programs, hosts and runs,
 * whatever the clock says. */
#ifndef P3_SYNC_NAMES_H
#define P3_SYNC_NAMES_H

#include <stddef.h>
#include <stdint.h>

/* Longest name, its terminator included. */
#define P3_NAME_SIZE 160

typedef struct p3_names {
    char start[48]; /* time and random number of this run */
    char host[80];  /* as the Maildir specification wants it */
    uint64_t next;
} p3_names;

/* Prepares names. Returns 0, or errno when there is no randomness to be had. */
int p3_names_init(p3_names *n);

/* Writes the next name: "1700000000.R0123456789abcdefQ7.host". */
void p3_names_next(p3_names *n, char *out, size_t size);

#endif
