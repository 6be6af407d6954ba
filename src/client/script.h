/* A script: the commands of the client's own that a login or an upgrade consists of. It is asked
 * for the next move, with the result of the one before, and changes nothing but its own state: what
 * it makes of the connection is in the moves. */
#ifndef P3_CLIENT_SCRIPT_H
#define P3_CLIENT_SCRIPT_H

#include <pop3/client.h>

#include "client/failure.h"
#include "io/tls_session.h"

/* What a script sees of the connection it is on. */
typedef struct p3_scene {
    pop3_engine *engine;
    const pop3_client_options *options;
    const char *place;   /* the server, for sentences */
    p3_tls_session *tls; /* NULL in the clear */
} p3_scene;

/* Whether nobody can listen: TLS, or a Unix-domain socket. */
static inline bool p3_scene_is_private(const p3_scene *scene)
{
    return scene->tls != NULL || scene->options->unix_socket != NULL;
}

typedef enum p3_move_kind {
    P3_MOVE_WAIT,   /* for an answer that is under way */
    P3_MOVE_SEND,   /* a command: the next move is asked for with its result */
    P3_MOVE_SECURE, /* the TLS handshake: the next move is asked for when it is over */
    P3_MOVE_END,    /* the script is over, and the connection is good */
    P3_MOVE_BREAK   /* the script is over, and so is the connection */
} p3_move_kind;

typedef struct p3_move {
    p3_move_kind kind;
    pop3_command command;        /* SEND; its texts live until the next move is asked for */
    bool another;                /* SEND: ask for another move at once, without a result */
    pop3_result result;          /* END, BREAK: how it ended, and the last command with its reply */
    pop3_refusal refused;        /* END: what was refused, if it was */
    const char *why;             /* a sentence on that, or NULL for the status' own */
    const p3_failure *failure;   /* END: an error that was written before, in place of the above */
    uint32_t learned, unlearned; /* what is now known of the server: sets of pop3_trait */
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
