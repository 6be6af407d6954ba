/* What the process outside of the sandbox will do. */
#ifndef P3_CONFINE_DUTIES_H
#define P3_CONFINE_DUTIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which files a target or a state consists of, by the file that it is named after. */
typedef enum p3_duty_file_kind {
    P3_DUTY_FILE_MBOX,   /* FILE, FILE.lock, FILE.pop3-... */
    P3_DUTY_FILE_SOCKET, /* FILE, a Unix-domain socket that is connected to */
    P3_BESIDE_READ,      /* FILE, which is read, and may have been replaced by then */
    P3_DUTY_FILE_STATE   /* FILE, FILE.lock, FILE-journal, FILE-wal, FILE-shm */
} p3_duty_file_kind;

typedef struct p3_duty_file {
    p3_duty_file_kind kind;
    const char *path;
} p3_duty_file;

/* A server or proxy. */
typedef struct p3_place {
    char *host; /* a name as p3_outside_name() gives it, or a numeric address */
    uint16_t port;
} p3_place;

/* What comes with a request to provide something. */
typedef struct p3_provide_hint {
    unsigned char octets[16];
} p3_provide_hint;

/* Provides the which-th of things, such as a token that is obtained over the network, in a process
 * of its own: writes it to `to`. What may be asked for comes from a process that may have been
 * taken over; `which` is among those that there are. */
typedef void (*p3_provide_fn)(void *ctx, uint32_t which, const p3_provide_hint *hint, int to);

/* All that it will do. The lists and what they point at must stay where they are. */
typedef struct p3_runner_duties {
    const char *const *commands; /* command lines that it runs */
    size_t command_count;
    const p3_duty_file *files; /* it opens and removes these, and what belongs to them */
    size_t file_count;
    const p3_place *places; /* it looks the names of these hosts up, and connects to them */
    size_t place_count;
    bool sources;          /* from an address that it is told */
    p3_provide_fn provide; /* it provides what this does, of this many; or NULL */
    void *provide_ctx;
    size_t provide_count;
    bool spools; /* it makes files without a name for messages on their way to a command */
} p3_runner_duties;

#endif
