/* What happens on a connection: events of the engine, moves of the scripts, and the end. */
#ifndef P3_CLIENT_SESSION_H
#define P3_CLIENT_SESSION_H

#include "client/client_state.h"

/* What scripts may know about the connection. */
p3_scene p3_session_scene(const pop3_client *c);

/* Begins the TLS handshake; the handshake has ended, and the greeting or the upgrade's next command
 * follows. */
void p3_session_begin_tls(pop3_client *c);
void p3_session_tls_done(pop3_client *c);

/* The login takes its first step, or a slice of its computation. */
void p3_session_begin_login(pop3_client *c);
void p3_session_compute(pop3_client *c);

/* Submits waiting commands to the engine, as far as the phase allows. */
void p3_session_advance(pop3_client *c);

/* Takes all events from the engine and calls the handlers. */
void p3_session_dispatch(pop3_client *c);

/* Whether the caller's command may be sent on this connection: POP3_OK, POP3_ERR_INSECURE,
 * POP3_ERR_STATE. */
pop3_status p3_session_check(const pop3_client *c, pop3_command_kind kind);

/* Ends the connection: records the error, closes everything, and ends every command. If
 * fault->doing is NULL, the command or phase in progress is named. */
void p3_session_fail(pop3_client *c, p3_fault *fault);

/* The same without an error. `farewell` as for p3_connection_close(). */
void p3_session_close(pop3_client *c, pop3_status ended, bool farewell);

/* The same, but p3_session_dispatch() ends the commands: for use within its callbacks. */
void p3_session_lose(pop3_client *c, p3_fault *fault);

#endif
