/**
 * @file client.h
 * The client: connects to a POP3 server over TCP, TLS or a Unix-domain socket and drives the
 * engine.
 *
 * There is one code path, pop3_client_step(), which never waits for a server. (Exception: with
 * GSSAPI, which is used by name only, the Kerberos library may ask a ticket server in a step.) An
 * application with an event loop calls it whenever a socket of pop3_client_waitables() is ready or
 * pop3_client_deadline() has come. The calls marked "blocking" do the same in a loop over poll(2)
 * until their command is over.
 *
 * A short session (without error checks; examples/print_mailbox.c has them):
 *
 *     pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
 *     o.host = "mail.example.org";
 *     pop3_client *c;
 *     pop3_client_new(&c, &o);
 *     pop3_client_connect(c);                       // TLS, port 995, certificate verified
 *     pop3_client_user(c, "work");
 *     pop3_client_pass(c, password);
 *     pop3_stat drop;
 *     pop3_client_stat(c, &drop);
 *     for (uint32_t n = 1; n <= drop.count; n++)
 *         pop3_client_retr(c, n, to_file, stdout);
 *     pop3_client_quit(c);
 *     pop3_client_free(c);
 *
 * Failures: a call that returns ::POP3_ERR_REFUSED, ::POP3_ERR_ARGUMENT, ::POP3_ERR_STATE,
 * ::POP3_ERR_NOT_OFFERED or ::POP3_ERR_INSECURE leaves the connection as it was. After any other
 * error the connection is closed and every further command is ::POP3_ERR_STATE, until
 * pop3_client_connect() or pop3_client_start() makes a new one. If a connection ends between two
 * commands, the second one returns the error. pop3_client_error() has a message.
 *
 * Thread safety: one client may be used by one thread at a time, except for pop3_client_cancel(),
 * which any thread may call. Clients in different threads are independent, also if they share a TLS
 * context. No signal is raised or changed, nothing is printed.
 */
#ifndef POP3_CLIENT_H
#define POP3_CLIENT_H

#include <pop3/engine.h>
#include <pop3/tls.h>
#include <pop3/traits.h>
#include <pop3/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A client and its connection. */
typedef struct pop3_client pop3_client;

/** How the connection is protected (RFC 8314). There is no mode that tries and falls back. */
typedef enum pop3_security {
    POP3_SECURITY_TLS = 0, /**< TLS from the first octet; port 995. */
    POP3_SECURITY_STLS,    /**< STLS must succeed before anything else is sent; port 110. */
    POP3_SECURITY_PLAIN    /**< None, unless the caller calls pop3_client_stls(); port 110. */
} pop3_security;

/** The kind of proxy between the client and the server. */
typedef enum pop3_proxy {
    POP3_PROXY_NONE = 0, /**< Nothing. */
    POP3_PROXY_SOCKS5, /**< SOCKS5 (RFC 1928), with user name and password (RFC 1929); port 1080. */
    POP3_PROXY_SOCKS4A, /**< SOCKS4a, with a user name; port 1080. */
    POP3_PROXY_HTTP     /**< HTTP's CONNECT, with Basic authentication; port 8080. */
} pop3_proxy;

/** Most addresses that a pop3_resolve_fn may give. */
#define POP3_RESOLVE_ADDRESSES 16

struct sockaddr_storage;

/**
 * Looks up a host name instead of getaddrinfo(3): for a process that may not call it, that has its
 * own resolver, or for a test. It runs in a thread of the client with all signals blocked, may
 * block, and may still run when the client has been freed: @p ctx must live until it returns.
 * @param ctx       the pointer given with the function.
 * @param host      the name in ASCII, never a numeric address.
 * @param addresses receives up to ::POP3_RESOLVE_ADDRESSES addresses of the families AF_INET and
 *                  AF_INET6, the best first; their ports are ignored.
 * @param why       receives a sentence in static storage when there is no address.
 * @return how many addresses there are; 0 when the name cannot be resolved.
 */
typedef size_t (*pop3_resolve_fn)(void *ctx, const char *host, struct sockaddr_storage *addresses,
                                  const char **why);

