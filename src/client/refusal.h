/* What a refusal is about, and whether it will pass. */
#ifndef P3_CLIENT_REFUSAL_H
#define P3_CLIENT_REFUSAL_H

#include <pop3/client.h>

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

#endif
