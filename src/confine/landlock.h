/* Landlock: which files the process may open, and to which TCP ports it may connect. Linux lets any
 * process give these rights up for good, see landlock(7). */
#ifndef P3_CONFINE_LANDLOCK_H
#define P3_CONFINE_LANDLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* What may be done with a file, or with all that is below a folder. */
typedef enum p3_access {
    P3_ACCESS_READ,  /* read, list */
    P3_ACCESS_WRITE, /* the same, and make, write, rename, remove files */
    P3_ACCESS_ALL,   /* all that there is: for who is kept from making other things than files by
                        other means. A rename out of one such folder into another costs little;
                        else the kernel looks at all folders above both, and holds their locks */
    P3_ACCESS_DEVICE /* read, write, ioctl(2) */
} p3_access;

/* Rules that are being gathered. */
typedef struct p3_landlock {
    int version; /* what the kernel knows: Landlock's ABI */
    int fd;
    uint64_t handled; /* what is forbidden about files unless a rule allows it */
    bool ports;       /* the ports that may be connected to are restricted */
} p3_landlock;

/* The versions from which on Landlock restricts truncate(2), and TCP. */
enum { P3_LANDLOCK_TRUNCATE = 3, P3_LANDLOCK_PORTS = 4 };

/* Whether this build knows of Landlock: where it does not, there is no sandbox at all. */
bool p3_landlock_is_built(void);

/* The version that this kernel has: 0 for none, or one that is too old to be of use. */
int p3_landlock_version(void);

/* Begins with rules that forbid all that is not allowed afterwards: opening, making and running
 * files, TCP, signals to other processes. Returns false, with errno. */
bool p3_landlock_begin(p3_landlock *l);

/* Allows what is below a path. One that is not there needs no rule. Returns false, with errno. */
bool p3_landlock_allow(const p3_landlock *l, const char *path, p3_access access);

/* Allows to connect to a TCP port; and to choose the address that connections come from. */
bool p3_landlock_allow_port(const p3_landlock *l, uint16_t port);
bool p3_landlock_allow_any_source(const p3_landlock *l);

/* The rules hold from here on, for this thread and those that it starts. PR_SET_NO_NEW_PRIVS must
 * have been set. Returns false, with errno. */
bool p3_landlock_enter(const p3_landlock *l);

/* Ends the gathering; what was entered stays. */
void p3_landlock_end(p3_landlock *l);

#endif
