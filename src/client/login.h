/* Logging in, as a script: CAPA if need be, UTF8, the commands of the method that
 * mechanism_choice.h picks, those of another after a refusal, CAPA again. */
#ifndef P3_CLIENT_LOGIN_H
#define P3_CLIENT_LOGIN_H

#include <pop3/login.h>

#include "auth/mechanism.h"
#include "client/script.h"

/* A login that is under way, or waits for the connection. */
typedef struct p3_attempt p3_attempt;

/* All zero but for the outcome at first. */
typedef struct p3_login {
    p3_attempt *attempt;       /* or NULL */
    p3_mechanisms before;      /* announced on this connection so far */
    pop3_login_result outcome; /* of the last login */
} p3_login;

void p3_login_init(p3_login *login);

/* A connection begins. */
void p3_login_new_connection(p3_login *login);

/* Makes a login of options that are in order. POP3_OK or POP3_ERR_MEMORY. */
pop3_status p3_login_prepare(p3_login *login, const pop3_login_options *options,
                             const pop3_handlers *handlers);

/* Whether a login is under way or waits. */
bool p3_login_is_there(const p3_login *login);

/* Whether it waits for its first move. */
bool p3_login_waits(const p3_login *login);

/* The next move: the first, with NULL; then with the result of the command before. */
p3_move p3_login_next(p3_login *login, const p3_scene *scene, const pop3_result *result);

/* The next after the server's challenge, in base64. */
p3_move p3_login_challenge(p3_login *login, const p3_scene *scene, pop3_str challenge);

/* Whether the answer to one takes more arithmetic; the next move after some of it. */
bool p3_login_reckons(const p3_login *login);
p3_move p3_login_reckon(p3_login *login, const p3_scene *scene);

/* The connection has ended so: the end of the login, with the refusal that explains it if there is
 * one. */
p3_move p3_login_lost(p3_login *login, const p3_scene *scene, pop3_status ended);

/* Writes what is being done, such as "logging in with PLAIN". */
void p3_login_describe(const p3_login *login, char *out, size_t size);

/* The login is over: frees it, and returns who is to be told. */
pop3_handlers p3_login_finish(p3_login *login);

/* A text of the server's, up to where it repeats a secret of the login that is under way. */
pop3_str p3_login_public_part(const p3_login *login, pop3_str text);

/* The server has answered CAPA: remembers what methods it announced. */
void p3_login_note_offer(p3_login *login, const pop3_engine *engine);

/* Whether nothing but CAPA has been said in this login: it is under way, or was refused, and
 * `command`, the first after it, is the one under way. */
bool p3_login_has_only_heard_capa(const p3_login *login, pop3_command_kind command);

/* Whether the connection ended at APOP, or after it had refused APOP, and USER may be tried on
 * another; if so, APOP counts as refused. `command` is the one under way. */
bool p3_login_may_follow_apop(p3_login *login, const p3_scene *scene, pop3_command_kind command);

/* Whether the connection ended after it had refused an AUTH with its first response, so that on
 * another the response may be sent on a line of its own. */
bool p3_login_may_omit_initial(const p3_login *login);

/* Begins again on another connection, without the methods that were refused. */
void p3_login_start_over(p3_login *login);

#endif
