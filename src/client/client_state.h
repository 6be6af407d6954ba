/* The client and its parts. Each part has a header that says what it is and who may change it.
 *   phase, limits            the phase of the connection, and its time limits
 *   options, login_options   what the caller wants
 *   connection               the way to the server, and octets on it
 *   requests, reply          submitted commands, and replies that are kept
 *   upgrade, login           scripts of the client's own commands (script.h); parts of a login:
 *                            mechanism_choice, secrets, exchange (AUTH)
 *   ending, failure, refusal how it ended, and the error message
 * Above them, in this order: session.c (what happens on a connection), step.c (the order of
 * things), client.c (the handle), blocking.c, bulk.c (calls that wait). */
#ifndef P3_CLIENT_STATE_H
#define P3_CLIENT_STATE_H

#include "client/socket_callback.h"
#include "client/connection.h"
#include "client/ending.h"
#include "client/limits.h"
#include "client/login.h"
#include "client/options.h"
#include "client/phase.h"
#include "client/requests.h"
#include "client/upgrade.h"
#include "core/busy_wait.h"
#include "io/wake.h"

struct pop3_client {
    pop3_client_options options; /* strings are copies; defaults filled in */
    pop3_engine *engine;         /* of the current or last connection */
    p3_phase phase;
    p3_limits limits;
    p3_connection connection;
    p3_socket_callback announced;
    p3_requests requests;
    p3_upgrade upgrade;
    p3_login login;
    p3_ending ending;
    uint32_t came_back; /* connecting.c: the pop3_trait that caused a second connection, or 0 */
    bool inside;        /* step.c: callbacks are running */
    bool more;          /* step.c: the step stopped early, and there is more to do at once */
    p3_wake wake;
    p3_busy_wait busy_wait; /* blocking.c, */
    int look_us; /* and the longest time to poll, in microseconds; negative: never; 0: the default
                  */
    p3_kept_reply reply; /* the reply to the last blocking command */
};

/* Commands and logins that have not ended. */
static inline size_t p3_under_way(const pop3_client *c)
{
    return c->requests.under_way + (p3_login_is_there(&c->login) ? 1 : 0);
}

#endif
