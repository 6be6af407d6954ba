/* What a refusal is about, and whether it is temporary. */
#ifndef P3_CLIENT_REFUSAL_H
#define P3_CLIENT_REFUSAL_H

#include <pop3/client.h>

/* What is refused with a command; POP3_CMD_NONE: the greeting. */
pop3_refusal p3_refusal_of(pop3_command_kind command);

/* Whether a later attempt may succeed, by the response code or, without one, by the text. */
bool p3_refusal_is_temporary(const pop3_reply *reply);

/* Whether a refusal says neither that the credentials are wrong nor that it is temporary: another
 * mechanism may work. */
bool p3_refusal_is_vague(const pop3_reply *reply);

/* Whether its text contains these words, ignoring case. */
bool p3_refusal_has(const pop3_reply *reply, const char *words);

/* Whether it says that the server does not know the command or the mechanism. */
bool p3_refusal_is_of_mechanism(const pop3_reply *reply);

#endif