/**
 * Begins to connect a socket instead of socket(2) and connect(2): for a process that may not call
 * them, and has another one do it. It runs in the thread that steps the client, and must not wait
 * for the connection.
 * @param ctx  the pointer given with the function.
 * @param to   where to: AF_INET or AF_INET6, or AF_UNIX with pop3_client_options::unix_socket.
 * @param from the address to connect from, or NULL.
 * @return a stream socket that is connected, or being connected, non-blocking and closed on exec,
 *         which is the client's from then on; or -1 with errno.
 */
typedef int (*pop3_connect_fn)(void *ctx, const struct sockaddr_storage *to,
                               const struct sockaddr_storage *from);

/**
 * Reports on which descriptors to wait, for event loops that register descriptors, such as
 * epoll(7): before a descriptor is first waited on, whenever the conditions change, and with
 * neither condition before it is closed. Runs at the end of pop3_client_start(), pop3_client_step()
 * and pop3_client_close(); it must not call any function with the client. Within one of these calls
 * no descriptor number is closed and reused.
 * @param ctx    the pointer given with the function.
 * @param client the client.
 * @param fd     the descriptor.
 * @param read   step when it is readable.
 * @param write  step when it is writable; neither: stop waiting on it.
 */
typedef void (*pop3_socket_fn)(void *ctx, pop3_client *client, int fd, bool read, bool write);

/** The options of a client. Begin with ::POP3_CLIENT_OPTIONS_INIT; zero fields are defaults.
 * Strings are copied. A program may have been built with an earlier version of this header, whose
 * struct (or the engine's options in it) lacks fields: they count as zero. It may also have been
 * built with a later version, as long as the fields that this library does not know are zero. */
typedef struct pop3_client_options {
    size_t size;               /**< sizeof(pop3_client_options). */
    const char *host;          /**< Host name, in UTF-8 when it is internationalized, or numeric
                                    address. */
    uint16_t port;             /**< Port; default by @c security. */
    pop3_security security;    /**< How the connection is protected; default TLS. */
    pop3_tls *tls;             /**< The TLS context; the client takes a reference of its own.
                                    Default: pop3_tls_new() without options. */
    const char *unix_socket;   /**< Path of a Unix-domain socket to use instead of host and port;
                                    @c host is then only the name that TLS verifies. */
    const char *local_address; /**< Numeric address to connect from. */
    int connect_timeout_ms;    /**< Milliseconds until the greeting must have come, resolving and
                                    TLS included; default 30,000; negative: no limit. */
    int timeout_ms;            /**< Milliseconds without any progress that a command may take;
                                    default 60,000; negative: no limit. */
    int session_timeout_ms;    /**< Milliseconds that a session may take from connecting to its
                                    end, even if data still arrives: a server that sends an octet
                                    now and then would otherwise prolong it for ever. 0: no
                                    limit. */
    bool allow_plaintext_password; /**< Let PASS send the password over a connection without TLS,
                                        where others on the network can read it. */
    pop3_engine_options engine; /**< How the engine of each connection behaves: limits, pipelining,
                                     proof of message ends, trace. */
    pop3_proxy proxy;       /**< The kind of proxy to go through. It resolves the server's name. */
    const char *proxy_host; /**< The proxy's name or address. */
    uint16_t proxy_port;    /**< The proxy's port; default by @c proxy. */
    const char *proxy_user; /**< The user name for the proxy, or NULL; up to 255 octets. */
    const char *proxy_password; /**< Its password; the copy is wiped when the client is freed. */
    pop3_server_traits traits;  /**< Traits of the server from earlier sessions, or set by hand. */
    pop3_resolve_fn resolve;    /**< Looks up names instead of getaddrinfo(3), or NULL. */
    void *resolve_ctx;          /**< First argument of @c resolve. */
    pop3_socket_fn socket;      /**< Called with the descriptors to wait on, or NULL. */
    void *socket_ctx;           /**< First argument of @c socket. */
    pop3_connect_fn connect;    /**< Begins to connect instead of connect(2), or NULL. */
    void *connect_ctx;          /**< First argument of @c connect. */
} pop3_client_options;

/* clang-format off */

