/**
 * @file login.h
 * Logging in: one call asks what the server offers and picks the strongest mechanism that both
 * sides know and the caller's options allow.
 *
 *     pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
 *     o.user = "work";
 *     o.password = password;
 *     if (pop3_login(client, &o) != POP3_OK)
 *         complain(pop3_client_error(client)->message);
 *
 * What is picked, strongest first. "Private" means under TLS or over a Unix-domain socket.
 *
 * | mechanism                                          | needs    | picked                        |
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
 * If the server announces none of these that can be used, USER is tried nevertheless, if the
 * connection is private or @c allow_plaintext is set, and not with ::POP3_LOGIN_NEVER_REVEAL: many
 * servers support it without announcing it.
 *
 * DIGEST-MD5, GSSAPI and NTLM are used by name only. pop3_login_mechanism_known() says which
 * mechanisms a build has.
 *
 * If the server refuses the login and the reason may be the mechanism (no response code, no text
 * that means "later"), at most two other mechanisms are tried, none of which protects the secret
 * less. A mechanism that was named is the only one. After APOP (also if it was refused with [AUTH],
 * or the server closed the connection) that may be USER, announced or not, under the conditions
 * above: some servers greet with a timestamp although a user with a system password has no APOP
 * secret. If USER succeeds then, that is learned (::POP3_TRAIT_NO_APOP), and so is a server with
 * which only tls-unique succeeds (::POP3_TRAIT_BINDS_UNIQUE).
 *
 * CAPA is sent first, unless the capabilities are known in the current state, the server closes the
 * connection on it, or USER or APOP is named. If the server announced a better mechanism earlier on
 * this connection and no longer does, an attacker may have removed it, and the login ends as
 * ::POP3_ERR_AUTHENTICATION; naming a mechanism prevents that.
 *
 * **Channel binding.** SCRAM-…-PLUS binds the login to the TLS connection, so that an attacker in
 * the middle, with a certificate that the client accepts, cannot forward it. There are three types
 * of binding. The server must support the one that is used, and cannot be asked which it supports:
 *
 * | type                   | is used                                                             |
 * |------------------------|---------------------------------------------------------------------|
 * | `tls-exporter`         | first: TLS 1.3, and TLS 1.2 with the extended master secret         |
 * | `tls-server-end-point` | next: the server's certificate, where its signature has one hash    |
 * | `tls-unique`           | last, or first if it is learned: TLS 1.3, 1.2 with that secret      |
 *
 * If the server refuses a binding before it can check the password, the login is tried with the
 * next type that the connection has, then with the mechanism without binding and the flag of the
 * next paragraph; docs/reference/security.md says why that is safe. `channel_binding` in the
 * options names the only type to use. If the connection has no binding of that type, SCRAM-…-PLUS
 * is not picked.
 *
 * If the connection has a binding and the server does not announce SCRAM-…-PLUS, the login says so
 * in its protected part (the flag `y` of RFC 5802 §6). A server that did announce it then knows
 * that the list was changed on the way, and refuses.
 *
 * **Round trips.** CAPA takes one, unless the capabilities are known. The initial response is sent
 * in the AUTH command if possible, so that PLAIN and EXTERNAL take one more round trip, SCRAM two.
 * USER and PASS take two; with `pipeline` in the options one (RFC 2449 §6.6). The drawbacks of
 * `pipeline`: a server that refuses the name has received the password as well; and if a server
 * announces PIPELINING but discards commands that arrive together, it never answers PASS, so that
 * the login ends as ::POP3_ERR_TIMEOUT, or with the refusal of USER after that time. The caller can
 * then try again without it: see `pipelined` in the outcome.
 *
 * With a mechanism by which the server proves that it knows the secret (SCRAM, DIGEST-MD5, GSSAPI),
 * a login succeeds only with that proof. If it is wrong or missing, the result is
 * ::POP3_ERR_AUTHENTICATION, whatever else the server says, and the connection is closed.
 */
#ifndef POP3_LOGIN_H
#define POP3_LOGIN_H

