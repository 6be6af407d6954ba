/**
 * @file login.h
 * Logging in: one call that takes a user, where the secret comes from and a policy, asks what the
 * server offers and picks the strongest method that both sides know.
 *
 *     pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
 *     o.user = "work";
 *     o.password = password;
 *     if (pop3_login(client, &o) != POP3_OK)
 *         complain(pop3_client_error(client)->message);
 *
 * What is picked, strongest first. "Private" means under TLS or over a Unix-domain socket.
 *
 * | method                                             | needs    | picked                        |
 * |----------------------------------------------------|----------|-------------------------------|
 * | SCRAM-SHA-256-PLUS                                 | password | under TLS, bound to it        |
 * | SCRAM-SHA-256                                      | password | always                        |
 * | SCRAM-SHA-1-PLUS                                   | password | under TLS, bound to it        |
 * | SCRAM-SHA-1                                        | password | always                        |
 * | OAUTHBEARER, XOAUTH2                               | token    | private only                  |
 * | PLAIN, LOGIN, USER (with PASS)                     | password | private only                  |
 * | EXTERNAL                                           | nothing  | under TLS, without any secret |
 * | CRAM-MD5, APOP                                     | password | always                        |
 * | PLAIN, LOGIN, USER again, and the token's          |          | with @c allow_plaintext       |
 *
 * Where nothing of these is announced that can be used, USER is tried all the same, if it is
 * private or @c allow_plaintext is set, and not with ::POP3_LOGIN_NEVER_REVEAL: many servers take
 * it without announcing it.
 *
 * DIGEST-MD5, GSSAPI and NTLM are used when they are asked for by name. Which of these a build has
 * says pop3_login_mechanism_known().
 *
 * A refusal that may be one of the method (no response code, no words for "later") is followed by
 * at most two other methods, none of which protects the secret less; not when the method was named.
 * After APOP, refused with [AUTH] or ended by a hang-up as well, that may be USER, announced or
 * not, on the conditions above: servers greet with a timestamp and have no APOP secret for users
 * with system passwords. That USER worked is learned (::POP3_TRAIT_NO_APOP), and so is that
 * only tls-unique did (::POP3_TRAIT_BINDS_UNIQUE).
 *
 * CAPA is asked before, unless it is known in the present state, ends connections, or USER or APOP
 * is named. When the server announced a better method earlier on this connection than the one that
 * is left now, somebody may be taking them away, and the login ends as ::POP3_ERR_AUTHENTICATION;
 * naming the method overrules that.
 *
 * **Channel binding.** SCRAM-…-PLUS ties the login to the TLS connection, so that somebody who
 * stands in between, with a certificate that the client accepts, cannot pass it on. What it is tied
 * with has three types, and the server must know the one that is used; it cannot be asked which:
 *
 * | type                   | is used                                                             |
 * |------------------------|---------------------------------------------------------------------|
 * | `tls-exporter`         | first: TLS 1.3, and TLS 1.2 with the extended master secret         |
 * | `tls-server-end-point` | next: the server's certificate, where its signature has one hash    |
 * | `tls-unique`           | last, or first where it is learned: TLS 1.3, 1.2 with that secret   |
 *
 * A login whose binding is refused before the server could judge the password is tried with the
 * next type that the connection has, then with the form of the method that is not bound, with the
 * flag that the next paragraph is about; docs/reference/security.md says why that is safe.
 * `channel_binding` in the options names the one type to use: no other is tried then, and where the
 * connection has nothing of that type, methods that are bound are not picked.
 *
 * When there is something to bind with and the server does not announce the bound form of a SCRAM
 * method, the login says so in its protected part (the flag `y` of RFC 5802 §6): a server that did
 * announce it knows then that somebody took it out of the list, and refuses.
 *
 * **Round trips.** CAPA takes one, unless it is known; the answer to AUTH travels with it where it
 * may, so that PLAIN and EXTERNAL take one more, SCRAM two. USER and PASS take two; with `pipeline`
 * in the options one (RFC 2449 §6.6). What that costs: a server that refuses the name has been sent
 * the password all the same; and one that announces PIPELINING and throws away what comes together
 * never answers PASS, so that the login ends as ::POP3_ERR_TIMEOUT, or, after that time, with the
 * refusal of USER. Whoever wants it can then come back without: `pipelined` in the outcome tells.
 *
 * A method by which the server proves that it knows the secret too (SCRAM, DIGEST-MD5, GSSAPI)
 * succeeds only with that proof: a wrong or missing one is ::POP3_ERR_AUTHENTICATION, whatever else
 * the server says, and the connection is closed.
 */
