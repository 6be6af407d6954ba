/* The client's state, shared by the files of this folder. Who does what:
 *   client.c      makes, frees, accessors
 *   connect.c     resolving, dialing, proxies, the TLS handshake
 *   step.c        the non-blocking step: connecting, greeting, transfer, deadlines
 *   upgrade.c     STLS: capabilities, command, handshake, capabilities again
 *   phase.c       which phase may follow which
 *   refusal.c     what a refusal is about
 *   requests.c    submitted commands: waiting, handed to the engine, over
 *   failure.c     how a connection ends, and the sentence about it
 *   blocking.c    the poll(2) loop, and the blocking commands
 *   collect.c     listings and messages in memory, many messages
 *   login.c       logging in: options, beginning, end
 *   login_choice.c  which method, with which secret
 *   login_steps.c the commands of each method
 *   survey.c      UIDL and LIST together, in memory */
#ifndef P3_CLIENT_STATE_H
#define P3_CLIENT_STATE_H

#include <pop3/client.h>
#include <pop3/login.h>

#include "core/glance.h"
#include "io/dial.h"
#include "io/proxy.h"
#include "io/resolve.h"
#include "io/stream.h"
#include "io/wake.h"

/* Where a connection stands. */
typedef enum p3_phase {
    P3_PHASE_NONE,      /* no connection */
    P3_PHASE_RESOLVING, /* the host name is being resolved */
    P3_PHASE_DIALING,   /* connection attempts are under way */
    P3_PHASE_PROXY,     /* the proxy is asked to connect to the server */
    P3_PHASE_HANDSHAKE, /* TLS handshake: before the greeting, or after STLS */
    P3_PHASE_GREETING,  /* the greeting is awaited */
    P3_PHASE_UPGRADE,   /* STLS is under way (but for its handshake) */
    P3_PHASE_LOGIN,     /* a login is under way */
    P3_PHASE_READY      /* commands may be sent */
} p3_phase;

/* A command that the engine does not have yet. */
typedef struct p3_held_command {
    pop3_command command; /* its argument points to `text` */
    char text[];          /* command.text.len octets, wiped when freed */
} p3_held_command;

/* A submitted command, from submission to its end. */
typedef struct p3_request {
    struct p3_request *next; /* in the list of those that wait, or of those to use again */
    p3_held_command *held;   /* while it waits, else NULL */
    pop3_handlers handlers;
    uint64_t octets; /* handed to the sink */
    bool unwanted;   /* sink or entry handler wants no more of it */
} p3_request;

/* A list with an end to add to. */
typedef struct p3_request_list {
    p3_request *first;
    p3_request **last;
} p3_request_list;

/* The last error, with the memory its sentence and text live in. */
typedef struct p3_failure {
    pop3_error value;
    char message[768];
    char server_text[512];
} p3_failure;

/* Where the line of a kept reply lives. */
typedef struct p3_reply_memory {
    char *data;
    size_t size;
} p3_reply_memory;

struct pop3_client {
    pop3_client_options options; /* strings are copies; defaults filled in */
    pop3_engine *engine;         /* of the present or last connection */
    p3_phase phase;
    pop3_status ended;  /* how the last connection ended; POP3_OK while there is one, or none was */
    bool untold;        /* it ended by itself after the last call was over: the next is to tell */
    bool inside;        /* callbacks are running */
    bool aborted;       /* a sink wants the connection closed */
    bool quit;          /* QUIT was submitted: nothing may follow */
    uint32_t came_back; /* the pop3_trait for which this is a second connection, or 0 */
    bool used;          /* the caller has submitted more than CAPA, not behind a login */

    p3_resolve *resolve;
    p3_dial dial;
    p3_proxy *proxy; /* while it is asked to connect */
    p3_stream stream;
    p3_wake wake;
    p3_glance glance;     /* of blocking calls */
    int64_t deadline;     /* when to give up unless something happens */
    int64_t session_ends; /* when to give up whatever happens */
    bool want_write;      /* octets wait until the socket takes them */
    bool read_again;      /* the last read filled the buffer: the next need not be waited for */
    bool drained;         /* in this step, the last read took all that had come */
    bool more; /* there is more to do at once: a step stopped short, or a command was submitted */
    uint64_t received; /* octets, on this connection */
    char *buffer;      /* what was received */
    size_t buffer_len;

