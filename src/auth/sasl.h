/* One SASL exchange from the client's side (RFC 4422): challenges in, responses out, both decoded.
 * Which file does what:
 *   sasl.c          the frame: which mechanisms there are, base64 around them
 *   sasl_simple.c   PLAIN, LOGIN, EXTERNAL, CRAM-MD5
 *   sasl_oauth.c    OAUTHBEARER, XOAUTH2
 *   sasl_scram.c    SCRAM, whose messages are scram.c's
 *   sasl_gsasl.c    DIGEST-MD5, GSSAPI, NTLM through GNU SASL; sasl_gsasl_none.c without it
 */
#ifndef P3_AUTH_SASL_H
#define P3_AUTH_SASL_H

#include <pop3/types.h>

#include "auth/mechanism.h"
#include "core/octets.h"

/* What the exchange is about. Strings are the caller's and must outlive the exchange. */
typedef struct p3_sasl_identity {
    const char *user;    /* or NULL */
    const char *authzid; /* or NULL */
    const char *secret;  /* password or token, or NULL */
    const char *realm;   /* or NULL */
    const char *host;    /* the service's host */
    uint16_t port;
    const char *binding_name; /* the type of channel binding; NULL when there is none */
    pop3_str binding;         /* its octets */
    bool binding_offered;     /* the server offers the method's bound form, too */
} p3_sasl_identity;

/* An exchange under way. */
typedef struct p3_sasl p3_sasl;

/* What a mechanism answers to a challenge. POP3_OK with the response; POP3_PENDING when that takes
 * more arithmetic, of which go_on() does a slice each time; POP3_ERR_REFUSED when the
 * challenge says that the login fails, where the response is what the server waits for before it
 * says so in POP3's words; POP3_ERR_AUTHENTICATION when the server breaks the rules or does not
 * prove itself; POP3_ERR_NOT_OFFERED when this side has not what it takes; POP3_ERR_ARGUMENT;
 * POP3_ERR_MEMORY. */
typedef pop3_status (*p3_sasl_step_fn)(p3_sasl *s, pop3_str challenge, p3_octets *response);

struct p3_sasl {
    p3_mechanism mechanism;
    const p3_sasl_identity *id;
    p3_sasl_step_fn step;
    pop3_status (*go_on)(p3_sasl *s, p3_octets *response); /* after POP3_PENDING */
    void (*finish)(p3_sasl *s);                            /* frees `state`; or NULL */
    void *state;                                           /* the mechanism's own */
    unsigned steps;                                        /* taken so far */
    bool complete;       /* the client's side is content: success may be believed */
    char complaint[400]; /* a sentence about a failure, or what the server says of it; or "" */
};

/* Whether this build has a SASL mechanism. */
bool p3_sasl_built(p3_mechanism m);

/* Begins an exchange. POP3_OK, POP3_ERR_MEMORY, or POP3_ERR_NOT_OFFERED with nothing allocated. */
pop3_status p3_sasl_new(p3_sasl **out, p3_mechanism m, const p3_sasl_identity *id);

/* Wipes and frees. NULL does nothing. */
void p3_sasl_free(p3_sasl *s);

/* The initial response of a mechanism whose client speaks first, in base64; "=" for an empty one.
 */
pop3_status p3_sasl_initial(p3_sasl *s, p3_octets *base64);

/* Whether a challenge has nothing to say to the mechanism, and only asks for the client's next
 * response: an empty one, or any text where the mechanism has no challenges (PLAIN, LOGIN,
 * EXTERNAL) or none but a failure's report (the token's). Servers write "+ go ahead" then. */
bool p3_sasl_is_prompt(const p3_sasl *s, pop3_str challenge);

/* Answers a challenge, both in base64. POP3_ERR_AUTHENTICATION also when it is not base64.
 * POP3_PENDING: the answer comes from p3_sasl_go_on(), which is to be called until it returns
 * something else. */
pop3_status p3_sasl_answer(p3_sasl *s, pop3_str challenge, p3_octets *base64);
pop3_status p3_sasl_go_on(p3_sasl *s, p3_octets *base64);

/* Notes what is wrong; returns status. */
pop3_status p3_sasl_complain(p3_sasl *s, pop3_status status, const char *why);

/* Notes that the server sent a challenge that the method does not have. POP3_ERR_AUTHENTICATION. */
pop3_status p3_sasl_out_of_turn(p3_sasl *s);

/* The mechanisms' steps. */
pop3_status p3_sasl_plain(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_login(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_external(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_cram_md5(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_oauthbearer(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_xoauth2(p3_sasl *s, pop3_str challenge, p3_octets *response);
pop3_status p3_sasl_scram(p3_sasl *s, pop3_str challenge, p3_octets *response);

/* GNU SASL: whether it has a mechanism, and its beginning: sets step, finish and state. */
bool p3_gsasl_has(p3_mechanism m);
pop3_status p3_gsasl_begin(p3_sasl *s);

/* GNU SASL's SASLprep, for p3_add_prepared(). */
pop3_status p3_gsasl_prepare(p3_octets *out, const char *text);

#endif
