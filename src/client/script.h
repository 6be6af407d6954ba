/* A script: the client's own commands that a login or an upgrade consists of. It gets the result of
 * its last move and returns the next one, and changes only its own state: the moves say what is to
 * be done with the connection. */
#ifndef P3_CLIENT_SCRIPT_H
#define P3_CLIENT_SCRIPT_H

#include <pop3/client.h>

#include "client/failure.h"
#include "io/tls_session.h"

/* What a script may know about its connection. */
typedef struct p3_scene {
    pop3_engine *engine;
    const pop3_client_options *options;
    const char *place;   /* the server, for messages */
    p3_tls_session *tls; /* NULL: without TLS */
} p3_scene;

/* Whether nobody can eavesdrop: TLS, or a Unix-domain socket. */
static inline bool p3_scene_is_private(const p3_scene *scene)
{
    return scene->tls != NULL || scene->options->unix_socket != NULL;
}

typedef enum p3_move_kind {
    P3_MOVE_WAIT,   /* wait for an answer */
    P3_MOVE_SEND,   /* send a command: the next move gets its result */
    P3_MOVE_SECURE, /* the TLS handshake: the next move follows it */
    P3_MOVE_END,    /* the script has ended, and the connection is good */
    P3_MOVE_BREAK   /* the script and the connection have ended */
} p3_move_kind;

typedef struct p3_move {
    p3_move_kind kind;
    pop3_command command;        /* SEND; its texts are valid until the next move */
    bool another;                /* SEND: request another move at once, without a result */
    pop3_result result;          /* END, BREAK: how it ended, with the last command and its reply */
    pop3_refusal refused;        /* END: what was refused, if it was */
    const char *why;             /* a message about that, or NULL for that of the status */
    const p3_failure *failure;   /* END: an error that was written earlier, instead of the above */
    uint32_t learned, unlearned; /* learned traits of the server: sets of pop3_trait */
} p3_move;

static inline p3_move p3_move_wait(void)
{
    return (p3_move){.kind = P3_MOVE_WAIT};
}

static inline p3_move p3_move_command(pop3_command_kind kind)
{
    p3_move move = {.kind = P3_MOVE_SEND, .command = POP3_COMMAND_INIT};
    move.command.kind = kind;
    return move;
}

/* The connection must end. */
static inline p3_move p3_move_break(pop3_status status, const char *why)
{
    return (p3_move){.kind = P3_MOVE_BREAK, .result = {.status = status}, .why = why};
}

#endif