/** Initializer for pop3_client_options. */
#ifdef __cplusplus
static inline pop3_client_options pop3_client_options_defaults()
{
    pop3_client_options o = pop3_client_options();
    o.size = sizeof o;
    o.engine = POP3_ENGINE_OPTIONS_INIT;
    return o;
}
#define POP3_CLIENT_OPTIONS_INIT pop3_client_options_defaults()
#else
#define POP3_CLIENT_OPTIONS_INIT                                                                   \
    {                                                                                              \
        .size = sizeof(pop3_client_options),                                                       \
        .engine = POP3_ENGINE_OPTIONS_INIT,                                                        \
    }
#endif
/* clang-format on */

/**
 * Says what is wrong with options for which pop3_client_new() returns ::POP3_ERR_ARGUMENT.
 * @ingroup pop3_connection
 * @param options the options.
 * @return a sentence in static storage; NULL if the options are valid.
 */
POP3_API const char *pop3_client_options_problem(const pop3_client_options *options);

/** Octets that a host name may have, with the NUL at its end. */
#define POP3_HOST_NAME_SIZE 256

/**
 * Converts a host name or numeric address to the form that resolvers, certificates and
 * pop3_resolve_fn have: labels that are not ASCII become A-labels (RFC 5891).
 * @ingroup pop3_connection
 * @param host the name in UTF-8.
 * @param out  receives the name, of ::POP3_HOST_NAME_SIZE octets.
 * @return ::POP3_OK; ::POP3_ERR_ARGUMENT if an argument is NULL or the name is empty, too long,
 *         invalid, or not ASCII while libidn2 is missing; ::POP3_ERR_MEMORY.
 */
POP3_API pop3_status pop3_host_to_ascii(const char *host, char out[POP3_HOST_NAME_SIZE]);

/** What a server refused, as far as callers need to distinguish it. */
typedef enum pop3_refusal {
    POP3_REFUSED_NOTHING = 0, /**< Nothing was refused. */
    POP3_REFUSED_CONNECTION,  /**< The greeting was -ERR. */
    POP3_REFUSED_PROTECTION,  /**< STLS. */
    POP3_REFUSED_MECHANISM,   /**< A mechanism: the server does not know it, or has disabled it. */
    POP3_REFUSED_APOP,        /**< APOP: the user may have no secret for it. */
    POP3_REFUSED_BINDING,     /**< The channel binding, before the password was checked. */
    POP3_REFUSED_CREDENTIALS, /**< The user name, or the password. */
    POP3_REFUSED_TOKEN,       /**< The user name, or the token. */
    POP3_REFUSED_IDENTITY,    /**< The client certificate (EXTERNAL) or the Kerberos ticket
                                   (GSSAPI). */
    POP3_REFUSED_COMMAND,     /**< Another command. */
    POP3_REFUSED_QUIT         /**< QUIT: not all messages marked as deleted were. */
} pop3_refusal;

/** The last error. Owned by the client, valid until the next call with it. */
typedef struct pop3_error {
    pop3_status status;      /**< The class; ::POP3_OK if there was no error. */
    int sys_errno;           /**< errno for ::POP3_ERR_CONNECT and ::POP3_ERR_IO, else 0. */
    pop3_response_code code; /**< ::POP3_ERR_REFUSED: the response code. */
    const char *server_text; /**< ::POP3_ERR_REFUSED: the text after -ERR and the response code,
                                unprintable octets as \\xHH; else "". If the server repeats the
                                secret, this ends in "***" before it, and so does @c message. */
    const char *message;     /**< A sentence: server, what was being done, why it failed. */
    uint32_t login_delay;    /**< ::POP3_CODE_LOGIN_DELAY: the minimum seconds between logins that
                                  the server announced; 0 if it did not. */
    pop3_refusal refused;    /**< ::POP3_ERR_REFUSED: what was refused; also
                                  ::POP3_REFUSED_PROTECTION with ::POP3_ERR_NOT_OFFERED, if STLS
                                  is not announced. */
    bool temporary;          /**< ::POP3_ERR_REFUSED: a retry may succeed, according to the response
                                  code or, without one, the text (a locked maildrop, too many
                                  connections). ::POP3_ERR_RESOLVE: no name server answered. */
    pop3_certificate_fault certificate; /**< ::POP3_ERR_CERTIFICATE: what is wrong with it. */
    pop3_tls_fault tls;                 /**< ::POP3_ERR_TLS: why it failed; also
                                             ::POP3_TLS_FAULT_EXPECTED with ::POP3_ERR_TIMEOUT. */
} pop3_error;

