/* What a process in the sandbox may not do itself. Files: the calls of the same names, and if they
 * are refused (EACCES), the runner is asked, if there is one and the file is among its duties.
 * Names: the runner looks them up. Sockets: the runner connects them. */
#ifndef P3_CONFINE_OUTSIDE_H
#define P3_CONFINE_OUTSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sockaddr_storage;

/* open(2); the directory of a file among the duties may be opened for reading. A file that is
 * created outside gets mode 0600, whatever `mode` is. */
int p3_outside_open(const char *path, int flags, mode_t mode);

/* The same for reading a file that settings name, as p3_input_open() does. */
int p3_outside_read(const char *path);

int p3_outside_link(const char *path, const char *to);
int p3_outside_unlink(const char *path);

/* Whether a process is running, as far as is known: a signal may be refused. */
bool p3_outside_is_alive(pid_t pid);

/* A stream socket connected to a Unix-domain socket, non-blocking; -1 with errno. */
int p3_outside_connect(const char *path);

/* A pop3_connect_fn: a stream socket that is connecting, from an address unless that is NULL. If
 * this process may not create one (EPERM), the runner is asked. */
int p3_outside_dial(void *ctx, const struct sockaddr_storage *to,
                    const struct sockaddr_storage *source);

/* An unnamed file in $TMPDIR, for reading and writing, or -1 with errno. */
int p3_outside_spool(void);

/* A host name as the runner's duties have it, in ASCII; free() it. NULL for an address, or an
 * invalid name. */
char *p3_outside_name(const char *host);

/* A pop3_resolve_fn that asks the runner. */
size_t p3_outside_resolve(void *ctx, const char *host, struct sockaddr_storage *addresses,
                          const char **why);

#endif
