/* A login under way, shared by login.c (options, beginning, end), login_choice.c (which method,
 * with which secret) and login_steps.c (the commands of each method). */
#ifndef P3_CLIENT_LOGIN_H
#define P3_CLIENT_LOGIN_H

#include <pop3/login.h>

#include "auth/mechanism.h"
#include "core/octets.h"
#include "auth/sasl.h"
#include "client/client_state.h"
#include "io/tls_session.h"

typedef struct p3_login p3_login;

struct p3_login {
    pop3_login_options options; /* strings are copies; the secrets are in `secrets` */
    pop3_handlers handlers;
    void (*go_on)(pop3_client *c); /* what comes when UTF8 is answered */
    bool begun;                    /* the first step has been taken */
    bool asking;                   /* CAPA is under way, and nothing else has been sent */
    bool capa_refused;             /* it was answered -ERR */
    bool utf8_asked;               /* UTF8 has been sent */
    p3_octets secrets[2];          /* by pop3_secret_kind; data NULL when there is none */
    bool asked[2];                 /* the callback has been asked for this kind */
    bool lacking[2];               /* it has none of this kind */
    p3_mechanism named;            /* the caller's choice, or P3_MECH_NONE */
    p3_mechanism mechanism;        /* the one in use */
    p3_mechanisms spent;           /* those that the server has refused */
    unsigned others;               /* methods tried after a refusal */

    p3_sasl *sasl;
    p3_sasl_identity identity;
    unsigned char binding[P3_TLS_BINDING]; /* what binds to TLS */
    const char *first_binding;             /* the type that was tried first, or NULL */
    bool initial_sent;                     /* the AUTH command under way has the initial response */
    bool reckons;                          /* the answer to a challenge takes more steps */
    bool challenged;     /* the AUTH command under way has been answered with a challenge */
    bool two_lines;      /* it is sent without the initial response that was refused */
    bool user_refused;   /* PASS, sent together with it, is under way */
    bool unbound;        /* the method is one whose bound form the server refused */
    pop3_status verdict; /* what the exchange came to on our side, or POP3_OK */

    /* A refusal that is told when what is under way does not come to more: of USER while PASS, sent
     * together with it, is under way; of one method while another is tried. */
    bool refusal_kept;
    pop3_command_kind refused;  /* the command, */
    p3_failure refusal;         /* the sentence about it, */
    pop3_reply refused_by;      /* the reply, */
    p3_reply_memory refused_in; /* and where its line lives */
};

/* login.c */

/* Sends UTF8, and goes on when it is answered, or refused. */
void p3_login_ask_utf8(pop3_client *c, void (*go_on)(pop3_client *c));

/* Ends the login with the connection good: frees it, tells the caller. `why` may be NULL for the
 * status' own sentence. */
void p3_login_end(pop3_client *c, pop3_status status, const char *why, const pop3_result *result);

/* Begins again on another connection, without the methods that were refused. */
void p3_login_start_over(p3_login *l);

/* Ends the login and the connection. */
void p3_login_break(pop3_client *c, pop3_status status, const char *why);

/* Keeps a refusal, to be told when what is sent after it, or was sent with it, does not come to
 * more. `why` as for p3_login_end(). */
void p3_login_keep_refusal(pop3_client *c, const char *why, const pop3_result *result);

/* Ends the login with the refusal that was kept. */
void p3_login_end_refused(pop3_client *c);

/* The server has taken the login. */
void p3_login_succeed(pop3_client *c, const pop3_result *result);

/* login_choice.c */

/* Whether a secret can be used: UTF-8 without CR, LF and NUL, not too long. */
bool p3_secret_ok(pop3_str s);

/* The capabilities are known: picks the method, gets the secret and begins, or ends the login. */
void p3_login_choose(pop3_client *c);

/* The server has refused the method (`why` as for p3_login_end()): goes on with another that
 * protects the secret no less, or ends the login. */
void p3_login_go_on(pop3_client *c, const char *why, const pop3_result *result);

/* Whether the server ended the connection at APOP, or after it had refused APOP, and USER may be
 * tried on another; if so, APOP counts as refused. */
bool p3_login_may_follow_apop(pop3_client *c);

/* Whether a bound login was refused for its binding: before the server had our proof, or in words
 * for it. */
bool p3_login_binding_was_refused(const p3_login *l, const pop3_result *result);

/* login_steps.c */

/* Whether a text, which may be NULL, is of ASCII alone. */
bool p3_is_ascii(const char *text);

/* Writes the sentence about a refusal, with what the mechanism was told about it, if anything. */
void p3_login_explain(const pop3_client *c, char *out, size_t size);

/* Sends the first command of the method that was picked. */
void p3_login_run(pop3_client *c);

#endif
