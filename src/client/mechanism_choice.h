/* Chooses the mechanism of a login, by what the server offers and the caller allows, and its
 * channel binding. */
#ifndef P3_CLIENT_MECHANISM_CHOICE_H
#define P3_CLIENT_MECHANISM_CHOICE_H

#include <pop3/login.h>

#include "auth/preference.h"
#include "auth/sasl.h"
#include "client/script.h"
#include "client/secrets.h"

typedef struct p3_mechanism_choice {
    p3_mechanism named;        /* the mechanism that the caller named, or P3_MECH_NONE */
    p3_mechanism mechanism;    /* the one in use, or P3_MECH_NONE */
    p3_mechanisms spent;       /* the mechanisms that the server has refused */
    unsigned others;           /* mechanisms tried after a refusal */
    bool unbound;              /* the server refused the bound form of the mechanism */
    const char *first_binding; /* the type of channel binding that was tried first, or NULL */
    p3_sasl_identity identity; /* the user and the binding in use */
    unsigned char binding[P3_TLS_BINDING];
} p3_mechanism_choice;

/* What a choice depends on. */
typedef struct p3_means {
    const pop3_login_options *options;
    p3_secrets *secrets;
    const p3_scene *scene;
    p3_mechanisms before; /* what the server has announced on this connection so far */
} p3_means;

/* Why no mechanism can be used. */
typedef struct p3_choice_result {
    pop3_status status; /* POP3_OK: one can be used */
    const char *why;    /* or NULL for the message of the status */
    p3_mechanism gone;  /* POP3_ERR_AUTHENTICATION: a better one, announced earlier */
} p3_choice_result;

/* Starts without a choice; false when the options name an unknown mechanism. */
bool p3_mechanism_choice_begin(p3_mechanism_choice *ch, const pop3_login_options *o,
                               const p3_scene *scene);

/* Starts again on another connection, without the refused mechanisms. */
void p3_mechanism_choice_begin_again(p3_mechanism_choice *ch);

/* The capabilities are known: chooses the mechanism and gets the secret. */
p3_choice_result p3_mechanism_choice_make(p3_mechanism_choice *ch, const p3_means *means);

/* After a refusal: chooses the next binding, or none. False when there is nothing left to try. */
bool p3_mechanism_choice_bind_otherwise(p3_mechanism_choice *ch, const p3_means *means);

/* After a refusal (`reply`): chooses another mechanism that protects the secret no less, with its
 * secret. False when there is none, or the refusal rules out others. */
bool p3_mechanism_choice_try_another(p3_mechanism_choice *ch, const p3_means *means,
                                     const pop3_reply *reply);

/* After the connection ended at APOP (`at_apop`), or after refusing it: whether another connection
 * may be made to try USER; if so, APOP counts as refused from now on. */
bool p3_mechanism_choice_leave_apop(p3_mechanism_choice *ch, const p3_means *means, bool at_apop);

/* Whether the server refused a mechanism before. */
bool p3_mechanism_choice_has_refused(const p3_mechanism_choice *ch, p3_mechanism m);

/* The secret of the mechanism in use. */
pop3_secret_kind p3_mechanism_choice_secret(const p3_mechanism_choice *ch);

#endif