/** What a sink returns. */
typedef enum pop3_sink_result {
    POP3_SINK_CONTINUE = 0, /**< Continue. */
    POP3_SINK_DISCARD,      /**< Read the rest of this message and discard it. The command ends as
                                 ::POP3_ERR_CANCELLED, the connection stays good. */
    POP3_SINK_ABORT         /**< Stop at once: the command ends as ::POP3_ERR_CANCELLED and the
                                 connection is closed. */
} pop3_sink_result;

/**
 * Receives a piece of a message: octets as the server sent them (CRLF line ends), with dot-stuffing
 * undone. The message is complete only when its command ends with ::POP3_OK.
 * @param ctx  the pointer given with the sink.
 * @param data the octets, in the receive buffer: valid only during the call.
 * @param len  their number, 1 or more.
 */
typedef pop3_sink_result (*pop3_sink_fn)(void *ctx, const char *data, size_t len);

/**
 * Receives an entry of a listing. For LIST and UIDL the entry's fields are set; @p line is the line
 * as sent. Both are valid only during the call.
 * @return true to continue; false ends the command as ::POP3_ERR_CANCELLED after the rest of the
 * listing has been read, and the connection stays good.
 */
typedef bool (*pop3_entry_fn)(void *ctx, const pop3_entry *entry, pop3_str line);

/** @defgroup pop3_connection Making a client, connecting, ending
 * A client has one connection at a time, to the server in its options. It may connect again after
 * the connection has ended. The options are copied.
 * @{ */

/**
 * Makes a client. Nothing is connected yet.
 * @param out     receives the client, which the caller frees with pop3_client_free(); NULL when it
 *                fails.
 * @param options where to and how.
 * @return ::POP3_OK; ::POP3_ERR_ARGUMENT for invalid options, such as no host and no Unix-domain
 *         socket, see pop3_client_options_problem(); ::POP3_ERR_MEMORY; ::POP3_ERR_IO if no pipe
 *         could be created; ::POP3_ERR_NOT_OFFERED for TLS in a build without it; ::POP3_ERR_TLS or
 *         ::POP3_ERR_ARGUMENT if the default TLS context could not be made, see pop3_tls_new().
 */
POP3_API pop3_status pop3_client_new(pop3_client **out, const pop3_client_options *options);

/** Closes the connection without QUIT if there is one, and frees the client. NULL does nothing.
 * Must not be called from a callback of this client. */
POP3_API void pop3_client_free(pop3_client *client);

/**
 * Connects and reads the greeting; with ::POP3_SECURITY_STLS also starts TLS. Blocking. All
 * addresses of the host are tried, staggered (RFC 8305).
 * @return ::POP3_OK; ::POP3_ERR_STATE if connected already, or from within a callback;
 *         ::POP3_ERR_REFUSED if the greeting is -ERR or STLS was refused; ::POP3_ERR_NOT_OFFERED if
 *         STLS is required and not announced; ::POP3_ERR_MEMORY; or any error of the network, TLS
 *         and the protocol.
 */
POP3_API pop3_status pop3_client_connect(pop3_client *client);

/** Sends QUIT, which makes the deletions of this session final (RFC 1939 §6), and closes the
 * connection, whatever the result. Blocking. @return ::POP3_OK; ::POP3_ERR_REFUSED if not all
 * marked messages were deleted; ::POP3_ERR_CLOSED if the server closed without a reply and messages
 * were marked as deleted (if none were, that is ::POP3_OK); ::POP3_ERR_STATE without a connection,
 * or from within a callback (the connection then stays); ::POP3_ERR_MEMORY; or an error of the
 * network, TLS and the protocol. */
POP3_API pop3_status pop3_client_quit(pop3_client *client);

/** Closes the connection without QUIT: no message is deleted. Commands under way end as
 * ::POP3_ERR_CANCELLED. Does nothing without a connection. */
POP3_API void pop3_client_close(pop3_client *client);

