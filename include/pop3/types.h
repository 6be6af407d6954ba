/**
 * @file types.h
 * What every tier of libpop3 shares: statuses, spans of octets, parsed values, capabilities,
 * limits and the kinds of command. Nothing here does I/O.
 *
 * Thread safety: the functions of this header are pure and may be called from any thread.
 */
#ifndef POP3_TYPES_H
#define POP3_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
/* In C++, which has no designated initializers before C++20, the ..._INIT macros call a function: a
 * struct of zeros that begins with its size. */
#define POP3_DEFAULTS(type)                                                                        \
    static inline type type##_defaults()                                                           \
    {                                                                                              \
        type o = type();                                                                           \
        o.size = sizeof o;                                                                         \
        return o;                                                                                  \
    }

extern "C" {
#endif

/** @defgroup pop3_types Types, statuses, names
 * What the other parts share: statuses and their names, strings that are not terminated, limits,
 * capabilities. Sizes and octets are counts of octets; times are in the unit that their name or
 * comment gives.
 * @{ */

/** Marks what the shared library exports; everything else is hidden. */
#if defined(__GNUC__)
#define POP3_API __attribute__((visibility("default")))
#else
#define POP3_API
#endif

/** Major version of these headers; compare with pop3_version() for that of the library in use. */
#define POP3_VERSION_MAJOR 0
/** Minor version of these headers. */
#define POP3_VERSION_MINOR 1
/** Patch level of these headers. */
#define POP3_VERSION_PATCH 0

/** The version of the library in use, as "0.1.0". Static storage. */
POP3_API const char *pop3_version(void);

/** Default port of POP3 without TLS from the start (RFC 1939 §3). */
#define POP3_PORT 110
/** Default port of POP3 over TLS (RFC 8314 §3.3). */
#define POP3_TLS_PORT 995

/**
 * How a call ended. Each class asks something else of the caller; pop3_status_name() gives a stable
 * word for logs, pop3_status_message() a sentence for people.
 */
typedef enum pop3_status {
    POP3_OK = 0,            /**< It worked. */
    POP3_PENDING,           /**< Not over yet: wait for the socket or the deadline, then step. */
    POP3_ERR_ARGUMENT,      /**< An argument cannot be used; nothing was sent. */
    POP3_ERR_MEMORY,        /**< Out of memory. */
    POP3_ERR_RESOLVE,       /**< The host name has no address. */
    POP3_ERR_CONNECT,       /**< No address could be connected to (see the errno). */
    POP3_ERR_IO,            /**< Reading or writing failed (see the errno). */
    POP3_ERR_TIMEOUT,       /**< Nothing happened for as long as the caller allowed. */
    POP3_ERR_CANCELLED,     /**< pop3_client_cancel(), or a sink, ended it. */
    POP3_ERR_CLOSED,        /**< The server closed the connection. */
    POP3_ERR_TLS,           /**< TLS failed for a reason other than the certificate. */
    POP3_ERR_CERTIFICATE,   /**< The server's certificate is not acceptable. */
    POP3_ERR_PROTOCOL,      /**< The server broke the protocol; the connection is dead. */
    POP3_ERR_LIMIT,         /**< The server sent more than a limit allows; connection dead. */
    POP3_ERR_REFUSED,       /**< The server answered -ERR; the connection is good. */
    POP3_ERR_NOT_OFFERED,   /**< The server does not offer what was asked for. */
    POP3_ERR_STATE,         /**< Not possible in the present state (RFC 1939 §3). */
    POP3_ERR_INSECURE,      /**< It would reveal the password to the network, and that was not
                                 allowed. */
    POP3_ERR_AUTHENTICATION /**< Log in failed on our side: the server could not prove that it knows
                                 the secret, took back a method it had announced, or broke the
                                 method's rules. */
} pop3_status;

/** A stable word for a status, such as "refused". Static storage; "unknown" for other values. For
 * programs that write logs that others read. */
POP3_API const char *pop3_status_name(pop3_status status);

/** A sentence for people, without a full stop. Static storage. */
POP3_API const char *pop3_status_message(pop3_status status);

/**
 * A span of octets that somebody else owns. Not terminated, may hold NUL and octets over 127. How
 * long it stays valid is said where it is handed out.
 */
typedef struct pop3_str {
    const char *data; /**< First octet; NULL only when @c len is 0. */
    size_t len;       /**< Number of octets. */
} pop3_str;

/** The response code in square brackets at the start of a reply's text (RFC 2449 §8, RFC 3206). */
typedef enum pop3_response_code {
    POP3_CODE_NONE = 0,    /**< No response code. */
    POP3_CODE_OTHER,       /**< One this library has no name for; see the reply's @c code_text. */
    POP3_CODE_AUTH,        /**< [AUTH]: the credentials are wrong; do not try them again. */
    POP3_CODE_SYS_TEMP,    /**< [SYS/TEMP]: a fault of the server; try again later. */
    POP3_CODE_SYS_PERM,    /**< [SYS/PERM]: a fault that needs somebody's hand. */
    POP3_CODE_IN_USE,      /**< [IN-USE]: another session has the maildrop; try again later. */
    POP3_CODE_LOGIN_DELAY, /**< [LOGIN-DELAY]: too soon after the last login; try again later. */
    POP3_CODE_UTF8         /**< [UTF8]: the user must ask for UTF8 first (RFC 6856 §5). */
} pop3_response_code;

/** One reply of the server: its status indicator and text. Spans live as said by the owner. */
typedef struct pop3_reply {
    bool ok;                 /**< true for +OK, false for -ERR. */
    pop3_response_code code; /**< Its response code, if it has one. */
    pop3_str code_text;      /**< The response code's text without brackets, such as "IN-USE". */
    pop3_str text;           /**< What follows the status indicator and the response code. */
    pop3_str line;           /**< The whole line without its line end. */
} pop3_reply;

/** A size that the server did not give, or not as a number: some leave it out, some say -1. */
#define POP3_OCTETS_UNKNOWN UINT64_MAX

/** The answer to STAT (RFC 1939 §5). */
typedef struct pop3_stat {
    uint64_t count;  /**< Messages in the maildrop that are not marked as deleted. */
    uint64_t octets; /**< Their size in octets, as the server reckons it: a hint, or
                          ::POP3_OCTETS_UNKNOWN. */
} pop3_stat;

/** One entry of LIST or UIDL (RFC 1939 §5 and §7). */
typedef struct pop3_entry {
    uint32_t number; /**< The message number in this session, 1 or more. */
    uint64_t octets; /**< LIST: the message's size in octets: a hint, servers get it wrong, or
                          ::POP3_OCTETS_UNKNOWN. */
    pop3_str uid;    /**< UIDL: the unique-id; empty when the server gave none. */
} pop3_entry;

/** How a message's size compares with what was said of it. */
typedef enum pop3_size_match {
    POP3_SIZE_UNANNOUNCED = 0, /**< Nobody said how many octets it has. */
    POP3_SIZE_MATCHES,         /**< It has as many octets as the reply, or the caller, said. */
    POP3_SIZE_DIFFERS          /**< It has another number of octets. */
} pop3_size_match;

/** Capabilities this library knows by name (RFC 2449 §6, RFC 2595, RFC 6856), as bits. */
typedef enum pop3_capability {
    POP3_CAP_TOP = 1 << 0,            /**< TOP. */
    POP3_CAP_USER = 1 << 1,           /**< USER and PASS. */
    POP3_CAP_SASL = 1 << 2,           /**< AUTH with the mechanisms listed. */
    POP3_CAP_RESP_CODES = 1 << 3,     /**< Response codes in square brackets. */
    POP3_CAP_LOGIN_DELAY = 1 << 4,    /**< A least time between logins. */
    POP3_CAP_PIPELINING = 1 << 5,     /**< Commands may be sent before replies have come. */
    POP3_CAP_EXPIRE = 1 << 6,         /**< A policy of how long mail is kept. */
    POP3_CAP_UIDL = 1 << 7,           /**< UIDL. */
    POP3_CAP_STLS = 1 << 8,           /**< STLS (RFC 2595 §4). */
    POP3_CAP_AUTH_RESP_CODE = 1 << 9, /**< [AUTH] and [SYS/...] are used (RFC 3206 §6). */
    POP3_CAP_UTF8 = 1 << 10,          /**< UTF8 (RFC 6856 §2). */
    POP3_CAP_UTF8_USER = 1 << 11,     /**< "UTF8 USER": names and passwords in UTF-8. */
    POP3_CAP_LANG = 1 << 12,          /**< LANG (RFC 6856 §3). */
    POP3_CAP_IMPLEMENTATION = 1 << 13 /**< The server says what it is. */
} pop3_capability;

/** How long the server keeps mail (RFC 2449 §6.7). */
typedef enum pop3_expire {
    POP3_EXPIRE_UNKNOWN = 0, /**< Not announced. */
    POP3_EXPIRE_NEVER,       /**< Mail is never deleted by the server. */
    POP3_EXPIRE_DAYS         /**< After @c expire_days days; 0: not kept at all once retrieved. */
} pop3_expire;

/**
 * What the server announced in its answer to CAPA. Owned by the engine or client that hands it out;
 * valid until the next CAPA, STLS or the end of that object. Fields may be added at the end.
 */
typedef struct pop3_capabilities {
    uint32_t flags;             /**< Set of ::pop3_capability. */
    pop3_expire expire;         /**< Meaning of @c expire_days. */
    uint32_t expire_days;       /**< Days, with ::POP3_EXPIRE_DAYS. */
    bool expire_user;           /**< The policy may differ for each user (ask after login). */
    uint32_t login_delay;       /**< Seconds between logins, with ::POP3_CAP_LOGIN_DELAY. */
    bool login_delay_user;      /**< The delay may differ for each user (ask after login). */
    const char *implementation; /**< What the server says it is, or NULL. */
    size_t sasl_count;          /**< Number of SASL mechanisms. */
    const char *const *sasl;    /**< Their names, as sent. */
    size_t line_count;          /**< Number of lines of the answer. */
    const char *const *lines;   /**< Every line as sent, tabs and blanks trimmed at its end. */
} pop3_capabilities;

/**
 * Whether a capability of any name was announced. For programs that look for an extension that has
 * no flag.
 * @param caps what the server announced; NULL gives false.
 * @param name the capability's name, such as "TOP"; letters' case is ignored.
 */
POP3_API bool pop3_capabilities_have(const pop3_capabilities *caps, const char *name);

/** Whether the server announced a SASL mechanism; letters' case is ignored, NULL gives false. */
POP3_API bool pop3_capabilities_have_sasl(const pop3_capabilities *caps, const char *mechanism);

/**
 * Bounds on what a server may make us take. A field of 0 means its default. Exceeding one is
 * ::POP3_ERR_LIMIT and the end of the connection. The lines of a message have no limit and cost no
 * memory.
 */
typedef struct pop3_limits {
    size_t reply_line;       /**< Octets of a status or listing line; default 8192, at least 512. */
    uint64_t entries;        /**< Entries of one LIST, UIDL or LANG; default 10,000,000. */
    size_t capabilities;     /**< Lines of one CAPA; default 256. */
    uint64_t message_octets; /**< Octets of one message; default: no limit. */
    size_t challenges;       /**< Challenges within one AUTH; default 16. */
} pop3_limits;

/** Whether commands may be sent before the replies to earlier ones have come. */
typedef enum pop3_pipelining {
    POP3_PIPELINING_AUTO = 0, /**< When the server announces PIPELINING; asked with CAPA first. */
    POP3_PIPELINING_ON,       /**< Always, whatever the server announces. */
    POP3_PIPELINING_OFF       /**< Never. */
} pop3_pipelining;

/** What a command is. Its arguments are fields of ::pop3_command; the text says which. */
typedef enum pop3_command_kind {
    POP3_CMD_NONE = 0,  /**< No command (the greeting's kind). */
    POP3_CMD_CAPA,      /**< CAPA (RFC 2449 §5). */
    POP3_CMD_USER,      /**< USER text. */
    POP3_CMD_PASS,      /**< PASS text; secret. */
    POP3_CMD_APOP,      /**< APOP text, where the text is "name digest"; secret. */
    POP3_CMD_RPOP,      /**< RPOP text (RFC 1081). */
    POP3_CMD_AUTH,      /**< AUTH text [initial], then challenges (RFC 5034); secret. */
    POP3_CMD_STLS,      /**< STLS (RFC 2595 §4). */
    POP3_CMD_UTF8,      /**< UTF8 (RFC 6856 §2). */
    POP3_CMD_LANG,      /**< LANG text: choose a language (RFC 6856 §3). */
    POP3_CMD_LANG_LIST, /**< LANG: list the languages. */
    POP3_CMD_STAT,      /**< STAT. */
    POP3_CMD_LIST,      /**< LIST: sizes of all messages. */
    POP3_CMD_LIST_ONE,  /**< LIST number. */
    POP3_CMD_UIDL,      /**< UIDL: unique-ids of all messages. */
    POP3_CMD_UIDL_ONE,  /**< UIDL number. */
    POP3_CMD_RETR,      /**< RETR number. */
    POP3_CMD_TOP,       /**< TOP number lines. */
    POP3_CMD_DELE,      /**< DELE number. */
    POP3_CMD_RSET,      /**< RSET. */
    POP3_CMD_NOOP,      /**< NOOP. */
    POP3_CMD_QUIT,      /**< QUIT. */
    POP3_CMD_RAW,       /**< Any command line, answered by one line; never pipelined. */
    POP3_CMD_RAW_LIST   /**< Any command line, answered by many lines; never pipelined. */
} pop3_command_kind;

/** The keyword of a command, such as "RETR"; "greeting" for POP3_CMD_NONE. Static storage. */
POP3_API const char *pop3_command_name(pop3_command_kind kind);

/** What a trace callback is told about. */
typedef enum pop3_trace_kind {
    POP3_TRACE_SENT,     /**< Level 1: a command line, without its line end; secrets as "***". */
    POP3_TRACE_RECEIVED, /**< Level 1: a status line, without its line end. */
    POP3_TRACE_NOTE,     /**< Level 1: what happens to the connection: connected, TLS begun. */
    POP3_TRACE_LINE,     /**< Level 2: a line of a listing. */
    POP3_TRACE_BODY      /**< Level 2: octets of a message as they come, in pieces of any size. */
} pop3_trace_kind;

/**
 * Is told what goes over the connection. Never given a password, token, digest or challenge, nor a
 * reply beyond where it repeats one as it was sent: that ends in "***".
 * @param ctx  the pointer given with the callback.
 * @param kind what @p data is.
 * @param data the octets; valid only during the call, not terminated.
 * @param len  their number.
 */
typedef void (*pop3_trace_fn)(void *ctx, pop3_trace_kind kind, const char *data, size_t len);

/** @} */

#ifdef __cplusplus
}
#endif
#endif