    p3_request_list waiting; /* submitted, not yet handed to the engine */
    size_t under_way;        /* requests that are waiting or in the engine */
    p3_request *spare;       /* to use again */
    p3_request *upgrading;   /* the STLS request that is under way, or NULL */

    struct p3_login *login;  /* the login that is under way or waits for the connection, or NULL */
    uint32_t offered_before; /* set of p3_mechanism: announced on this connection so far */
    pop3_login_result outcome; /* of the last login */

    pop3_reply reply; /* of the last blocking command, spans in `reply_memory` */
    p3_reply_memory reply_memory;
    pop3_reply opening; /* of the command whose lines are coming, spans in `opening_memory` */
    p3_reply_memory opening_memory;
    p3_failure failure;
    p3_failure kept; /* of a call that is over, then of an end that is `untold` */
    char where[300]; /* "host:port" for messages */
};

/* Whether the server is known to have one of these traits: a set of pop3_trait. What the client
 * learns, it adds to c->options.traits. */
static inline bool p3_has_trait(const pop3_client *c, uint32_t traits)
{
    return (c->options.traits.flags & traits) != 0;
}

/* phase.c */

/* The connection gets on, or ends. Only this changes the phase. */
void p3_set_phase(pop3_client *c, p3_phase phase);

/* failure.c */

/* Notes an error: `doing` is what was being done, `why` a sentence; reply, when not NULL, the
 * server's refusal. Returns status. */
pop3_status p3_note_error(pop3_client *c, pop3_status status, int sys_errno, const char *doing,
                          const char *why, const pop3_reply *reply);

/* Writes "RETR 5" or "STAT". */
void p3_describe_command(pop3_command_kind kind, uint32_t number, char *out, size_t size);

/* Ends the connection: notes the error, closes everything, and every command under way gets its
 * end. `doing` may be NULL: what is under way is then named. Returns how the connection ended,
 * which is `status`, but for a QUIT that needed no answer. */
pop3_status p3_fail(pop3_client *c, pop3_status status, int sys_errno, const char *doing,
                    const char *why);

/* The engine found the connection dead; `first` is the first event that says so, NULL when nothing
 * was under way. Notes the error and closes; the engine's further events end the commands. */
void p3_lost(pop3_client *c, const pop3_event *first);

/* Closes what the connection holds, and notes how it ended. */
void p3_disconnect(pop3_client *c, pop3_status ended, bool farewell);

/* Ends commands under way that will not be answered, after p3_disconnect(). */
void p3_abandon(pop3_client *c, pop3_status status);

/* Tells the trace that something happened to the connection. */
void p3_trace_note(pop3_client *c, const char *text);

/* refusal.c */

/* Notes the server's refusal; otherwise as p3_note_error(). */
void p3_note_refusal(pop3_client *c, pop3_refusal what, const char *doing, const char *why,
                     const pop3_reply *reply);

/* What is refused with a command, POP3_CMD_NONE for the greeting. */
pop3_refusal p3_refusal_of(pop3_command_kind command);

/* Whether another time may be better, by the response code or, where there is none, the words. */
bool p3_refusal_is_temporary(const pop3_reply *reply);

/* Whether a refusal says neither that the credentials are wrong nor that another time may be
 * better: something else may work. */
bool p3_refusal_is_vague(const pop3_reply *reply);

/* Whether its text has these words; letters' case is ignored. */
bool p3_refusal_has(const pop3_reply *reply, const char *words);

/* Whether it says that the server does not know the command or the method. */
bool p3_refusal_is_of_the_method(const pop3_reply *reply);

/* requests.c */

/* Hands requests that wait to the engine, as far as the phase allows. */
void p3_requests_advance(pop3_client *c);

/* Calls the handler that is told an end, if there is one, as a callback: no call may block within.
 */
void p3_tell_done(pop3_client *c, const pop3_handlers *h, const pop3_result *result);

