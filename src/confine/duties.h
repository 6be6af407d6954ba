/* The duties of the process outside of the sandbox. */
#ifndef P3_CONFINE_DUTIES_H
#define P3_CONFINE_DUTIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The files of a target or a state, by the file that names them. */
typedef enum p3_duty_file_kind {
    P3_DUTY_FILE_MBOX,   /* FILE, FILE.lock, FILE.pop3-... */
    P3_DUTY_FILE_SOCKET, /* FILE, a Unix-domain socket that is connected to */
    P3_BESIDE_READ,      /* FILE, which is read, and may have been replaced */
    P3_DUTY_FILE_STATE   /* FILE, FILE.lock, FILE-journal, FILE-wal, FILE-shm */
} p3_duty_file_kind;

typedef struct p3_duty_file {
    p3_duty_file_kind kind;
    const char *path;
} p3_duty_file;

/* A server or proxy. */
typedef struct p3_duty_server {
    char *host; /* a name as from p3_outside_name(), or a numeric address */
    uint16_t port;
} p3_duty_server;

/* Sent with a request to provide something. */
typedef struct p3_provide_hint {
    unsigned char octets[16];
} p3_provide_hint;

/* Provides the thing number `which`, such as a token that is obtained over the network, in a
 * separate process: writes it to `to`. The request may come from a process that has been taken
 * over; `which` is in range. */
typedef void (*p3_provide_fn)(void *ctx, uint32_t which, const p3_provide_hint *hint, int to);

/* All duties. The lists and what they point to must not move. */
typedef struct p3_runner_duties {
    const char *const *commands; /* command lines to run */
    size_t command_count;
    const p3_duty_file *files; /* files to open and remove, with their companions */
    size_t file_count;
    const p3_duty_server *places; /* hosts to look up and to connect to */
    size_t place_count;
    bool sources;          /* from an address in the request */
    p3_provide_fn provide; /* provides these things, of which there are `provided`; or NULL */
    void *provide_ctx;
    size_t provide_count;
    bool spools; /* create unnamed files for messages for a command */
} p3_runner_duties;

#endif