/** Ends what the client is doing with ::POP3_ERR_CANCELLED and closes the connection. May be called
 * from any thread while the client exists, and from a signal handler. It stays in force until the
 * next pop3_client_connect() or pop3_client_start(). For programs that stop on a signal, or from
 * another thread. */
POP3_API void pop3_client_cancel(pop3_client *client);

/** @} */
/** @defgroup pop3_known What is known of a connection
 * None of these calls sends anything or waits. Each says how long the pointers that it returns are
 * valid.
 * @{ */

/** The session's state; ::POP3_STATE_DEAD when there is no connection. */
POP3_API pop3_state pop3_client_state(const pop3_client *client);

/** Whether the connection is under TLS. */
POP3_API bool pop3_client_is_encrypted(const pop3_client *client);

/** The greeting as sent, without its line end; empty before it came. Valid until the next
 * connection. */
POP3_API pop3_str pop3_client_greeting(const pop3_client *client);

/** What the server announced in the current state; NULL if CAPA has not been answered with +OK in
 * it. Valid until a call that connects, closes, steps or sends a command. */
POP3_API const pop3_capabilities *pop3_client_capabilities(const pop3_client *client);

/** Whether commands are pipelined, as far as is known by now; see pop3_engine_pipelines(). */
POP3_API bool pop3_client_pipelines(const pop3_client *client);

/** The server's traits: those in the options, and those learned on this connection and earlier
 * ones. Give them to the next client for this server; see traits.h. Never NULL; valid as long as
 * the client, and may change with each call. */
POP3_API const pop3_server_traits *pop3_client_traits(const pop3_client *client);

/** Octets received on this connection, or on the last one, without those that TLS adds. */
POP3_API uint64_t pop3_client_received(const pop3_client *client);

/** Commands answered on this connection, or on the last one; see pop3_engine_answered(). */
POP3_API uint64_t pop3_client_answered(const pop3_client *client);

/** The reply to the last blocking command that got one. Valid until the next call with this client.
 */
POP3_API const pop3_reply *pop3_client_reply(const pop3_client *client);

/** Messages marked as deleted in this session. */
POP3_API uint64_t pop3_client_deletions(const pop3_client *client);

/** The error of the last call that failed, whatever it was. Never NULL; see
 * ::pop3_error for how long it is valid. */
POP3_API const pop3_error *pop3_client_error(const pop3_client *client);

/** @} */
/** @defgroup pop3_commands Commands, blocking
 * Each sends one command and waits for its end, after all commands submitted before. Besides the
 * errors that are listed at a function, each returns ::POP3_ERR_REFUSED if the server answers -ERR;
 * ::POP3_ERR_STATE without a connection, or from within a callback; ::POP3_ERR_ARGUMENT for
 * arguments that pop3_engine_submit() refuses; ::POP3_ERR_MEMORY; or an error of the network, TLS
 * and the protocol. After ::POP3_ERR_IO, ::POP3_ERR_TIMEOUT, ::POP3_ERR_CLOSED, ::POP3_ERR_TLS,
 * ::POP3_ERR_PROTOCOL, ::POP3_ERR_LIMIT and ::POP3_ERR_CANCELLED the connection is closed, except
 * if a sink or an entry's callback discarded the rest.
 *
 * CAPA and LANG may be sent at any time; USER, PASS, APOP, RPOP, STLS and UTF8 before the login;
 * all others, except raw commands, after it (RFC 1939 §4 and §5). The server, not the library,
 * refuses a command in the wrong state.
 * @{ */

/** CAPA (RFC 2449 §5). @param caps receives what was announced, unless NULL; see
 * pop3_client_capabilities() for how long it lives. */
POP3_API pop3_status pop3_client_capa(pop3_client *client, const pop3_capabilities **caps);

/** USER (RFC 1939 §7). For programs that choose their login themselves. */
POP3_API pop3_status pop3_client_user(pop3_client *client, const char *user);

/** PASS (RFC 1939 §7), which logs in. ::POP3_ERR_INSECURE, and nothing is sent, when the connection
 * is neither under TLS nor a Unix-domain socket and @c allow_plaintext_password is not set. For
 * programs that choose their login themselves. */
POP3_API pop3_status pop3_client_pass(pop3_client *client, const char *password);