/* Tells the end of a request and frees it. */
void p3_request_over(pop3_client *c, p3_request *r, pop3_result *result);

/* Takes all events out of the engine and tells the handlers. */
void p3_dispatch(pop3_client *c);

/* Copies a reply; its spans then point into the memory kept for it, which grows as need be. Without
 * spans when out of memory. */
void p3_copy_reply(pop3_reply *to, p3_reply_memory *memory, const pop3_reply *from);

/* Keeps a copy of a reply for pop3_client_reply(), without its spans when out of memory. */
void p3_keep_reply(pop3_client *c, const pop3_reply *reply);

/* Hands a command straight to the engine, whatever waits: for the client's own commands. */
pop3_status p3_submit_now(pop3_client *c, const pop3_command *command,
                          const pop3_handlers *handlers);

/* Forgets what the engine holds, telling nobody: before another connection is made in place of one
 * on which only the client's own CAPA was sent. */
void p3_requests_forget(pop3_client *c);

/* Wipes and frees the list of spare requests. */
void p3_requests_free(pop3_client *c);

/* upgrade.c */

/* Begins STLS: for a request, or (NULL) because the options require it. */
void p3_upgrade_begin(pop3_client *c, p3_request *request);

/* The handshake after STLS has succeeded. */
void p3_upgrade_encrypted(pop3_client *c);

/* connect.c */

/* Begins to connect. */
pop3_status p3_connect_begin(pop3_client *c);

/* The connection has ended at the client's own CAPA, before a login or as its last command, at the
 * first command of a login after CAPA was refused, or at an APOP that USER may follow, and nothing
 * else has been said: connects once more, to do without that command. Returns whether that was so.
 * Learns it, too, where CAPA came after a login that is over, and the connection is not to be made
 * again behind the caller's back. `reset`: it did not end in order. */
bool p3_come_back(pop3_client *c, bool reset);

/* Goes on in the phases from RESOLVING to HANDSHAKE. Returns whether it got on, so that another
 * round is worth while. */
bool p3_connect_step(pop3_client *c, int64_t now);

/* Ends the connection with what its TLS session says. */
void p3_fail_tls(pop3_client *c);

/* step.c */

/* Makes an engine for a new connection, in place of the one there was. */
pop3_status p3_make_engine(pop3_client *c);

/* Begins the TLS handshake on the connected socket. */
pop3_status p3_begin_tls(pop3_client *c);

/* The connection is ready for the caller's commands. */
void p3_ready(pop3_client *c);

/* Whether a password may be sent as the connection is. */
bool p3_is_private(const pop3_client *c);

/* The server's name, for TLS and for mechanisms that name it. */
const char *p3_host(const pop3_client *c);

/* blocking.c */

/* Waits until the client must be stepped. */
void p3_wait_for(pop3_client *c);

/* Begins a blocking call: POP3_OK; POP3_ERR_STATE from within a callback; or how the connection
 * ended, when that happened in the very step in which the last call was over: that call returned as
 * it ended, with its own error, and no call has told the connection's end yet. */
pop3_status p3_call_begin(pop3_client *c);

/* Within the last callback of a call: keeps its error. */
void p3_call_over(pop3_client *c, pop3_status status);

/* Ends it: notes whether the next call is to tell an end. Returns status. */
pop3_status p3_call_end(pop3_client *c, pop3_status status);

/* login.c */

/* Whether a login waits for its first step. */
bool p3_login_waits(const pop3_client *c);

/* Takes the first step. */
void p3_login_begin(pop3_client *c);

/* The connection has ended, and the login with it. */
void p3_login_dropped(pop3_client *c);

/* A text of the server's, up to where it repeats a secret of the login that is under way. */
pop3_str p3_login_public_part(const pop3_client *c, pop3_str text);

/* The server has answered CAPA: remembers what methods it announced. */
void p3_login_note_offer(pop3_client *c);

/* login_steps.c */

/* The server's challenge, in base64. */
void p3_login_challenge(pop3_client *c, pop3_str challenge);

/* Whether the answer to one takes more arithmetic; does some of it. */
bool p3_login_reckons(const pop3_client *c);
void p3_login_reckon(pop3_client *c);

#endif
