/* The engine's state, shared by engine.c (commands out, the public interface) and replies.c (octets
 * in, events out). */
#ifndef P3_CORE_ENGINE_STATE_H
#define P3_CORE_ENGINE_STATE_H

#include <pop3/engine.h>

#include "core/body.h"
#include "core/capabilities.h"
#include "core/line.h"
#include "core/output.h"
#include "core/proof.h"
#include "core/queue.h"

/* What the next octets from the server belong to. */
typedef enum p3_expect {
    P3_EXPECT_STATUS, /* a status line: the greeting, or the reply to the first command */
    P3_EXPECT_LISTING,
    P3_EXPECT_BODY
} p3_expect;

struct pop3_engine {
    pop3_engine_options options; /* with defaults filled in */
    pop3_state state;
    bool tls;          /* under TLS */
    bool wants_tls;    /* STLS was answered with +OK, the handshake has not been reported */
    bool quit;         /* QUIT has been submitted */
    size_t upgrades;   /* STLS commands submitted and not completed */
    bool auth_waits;   /* a challenge was returned and not answered */
    uint64_t deleted;  /* +OK to DELE since login or RSET */
    size_t challenges; /* in the current AUTH */
    unsigned unsaid; /* responses of the current AUTH that are needed before +OK can mean a login */

    p3_queue queue;
    size_t in_flight;        /* the first `in_flight` commands of the queue have been rendered */
    size_t in_flight_octets; /* of their lines */
    size_t window;           /* the number of commands that may be in flight */
    size_t answered;         /* commands answered since it last grew */
    uint64_t answers;        /* commands that got their reply */
    p3_output output;

    const char *in; /* input that was fed and not used */
    const char *in_end;
    p3_line line;
    pop3_str ready;       /* a status line taken from the input and not yet handled */
    bool have_ready;      /* `ready` is set */
    size_t echo_at;       /* offset at which the last status line repeats its command's secret, or
                             SIZE_MAX */
    p3_line_end line_end; /* how `ready` ended */
    p3_expect expect;
    p3_body body;
    uint64_t octets;        /* of the current message */
    p3_announced_size size; /* what was announced about the size of the current message */
    uint64_t entries;       /* of the current listing */
    uint64_t remarks;       /* lines of it that are no entries */
    unsigned prefaces;      /* lines received before the reply to APOP */

    bool held_set;    /* a message whose end is not proven waits for the next reply */
    p3_queued held;   /* its command */
    p3_proof wanted;  /* what it waits for */
    unsigned replies; /* the number of them that have not arrived */

    p3_caps caps;
    bool caps_known;   /* `caps` is the server's answer in the present state */
    bool caps_refused; /* CAPA was refused in the present state */
    bool late_capa;    /* after the login, the answer to CAPA is the last that the server sends: see
                          the interface */
    bool announced; /* whether PIPELINING was announced in the last answer to CAPA under the current
                       protection */

    char *greeting; /* copy, greeting_len octets */
    size_t greeting_len;

    pop3_status error;      /* how the connection died, or POP3_OK */
    bool greeting_reported; /* the GREETING event has been returned */
    char detail[400];       /* the error message, with room for an excerpt */
};

/* A command in flight has been completed. */
void p3_engine_answered(pop3_engine *e, const p3_queued *command);

/* Ends the connection; the first error is kept. `excerpt` is shown as what the server sent. */
void p3_engine_die(pop3_engine *e, pop3_status status, const char *why, pop3_str excerpt);

/* Calls the trace function, if there is one at this level. */
void p3_engine_trace(const pop3_engine *e, int level, pop3_trace_kind kind, pop3_str s);

/* Discards the known capabilities, because the state has changed. */
void p3_engine_forget_capabilities(pop3_engine *e);

#endif