/** APOP (RFC 1939 §7): logs in with a digest of the greeting's timestamp and the secret.
 * ::POP3_ERR_NOT_OFFERED when the greeting has no timestamp, or this build has no MD5. For programs
 * that choose their login themselves. */
POP3_API pop3_status pop3_client_apop(pop3_client *client, const char *user, const char *secret);

/** RPOP (RFC 1081): logs in by the trust of the host. Few servers know it, none should. For
 * programs that are ported from poplib. */
POP3_API pop3_status pop3_client_rpop(pop3_client *client, const char *user);

/** STLS (RFC 2595 §4): starts TLS and asks for the capabilities again. Those before TLS are asked
 * for first if they are not known. ::POP3_ERR_NOT_OFFERED if STLS is not announced;
 * ::POP3_ERR_STATE after login or under TLS; ::POP3_ERR_REFUSED; ::POP3_ERR_TLS and
 * ::POP3_ERR_CERTIFICATE close. For programs that decide about TLS when they have seen what is
 * announced. */
POP3_API pop3_status pop3_client_stls(pop3_client *client);

/** UTF8 (RFC 6856 §2). For programs that log in with USER and names beyond ASCII. */
POP3_API pop3_status pop3_client_utf8(pop3_client *client);

/** LANG (RFC 6856 §3): chooses a language by its tag; "*" for the server's choice. For programs
 * that show the server's texts to people. */
POP3_API pop3_status pop3_client_lang(pop3_client *client, const char *tag);

/** LANG without an argument: each line is "tag description". For programs that let people choose.
 */
POP3_API pop3_status pop3_client_lang_list(pop3_client *client, pop3_entry_fn entry, void *ctx);

/** STAT (RFC 1939 §5). @param stat receives the answer, unless NULL. */
POP3_API pop3_status pop3_client_stat(pop3_client *client, pop3_stat *stat);

/** LIST (RFC 1939 §5): each entry has number and octets. */
POP3_API pop3_status pop3_client_list(pop3_client *client, pop3_entry_fn entry, void *ctx);

/** LIST of one message (RFC 1939 §5). @param entry receives number and octets, unless NULL. */
POP3_API pop3_status pop3_client_list_one(pop3_client *client, uint32_t number, pop3_entry *entry);

/** UIDL (RFC 1939 §7): each entry has number and uid. */
POP3_API pop3_status pop3_client_uidl(pop3_client *client, pop3_entry_fn entry, void *ctx);

/** UIDL of one message (RFC 1939 §7). @param entry receives number and uid, unless NULL; the uid is
 * valid until the next call with this client. */
POP3_API pop3_status pop3_client_uidl_one(pop3_client *client, uint32_t number, pop3_entry *entry);

/** RETR (RFC 1939 §5): the message goes to @p sink, which runs before this returns. A NULL sink
 * discards. */
POP3_API pop3_status pop3_client_retr(pop3_client *client, uint32_t number, pop3_sink_fn sink,
                                      void *ctx);

/** TOP (RFC 1939 §7): header and the first @p lines lines of the body go to @p sink. */
POP3_API pop3_status pop3_client_top(pop3_client *client, uint32_t number, uint32_t lines,
                                     pop3_sink_fn sink, void *ctx);

/** DELE (RFC 1939 §5): marks a message as deleted; QUIT deletes it. */
POP3_API pop3_status pop3_client_dele(pop3_client *client, uint32_t number);

/** RSET (RFC 1939 §5): unmarks all messages of this session. */
POP3_API pop3_status pop3_client_rset(pop3_client *client);

/** NOOP (RFC 1939 §5). */
POP3_API pop3_status pop3_client_noop(pop3_client *client);

/** Any command line, answered by one line. The library does not follow its effect: it does not
 * notice a login, for instance. The line is sent unchanged, even if it reveals a secret. For
 * programs that use commands of one server's own. */
POP3_API pop3_status pop3_client_raw(pop3_client *client, const char *line);

/** Any command line, answered by many lines. For programs that use commands of one server's own. */
POP3_API pop3_status pop3_client_raw_list(pop3_client *client, const char *line,
                                          pop3_entry_fn entry, void *ctx);