#include <pop3/client.h>
#include <pop3/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @defgroup pop3_logging_in Logging in
 * One call that chooses among USER with PASS, APOP (RFC 1939 section 7) and SASL mechanisms
 * (RFC 5034), by what the server offers and what the caller has. A secret is requested from the
 * caller only when a mechanism that needs it has been chosen.
 * @{ */

/** What kind of secret is asked for. */
typedef enum pop3_secret_kind {
    POP3_SECRET_PASSWORD, /**< A password. */
    POP3_SECRET_TOKEN     /**< An OAuth 2.0 access token. */
} pop3_secret_kind;

/**
 * Provides a secret. Called only once the mechanism that needs it has been picked, and at most once
 * for each kind in a login.
 * @param ctx    the pointer given with the callback.
 * @param kind   which kind.
 * @param user   the user it is for; NULL when the options have none.
 * @param buffer where the secret goes. The library wipes it.
 * @param size   octets at @p buffer: 49,152.
 * @param len    receives the secret's octets; no terminator is needed.
 * @return ::POP3_OK; ::POP3_ERR_NOT_OFFERED when there is none of this kind, so that a mechanism
 * that needs the other kind may be picked; ::POP3_ERR_ARGUMENT when what there is cannot be used:
 * it ends the login with that; anything else ends it as ::POP3_ERR_CANCELLED. Either way nothing is
 * sent and the connection is good.
 */
typedef pop3_status (*pop3_secret_fn)(void *ctx, pop3_secret_kind kind, const char *user,
                                      char *buffer, size_t size, size_t *len);

/** To whom the secret may be revealed. */
typedef enum pop3_login_policy {
    POP3_LOGIN_STRONGEST = 0, /**< The strongest mechanism; the password or token itself is sent
                                   only where nobody but the server can read it. */
    POP3_LOGIN_NEVER_REVEAL   /**< Only mechanisms that do not reveal the password or token to the
                                   server either. */
} pop3_login_policy;

/** Whether the first response of a SASL mechanism is sent in the AUTH command (RFC 5034 §4). */
typedef enum pop3_initial_response {
    POP3_INITIAL_RESPONSE_AUTO = 0, /**< If it fits the 255 octets of a command line. If the server
                                         refuses it, it is sent once more, in two lines. */
    POP3_INITIAL_RESPONSE_ALWAYS,   /**< However long it is. */
    POP3_INITIAL_RESPONSE_NEVER     /**< Always on a line of its own. */
} pop3_initial_response;

/** How to log in. Begin with ::POP3_LOGIN_OPTIONS_INIT; zero fields are defaults. Strings and
 * secrets are copied; the library's copies of secrets are wiped when the login is over. */
typedef struct pop3_login_options {
    size_t size;           /**< sizeof(pop3_login_options). */
    const char *user;      /**< The user name in UTF-8; NULL only for EXTERNAL and GSSAPI, where
                                the certificate or ticket names the user; if given, it says whose
                                mail to open. */
    const char *authzid;   /**< Whose mail to open, if not the user's own; only with mechanisms
                                that support it. */
    const char *password;  /**< The password in UTF-8, or NULL. */
    const char *token;     /**< An OAuth 2.0 access token, or NULL. */
    pop3_secret_fn secret; /**< Called if neither is given, or if the mechanism that was named needs
                              the other one; or NULL. */
    void *secret_ctx;      /**< First argument of @c secret. */
    pop3_login_policy policy; /**< To whom the secret may be revealed. */
    const char *mechanism; /**< The one mechanism to use: a SASL mechanism's name, "USER" or "APOP".
                                NULL lets the library pick. */
    bool allow_plaintext;  /**< Let the password or token be sent over a connection without TLS,
                                where others on the network can read it. */
    pop3_initial_response initial_response; /**< Whether the first response is sent in AUTH. */
    const char *realm;           /**< DIGEST-MD5: the realm, if the server offers several; NTLM: the
                                      domain. */
    const char *channel_binding; /**< The only type of channel binding to use: "tls-exporter",
                                      "tls-server-end-point" or "tls-unique". NULL: those that the
                                      connection has, one after the other; see above. */
    const char *service_host;    /**< DIGEST-MD5, GSSAPI: the host name of the service, if it is not
                                      the one connected to. */
    bool ask_capabilities;       /**< Send CAPA again after the login: servers may announce more
                                      then. */
    bool utf8;                   /**< Send UTF8 before the login if the server announces it
                                      (RFC 6856 §2), so that it sends messages with UTF-8 in their
                                      headers unchanged. A refusal is not an error. */
    bool pipeline;               /**< Send USER and PASS together, if the server announces USER and
                                      the client pipelines; see above. */
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

/** The result of a login. */
typedef struct pop3_login_result {
    const char *mechanism; /**< The mechanism that was picked, such as "SCRAM-SHA-256", "USER" or
                                "APOP"; "" if none was picked. Static storage. */
    const char *channel_binding; /**< The channel binding: "tls-exporter", "tls-server-end-point" or
                                      "tls-unique"; "" for none. Static storage. */
    bool server_proved;          /**< The server proved that it knows the secret. */
    uint32_t attempts;           /**< AUTH commands sent: 2 if the initial response was refused. */
    bool pipelined;              /**< PASS was sent before USER was answered. */
} pop3_login_result;

/**
 * Logs in. Blocking. All submitted commands must be over.
 * @param client  the client, connected and not logged in.
 * @param options how.
 * @return ::POP3_OK;
 *         ::POP3_ERR_REFUSED if the server refuses: pop3_client_error() has its text, its response
 *         code, with [LOGIN-DELAY] the announced delay, and with OAUTHBEARER and XOAUTH2 the
 *         server's error message. (If the server refused USER and closed the connection before it
 *         answered a PASS that had been sent with it, the next call returns that end);
 *         ::POP3_ERR_NOT_OFFERED if no mechanism is left that both sides know and the options
 * allow, or the one named is not announced or not in this build;
 *         ::POP3_ERR_INSECURE if only mechanisms are left that would reveal the password or token;
 *         ::POP3_ERR_CANCELLED if the callback gave no secret;
 *         ::POP3_ERR_ARGUMENT for invalid options, CR, LF or NUL in them, a user name that is
 *         missing, or a secret that is missing or not UTF-8; ::POP3_ERR_STATE if not connected,
 *         already logged in or busy, or from within a callback. After these errors the connection
 *         is good.
 *         ::POP3_ERR_AUTHENTICATION if the server could not prove that it knows the secret,
 * withdrew mechanisms or violated the rules of the mechanism, and any error of the network, TLS and
 *         the protocol: the connection is closed.
 *         ::POP3_ERR_MEMORY: pop3_client_state() says whether the connection is good.
 */
POP3_API pop3_status pop3_login(pop3_client *client, const pop3_login_options *options);

/**
 * Begins to log in: pop3_client_step() does the rest. The client may still be connecting. Commands
 * submitted afterwards wait until the login is over; they are also sent if it failed and the
 * connection is good.
 * @param client   the client.
 * @param options  how; copied.
 * @param handlers @c done is called at the end, with the status as pop3_login() returns it, the
 *                 last answered command, and its reply. NULL for none.
 * @return ::POP3_OK; ::POP3_ERR_ARGUMENT for invalid options or handlers of an unknown size;
 *         ::POP3_ERR_STATE without a connection, after the login, or while commands or another
 * login are not over; ::POP3_ERR_MEMORY. @c done is called only after ::POP3_OK.
 */
POP3_API pop3_status pop3_login_start(pop3_client *client, const pop3_login_options *options,
                                      const pop3_handlers *handlers);

/** The result of the last login. Never NULL; valid as long as the client, and overwritten by the
 * next login. */
POP3_API const pop3_login_result *pop3_login_outcome(const pop3_client *client);

/** Whether this build knows a mechanism by name; letters' case is ignored. For programs that let
 * people choose a mechanism. */
POP3_API bool pop3_login_mechanism_known(const char *name);

/** What a mechanism needs of the caller, as bits. */
typedef enum pop3_login_need {
    POP3_NEEDS_USER = 1,     /**< The user's name. */
    POP3_NEEDS_PASSWORD = 2, /**< The user's password. */
    POP3_NEEDS_TOKEN = 4     /**< An OAuth 2.0 access token. */
} pop3_login_need;

/**
 * What a mechanism needs, for programs that find the secret before they connect. EXTERNAL and
 * GSSAPI need none of these: the client certificate or the Kerberos ticket identifies the user.
 * @param name the mechanism's; letters' case is ignored.
 * @return bits of ::pop3_login_need; 0 also when @p name is NULL or no mechanism of that name
 * exists.
 */
POP3_API unsigned pop3_login_mechanism_needs(const char *name);

/** @} */

#ifdef __cplusplus
}
#endif
#endif