#ifndef POP3_LOGIN_H
#define POP3_LOGIN_H

#include <pop3/client.h>
#include <pop3/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @defgroup pop3_logging_in Logging in
 * One call that chooses among USER and PASS and APOP (RFC 1939 section 7), and SASL mechanisms (RFC
 * 5034), by what the server offers and what the caller has; the secret is asked for only when its
 * mechanism has been chosen.
 * @{ */

/** What kind of secret is asked for. */
typedef enum pop3_secret_kind {
    POP3_SECRET_PASSWORD, /**< A password. */
    POP3_SECRET_TOKEN     /**< An OAuth 2.0 access token. */
} pop3_secret_kind;

/**
 * Provides a secret. Called only once the method that needs it has been picked, and at most once
 * for each kind in a login.
 * @param ctx    the pointer given with the callback.
 * @param kind   which kind.
 * @param user   the user it is for; NULL when the options have none.
 * @param buffer where the secret goes. The library wipes it.
 * @param size   octets at @p buffer: 49,152.
 * @param len    receives the secret's octets; no terminator is needed.
 * @return ::POP3_OK; ::POP3_ERR_NOT_OFFERED when there is none of this kind, so that a method that
 *         needs the other kind may be picked; ::POP3_ERR_ARGUMENT when what there is cannot be
 *         used: it ends the login with that; anything else ends it as ::POP3_ERR_CANCELLED. Either
 *         way nothing is sent and the connection is good.
 */
typedef pop3_status (*pop3_secret_fn)(void *ctx, pop3_secret_kind kind, const char *user,
                                      char *buffer, size_t size, size_t *len);

/** How far the secret may go. */
typedef enum pop3_login_policy {
    POP3_LOGIN_STRONGEST = 0, /**< The strongest method; the password or token itself is sent only
                                   where nobody but the server can read it. */
    POP3_LOGIN_NEVER_REVEAL   /**< Only methods that do not show the password or token to the server
                                   either. */
} pop3_login_policy;

/** Whether the first answer of a SASL method travels in the AUTH command (RFC 5034 §4). */
typedef enum pop3_initial_response {
    POP3_INITIAL_RESPONSE_AUTO = 0, /**< When it fits the 255 octets of a command line. Servers that
                                         refuse it are asked once more, in two lines. */
    POP3_INITIAL_RESPONSE_ALWAYS,   /**< However long it is. */
    POP3_INITIAL_RESPONSE_NEVER     /**< Always on a line of its own. */
} pop3_initial_response;

/** How to log in. Begin with ::POP3_LOGIN_OPTIONS_INIT; zero fields are defaults. Strings and
 * secrets are copied; the library's copies of secrets are wiped when the login is over. */
typedef struct pop3_login_options {
    size_t size;           /**< sizeof(pop3_login_options). */
    const char *user;      /**< The user's name in UTF-8; NULL only for EXTERNAL and GSSAPI, where
                                the certificate or ticket names the user; given, it says whose mail
                                to open. */
    const char *authzid;   /**< Whose mail to open, when that is not the user's own and the method
                                can say so. */
    const char *password;  /**< The password in UTF-8, or NULL. */
    const char *token;     /**< An OAuth 2.0 access token, or NULL. */
    pop3_secret_fn secret; /**< Asked for what is not given, when neither is, or when the method
                              that was named needs the other; or NULL. */
    void *secret_ctx;      /**< First argument of @c secret. */
    pop3_login_policy policy; /**< How far the secret may go. */
    const char *mechanism;    /**< The one method to use: a SASL mechanism's name, "USER" or "APOP".
                                   NULL lets the library pick. */
    bool allow_plaintext;     /**< Let the password or token be sent over a connection without TLS,
                                   where anybody on the way can read it. */
    pop3_initial_response initial_response; /**< Whether answers travel in the AUTH command. */
    const char *realm;           /**< DIGEST-MD5: the realm, when the server offers many; NTLM: the
                                      domain. */
    const char *channel_binding; /**< The one type of channel binding to use: "tls-exporter",
                                      "tls-server-end-point" or "tls-unique". NULL: those that the
                                      connection has, one after the other; see above. */
    const char *service_host;    /**< DIGEST-MD5, GSSAPI: the host's name, when that is not the one
                                      connected to. */
    bool ask_capabilities;       /**< Ask CAPA again once logged in: servers announce other things
                                      then. */
    bool utf8;                   /**< Send UTF8 before logging in where the server announces it
                                      (RFC 6856 §2): messages with UTF-8 in their headers then come
                                      as they are, and not as a substitute. A refusal is no error. */
    bool pipeline;               /**< USER and PASS: send them together, where the server announces
                                      USER, and the client pipelines; see above. */
} pop3_login_options;

/** Initializer for pop3_login_options. */
#ifdef __cplusplus
POP3_DEFAULTS(pop3_login_options)
#define POP3_LOGIN_OPTIONS_INIT pop3_login_options_defaults()
#else
#define POP3_LOGIN_OPTIONS_INIT                                                                    \
    {                                                                                              \
        .size = sizeof(pop3_login_options),                                                        \
    }
#endif

/** What a login came to. */
typedef struct pop3_login_result {
    const char *mechanism;       /**< The method that was picked, such as "SCRAM-SHA-256", "USER" or
                                      "APOP"; "" when it did not come so far. Static storage. */
    const char *channel_binding; /**< What binds the login to TLS: "tls-exporter",
                                      "tls-server-end-point" or "tls-unique"; "" when nothing does.
                                      Static storage. */
    bool server_proved;          /**< The server proved that it knows the secret. */
    uint32_t attempts; /**< AUTH commands sent: 2 when the initial response was refused. */
    bool pipelined;    /**< USER was answered when PASS had been sent already. */
} pop3_login_result;

/**
 * Logs in. Blocking; all that was submitted must be over.
 * @param client  the client, connected and not logged in.
 * @param options how.
 * @return ::POP3_OK;
 *         ::POP3_ERR_REFUSED when the server refuses: pop3_client_error() has its words, its
 * response code, with [LOGIN-DELAY] the announced delay, and with the token's methods what its
 * error message says. (When it refused USER, and ended the connection before it answered a PASS
 * that had been sent together with it, the next call tells that end);
 *         ::POP3_ERR_NOT_OFFERED when no method is left that both sides know and the options allow,
 * or the one named is not announced or not in this build;
 *         ::POP3_ERR_INSECURE when only methods are left that would reveal the password or token;
 *         ::POP3_ERR_CANCELLED when the callback gave no secret;
 *         ::POP3_ERR_ARGUMENT for options that cannot be used, CR, LF or NUL in them, or a secret
 * that is missing or not UTF-8; ::POP3_ERR_STATE when not connected, logged in or busy; after these
 * the connection is good.
 *         ::POP3_ERR_AUTHENTICATION when the server could not prove itself, took methods back or
 * broke the rules of the method, and any error of the network: the connection is closed.
 *         ::POP3_ERR_MEMORY, of which pop3_client_state() tells whether the connection is good.
 */
POP3_API pop3_status pop3_login(pop3_client *client, const pop3_login_options *options);

/**
 * Begins to log in: pop3_client_step() does the rest. The client may still be connecting. Commands
 * submitted afterwards wait until the login is over; they are sent also when it failed with the
 * connection good.
 * @param client   the client.
 * @param options  how; copied.
 * @param handlers @c done is told the end: the status as pop3_login() returns it, the command that
 *                 was last answered, and its reply. NULL for nobody.
 * @return ::POP3_OK; ::POP3_ERR_ARGUMENT; ::POP3_ERR_STATE without a connection, when logged in, or
 * when commands or another login are under way; ::POP3_ERR_MEMORY.
 */
POP3_API pop3_status pop3_login_start(pop3_client *client, const pop3_login_options *options,
                                      const pop3_handlers *handlers);

/** What the last login came to. Never NULL; valid as long as the client. */
POP3_API const pop3_login_result *pop3_login_outcome(const pop3_client *client);

/** Whether this build knows a method by name; letters' case is ignored. For programs that let
 * people choose a method. */
POP3_API bool pop3_login_mechanism_known(const char *name);

/** What a method needs of the caller, as bits. */
typedef enum pop3_login_need {
    POP3_NEEDS_USER = 1,     /**< The user's name. */
    POP3_NEEDS_PASSWORD = 2, /**< The user's password. */
    POP3_NEEDS_TOKEN = 4     /**< An OAuth 2.0 access token. */
} pop3_login_need;

/**
 * What a method needs, for programs that find the secret before they connect. EXTERNAL needs none
 * of these (the client certificate says who the user is), nor does GSSAPI (the Kerberos ticket
 * does).
 * @param name the method's; letters' case is ignored.
 * @return bits of ::pop3_login_need; 0 also when @p name is NULL or no method of that name exists.
 */
POP3_API unsigned pop3_login_mechanism_needs(const char *name);

/** @} */

#ifdef __cplusplus
}
#endif
#endif