/** @} */
/** @defgroup pop3_collected Answers in memory, blocking
 * Whole answers in memory that the caller frees. Errors are those of the blocking commands, and
 * those that are listed. A message is bounded by the caller's limit; a listing grows with what the
 * server sends, within pop3_limits, and never with a count that the server claims.
 * @{ */

/** A listing in memory: sizes and unique-ids side by side. Free with pop3_listing_free(). */
typedef struct pop3_listing {
    size_t count;        /**< Number of entries. */
    pop3_entry *entries; /**< In the order the server sent them; unique-ids are terminated. */
} pop3_listing;

/** LIST in memory. @param out receives the listing; NULL when it fails. ::POP3_ERR_MEMORY leaves
 * the connection good. */
POP3_API pop3_status pop3_client_list_all(pop3_client *client, pop3_listing **out);

/** UIDL in memory. @param out receives the listing; NULL when it fails. ::POP3_ERR_MEMORY leaves
 * the connection good. For programs that compare a mailbox with what they have. */
POP3_API pop3_status pop3_client_uidl_all(pop3_client *client, pop3_listing **out);

/** Frees a listing. NULL does nothing. */
POP3_API void pop3_listing_free(pop3_listing *listing);

/**
 * RETR into memory.
 * @param client the client.
 * @param number the message number.
 * @param limit  most octets to take; 0 means 64 MiB. A longer message is ::POP3_ERR_LIMIT, and the
 *               connection stays good.
 * @param data   receives the message, terminated by a NUL that does not count; free() it. NULL when
 *               it fails.
 * @param len    receives its octets.
 */
POP3_API pop3_status pop3_client_retr_memory(pop3_client *client, uint32_t number, size_t limit,
                                             char **data, size_t *len);

/** @} */
/** @defgroup pop3_many Many commands at a time
 * Commands that are queued, and pipelined if the server allows that (RFC 2449 section 6.6). Each
 * command ends exactly once, in the order of submission, with a call of its callback, also if the
 * connection ends.
 * @{ */

/** How a submitted command ended. Valid during the callback. */
typedef struct pop3_result {
    pop3_status status;        /**< As the blocking call would have returned it. */
    pop3_command_kind command; /**< Which command. */
    uint32_t number;           /**< Its message number, or 0. */
    bool sent;                 /**< Whether the command had been handed to the connection. */
    uint64_t octets;           /**< RETR, TOP: octets of the message, as the sink saw them. */
    pop3_size_match size;      /**< RETR: @c octets, and what was announced. */
    pop3_reply reply;          /**< The status line; empty when none came. */
    pop3_stat stat;            /**< STAT. */
    pop3_entry entry;          /**< LIST_ONE, UIDL_ONE. */
} pop3_result;

/** Called at the end of a command, in the order of submission. May submit further commands and
 * cancel; must not call a function marked blocking, nor step, close or free the client. */
typedef void (*pop3_done_fn)(void *ctx, pop3_client *client, const pop3_result *result);

/** The callbacks of a submitted command. Begin with ::POP3_HANDLERS_INIT. Any may be NULL. */
typedef struct pop3_handlers {
    size_t size;         /**< sizeof(pop3_handlers). */
    pop3_sink_fn sink;   /**< RETR, TOP: receives the message. */
    pop3_entry_fn entry; /**< CAPA, LIST, UIDL, LANG_LIST, RAW_LIST: receives each line. */
    pop3_done_fn done;   /**< Called at the end, exactly once, also if the connection fails. */
    void *ctx;           /**< First argument of all of them. */
} pop3_handlers;

/** Initializer for pop3_handlers. */
#ifdef __cplusplus
POP3_DEFAULTS(pop3_handlers)
#define POP3_HANDLERS_INIT pop3_handlers_defaults()
#else
#define POP3_HANDLERS_INIT                                                                         \
    {                                                                                              \
        .size = sizeof(pop3_handlers),                                                             \
    }
#endif

