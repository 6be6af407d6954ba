/* Landlock: which files the process may open, and to which TCP ports it may connect. On Linux any
 * process can give up these rights for good, see landlock(7). */
#ifndef P3_CONFINE_LANDLOCK_H
#define P3_CONFINE_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Access to a file, or to everything below a directory. */
typedef enum p3_access {
    P3_ACCESS_READ,  /* read, list */
    P3_ACCESS_WRITE, /* the same, and create, write, rename, remove files */
    P3_ACCESS_ALL, /* everything: for directories in which other means prevent creating anything but
                      files. A rename between two such directories is cheap; otherwise the kernel
                      checks all directories above both, while it holds their locks */
    P3_ACCESS_DEVICE /* read, write, ioctl(2) */
} p3_access;

/* Rules that are being collected. */
typedef struct p3_landlock {
    int version; /* the kernel's Landlock ABI */
    int fd;
    uint64_t handled; /* file access that is forbidden unless a rule permits it */
    bool ports;       /* connecting to ports is restricted */
} p3_landlock;

/* The versions since which Landlock restricts truncate(2), and TCP. */
enum { P3_LANDLOCK_TRUNCATE = 3, P3_LANDLOCK_PORTS = 4 };

/* Whether this build supports Landlock; otherwise there is no sandbox. */
bool p3_landlock_is_built(void);

/* The version of this kernel: 0 for none, or one that is too old. */
int p3_landlock_version(void);

/* Starts rules that forbid everything that is not permitted later: opening, creating and executing
 * files, TCP, signals to other processes. Returns false, with errno. */
bool p3_landlock_begin(p3_landlock *l);

/* Permits access below a path. A missing path needs no rule. Returns false, with errno. */
bool p3_landlock_allow(const p3_landlock *l, const char *path, p3_access access);

/* Permits connecting to a TCP port; and choosing the local address of connections. */
bool p3_landlock_allow_port(const p3_landlock *l, uint16_t port);
bool p3_landlock_allow_any_source(const p3_landlock *l);

/* Applies the rules to this thread and those that it starts later. PR_SET_NO_NEW_PRIVS must have
 * been set. Returns false, with errno. */
bool p3_landlock_enter(const p3_landlock *l);

/* Frees the rules; those that were applied remain. */
void p3_landlock_end(p3_landlock *l);

#endif
