/* What is said of an error: what the client was doing, and what of the server's words may be shown.
 */
#ifndef P3_CLIENT_ERROR_H
#define P3_CLIENT_ERROR_H

#include "client/client_state.h"

/* Notes an error; of its reply it shows what is no secret. */
void p3_error_record(pop3_client *c, p3_fault *fault);

/* Notes an error that ends nothing. `doing` is what was being done, `why` a sentence, or NULL for
 * the status' own. Returns status. */
pop3_status p3_error_record_status(pop3_client *c, pop3_status status, const char *doing,
                                   const char *why);

/* Notes why a command was not even submitted. Returns status. */
pop3_status p3_error_record_refusal(pop3_client *c, const pop3_command *command,
                                    pop3_status status);

/* What the client is doing in a phase without a command. */
const char *p3_error_phase(const pop3_client *c);

/* Writes the sentence's middle: the command that is the first to fail, or what the phase is about.
 */
void p3_error_work(const pop3_client *c, char *out, size_t size);

#endif