/**
 * Queues a command; it is sent and answered in later steps, in one window with others if the server
 * and the kinds of command allow it.
 * @param client   the client; it may still be connecting.
 * @param command  the command, copied; its tag is not used. AUTH is not possible here.
 * @param handlers the callbacks, copied; NULL for none.
 * @return ::POP3_OK; ::POP3_ERR_ARGUMENT for AUTH, for arguments that pop3_engine_submit() refuses,
 *         and if the size of a struct is not one this library knows; ::POP3_ERR_STATE without a
 *         connection, after QUIT, and as pop3_engine_submit(); ::POP3_ERR_MEMORY;
 *         ::POP3_ERR_INSECURE as pop3_client_pass(), checked now if connected, otherwise when its
 *         turn comes; ::POP3_ERR_NOT_OFFERED for STLS if the capabilities are known and lack it.
 *         @c done is called only after ::POP3_OK.
 */
POP3_API pop3_status pop3_client_submit(pop3_client *client, const pop3_command *command,
                                        const pop3_handlers *handlers);

/**
 * Retrieves many messages, pipelined if the server allows it. Blocking. If the server refuses a
 * message, the others are still retrieved.
 * @param client   the client.
 * @param numbers  the message numbers, in the order in which to retrieve them.
 * @param count    the number of messages.
 * @param handlers @c sink and @c done are called for one message after the other.
 * @return ::POP3_OK if each command was answered, even with -ERR, and the connection is good;
 *         ::POP3_ERR_ARGUMENT if @p numbers is NULL or a number is 0, or for handlers of an unknown
 *         size; ::POP3_ERR_STATE without a connection, or from within a callback;
 *         ::POP3_ERR_MEMORY; otherwise the error that ended the connection (@c done has then been
 *         called for each message submitted until then).
 */
POP3_API pop3_status pop3_client_retr_many(pop3_client *client, const uint32_t *numbers,
                                           size_t count, const pop3_handlers *handlers);

/**
 * Retrieves the headers of many messages, with TOP (RFC 1939 §7) and the first @p lines lines of
 * each body; otherwise as pop3_client_retr_many(). For programs that show a list of headers.
 */
POP3_API pop3_status pop3_client_top_many(pop3_client *client, const uint32_t *numbers,
                                          size_t count, uint32_t lines,
                                          const pop3_handlers *handlers);

/** Blocking: steps until every submitted command is over. @return ::POP3_OK; ::POP3_ERR_STATE from
 * within a callback; otherwise the error that ended the connection. */
POP3_API pop3_status pop3_client_run(pop3_client *client);

/** @} */
/** @defgroup pop3_loop Event loops
 * For the application's own event loop. After each step the loop asks what to wait for, or @c
 * socket in pop3_client_options tells it; `pop3/adapters/libuv.h` and `pop3/adapters/libevent.h` do
 * that for those two libraries. No call here blocks.
 * @{ */

/** A socket to wait on. The sockets may change with every step; the number of a closed one may be
 * reused from the next step on. */
typedef struct pop3_waitable {
    int fd;     /**< The descriptor. */
    bool read;  /**< Step when it is readable. */
    bool write; /**< Step when it is writable. */
} pop3_waitable;

/** Most sockets that one client waits on at a time. */
#define POP3_MAX_WAITABLES 8

/** Begins to connect, as pop3_client_connect() but without waiting: step until it is no longer
 * ::POP3_PENDING. @return ::POP3_OK; ::POP3_ERR_STATE if connected already, or from within a
 * callback; ::POP3_ERR_MEMORY. */
POP3_API pop3_status pop3_client_start(pop3_client *client);

/**
 * Does what can be done without waiting. Callbacks run inside. May be called at any time.
 * @return ::POP3_PENDING while a connection attempt or a command is not over: wait, then step
 *         again; ::POP3_OK if there is nothing to do; ::POP3_ERR_STATE from within a callback;
 *         otherwise the error that ended the connection (each time, until there is a new one).
 */
POP3_API pop3_status pop3_client_step(pop3_client *client);

/** The sockets to wait on. @param out receives up to @p cap of them; ::POP3_MAX_WAITABLES always
 * suffice. @return how many there are. */
POP3_API size_t pop3_client_waitables(const pop3_client *client, pop3_waitable *out, size_t cap);

/** Milliseconds until the client must be stepped even if no socket is ready, as poll(2) takes them:
 * 0 for now, -1 for never. */
POP3_API int pop3_client_deadline(const pop3_client *client);

/** @} */

#ifdef __cplusplus
}
#endif
#endif
