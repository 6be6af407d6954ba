/* The texts of errors: what the client was doing, and which part of the server's text may be shown.
 */
#ifndef P3_CLIENT_ERROR_H
#define P3_CLIENT_ERROR_H

#include "client/client_state.h"

/* Records an error, with the part of the server's reply that contains no secret. */
void p3_error_record(pop3_client *c, p3_fault *fault);

/* Records an error that does not end the connection. `doing`: what was being done; `why`: a
 * message, or NULL for that of the status. Returns status. */
pop3_status p3_error_record_status(pop3_client *c, pop3_status status, const char *doing,
                                   const char *why);

/* Records why a command could not be submitted. Returns status. */
pop3_status p3_error_record_refusal(pop3_client *c, const pop3_command *command,
                                    pop3_status status);

/* Whether the error says why the connection ended by itself. A call that is impossible afterwards
 * does not replace it. */
bool p3_error_tells_the_end(const pop3_client *c);

/* Records that a call is impossible within a callback, or because there is a connection already.
 * Returns POP3_ERR_STATE. */
pop3_status p3_error_record_impossible(pop3_client *c, const char *doing);

/* What the client does in a phase without a command. */
const char *p3_error_phase(const pop3_client *c);

/* Writes what the client is doing: the command that fails first, or the phase. */
void p3_error_work(const pop3_client *c, char *out, size_t size);

#endif
