/* Logging in, as a script: CAPA if needed, UTF8, the commands of the mechanism that
 * mechanism_choice.h chooses, those of another one after a refusal, and CAPA again. */
#ifndef P3_CLIENT_LOGIN_H
#define P3_CLIENT_LOGIN_H

#include <pop3/login.h>

#include "auth/mechanism.h"
#include "client/script.h"

/* A login in progress, or waiting for the connection. */
typedef struct p3_attempt p3_attempt;

/* All zero at first, except for the outcome. */
typedef struct p3_login {
    p3_attempt *attempt;       /* or NULL */
    p3_mechanisms before;      /* announced on this connection so far */
    pop3_login_result outcome; /* of the last login */
} p3_login;

void p3_login_init(p3_login *login);

/* A connection begins. */
void p3_login_new_connection(p3_login *login);

/* Creates a login with valid options. POP3_OK or POP3_ERR_MEMORY. */
pop3_status p3_login_prepare(p3_login *login, const pop3_login_options *options,
                             const pop3_handlers *handlers);

/* Whether a login is in progress or waits. */
bool p3_login_is_there(const p3_login *login);

/* Whether a login waits for its first move. */
bool p3_login_waits(const p3_login *login);

/* The next move: the first one with NULL; then with the result of the command before. */
p3_move p3_login_next(p3_login *login, const p3_scene *scene, const pop3_result *result);

/* The next move after the server's challenge, in base64. */
p3_move p3_login_challenge(p3_login *login, const p3_scene *scene, pop3_str challenge);

/* Whether the answer to a challenge needs more computation; the next move after a slice of it. */
bool p3_login_reckons(const p3_login *login);
p3_move p3_login_reckon(p3_login *login, const p3_scene *scene);

/* The connection has ended: the end of the login, with the refusal that explains it if there is
 * one. */
p3_move p3_login_lost(p3_login *login, const p3_scene *scene, pop3_status ended);

/* Writes what the login is doing, such as "logging in with PLAIN". */
void p3_login_describe(const p3_login *login, char *out, size_t size);

/* The login has ended: frees it, and returns the handlers to call. */
pop3_handlers p3_login_finish(p3_login *login);

/* A text from the server, up to where it repeats a secret of the login in progress. */
pop3_str p3_login_public_part(const p3_login *login, pop3_str text);

/* The server has answered CAPA: records the announced mechanisms. */
void p3_login_note_offer(p3_login *login, const pop3_engine *engine);

/* Whether this login has sent nothing but CAPA: CAPA is in flight, or was refused and `command`,
 * the first one after it, is in flight. */
bool p3_login_has_only_heard_capa(const p3_login *login, pop3_command_kind command);

/* Whether the connection ended at APOP, or after refusing APOP, and USER may be tried on another
 * one; if so, APOP counts as refused. `command` is the one in flight. */
bool p3_login_may_follow_apop(p3_login *login, const p3_scene *scene, pop3_command_kind command);

/* Whether the connection ended after refusing an AUTH with its initial response, so that the
 * response may be sent on a line of its own on another connection. */
bool p3_login_may_omit_initial(const p3_login *login);

/* Starts again on another connection, without the refused mechanisms. */
void p3_login_start_over(p3_login *login);

#endif
