/* The protocol between a process in its sandbox and the runner outside: private to runner.c,
 * duty_*.c and outside*.c. */
#ifndef P3_CONFINE_RUNNER_PROTOCOL_H
#define P3_CONFINE_RUNNER_PROTOCOL_H

#include <pop3/client.h>
#include <stdint.h>
#include <sys/socket.h>

#include "confine/duties.h"

#define P3_VARIABLE 400  /* octets of "SENDER=..." */
#define P3_PATH     4096 /* octets of a path */

/* The beginning of each request. The kinds also differ in size. */
typedef enum p3_ask {
    P3_ASK_RUN = 1,
    P3_ASK_FILE,
    P3_ASK_NAME,
    P3_ASK_DIAL,
    P3_ASK_PROVIDE
} p3_ask;

/* Run a command. The answer is written to the first descriptor of the message, a pipe. */
typedef struct p3_run_request {
    uint32_t ask;
    uint32_t command;
    uint8_t input; /* 1: the second descriptor is its input */
    uint8_t output;
    char variable[P3_VARIABLE]; /* "" for none */
} p3_run_request;

typedef struct p3_run_answer {
    int error;  /* why it could not be run, or 0 */
    int status; /* as from p3_child_wait() */
} p3_run_answer;

typedef enum p3_file_deed {
    P3_FILE_OPEN,    /* open(path, flags, mode) */
    P3_FILE_LINK,    /* link(path, to) */
    P3_FILE_UNLINK,  /* unlink(path) */
    P3_FILE_CONNECT, /* a socket connected to path */
    P3_FILE_SPOOL,   /* create an unnamed file for messages for a command */
    P3_FILE_IS_ALIVE /* kill(flags, 0) */
} p3_file_deed;

/* An operation on a file. The answer is sent over the socket, with the descriptor. */
typedef struct p3_file_request {
    uint32_t ask;
    uint32_t deed;
    int32_t flags;
    uint32_t mode;
    char path[P3_PATH];
    char to[P3_PATH];
} p3_file_request;

typedef struct p3_file_answer {
    int32_t error; /* an errno, or 0 */
} p3_file_answer;

/* Look up a name. The answer is written to the descriptor of the message, a pipe, in one piece. */
typedef struct p3_name_request {
    uint32_t ask;
    uint32_t which; /* index among the places of the duties */
} p3_name_request;

/* Begin to connect a socket. The answer is like that for a file. */
typedef struct p3_dial_request {
    uint32_t ask;
    uint32_t has_source;
    struct sockaddr_storage to;
    struct sockaddr_storage source;
} p3_dial_request;

/* Provide something. It is written to the descriptor of the message, a pipe. */
typedef struct p3_provide_request {
    uint32_t ask;
    uint32_t which; /* one of the things that the duties have */
    p3_provide_hint hint;
} p3_provide_request;

typedef struct p3_name_answer {
    int32_t error; /* that of getaddrinfo(), or 0 */
    uint32_t count;
    struct sockaddr_storage addresses[POP3_RESOLVE_ADDRESSES];
} p3_name_answer;

#endif
