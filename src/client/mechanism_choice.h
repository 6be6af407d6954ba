/* Which method a login uses, by what the server offers and what the caller allows, and what the
 * login is bound to TLS with. */
#ifndef P3_CLIENT_MECHANISM_CHOICE_H
#define P3_CLIENT_MECHANISM_CHOICE_H

#include <pop3/login.h>

#include "auth/preference.h"
#include "auth/sasl.h"
#include "client/script.h"
#include "client/secrets.h"

typedef struct p3_choice {
    p3_mechanism named;        /* the caller's choice, or P3_MECH_NONE */
    p3_mechanism mechanism;    /* the one in use, or P3_MECH_NONE */
    p3_mechanisms spent;       /* those that the server has refused */
    unsigned others;           /* methods tried after a refusal */
    bool unbound;              /* the method is one whose bound form the server refused */
    const char *first_binding; /* the type of channel binding that was tried first, or NULL */
    p3_sasl_identity identity; /* who logs in, with the binding in use */
    unsigned char binding[P3_TLS_BINDING];
} p3_choice;

/* What there is to choose from. */
typedef struct p3_means {
    const pop3_login_options *options;
    p3_secrets *secrets;
    const p3_scene *scene;
    p3_mechanisms before; /* what the server has announced on this connection so far */
} p3_means;

/* Why there is no method. */
typedef struct p3_verdict {
    pop3_status status; /* POP3_OK: there is one */
    const char *why;    /* or NULL for the status' own sentence */
    p3_mechanism gone;  /* POP3_ERR_AUTHENTICATION: a better one that was announced before */
} p3_verdict;

/* Nothing is chosen; false when the options name a method that the library does not know. */
bool p3_choice_begin(p3_choice *ch, const pop3_login_options *o, const p3_scene *scene);

/* Begins again on another connection, without the methods that were refused. */
void p3_choice_begin_again(p3_choice *ch);

/* The capabilities are known: picks the method and gets the secret. */
p3_verdict p3_choice_make(p3_choice *ch, const p3_means *means);

/* After a refusal: the next thing to bind the login with, or none at all. False when there is
 * nothing left to try. */
bool p3_choice_bind_otherwise(p3_choice *ch, const p3_means *means);

/* After a refusal (`reply`): another method that protects the secret no less, with its secret.
 * False when there is none, or the refusal leaves no hope for one. */
bool p3_choice_take_another(p3_choice *ch, const p3_means *means, const pop3_reply *reply);

/* Whether the connection, which ended at APOP (`at_apop`) or after it had refused APOP, may be made
 * again to try USER; if so, APOP counts as refused. */
bool p3_choice_may_follow_apop(p3_choice *ch, const p3_means *means, bool at_apop);

/* Whether the server refused a method before. */
bool p3_choice_has_spent(const p3_choice *ch, p3_mechanism m);

/* Of the method in use. */
pop3_secret_kind p3_choice_secret(const p3_choice *ch);

#endif
