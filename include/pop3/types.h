/**
 * @file types.h
 * Types that all parts of libpop3 share: statuses, spans of octets, parsed values, capabilities,
 * limits and the kinds of command. Nothing here does input or output.
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
 * Statuses and their names, strings that are not terminated, limits, capabilities. Sizes are in
 * octets; times are in the unit that their name or comment gives.
 * @{ */

/** Marks functions that the shared library exports. */
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
 * How a call ended. pop3_status_name() returns a stable word for logs, pop3_status_message() a
 * sentence for people.
 */
typedef enum pop3_status {
    POP3_OK = 0,            /**< Success. */
    POP3_PENDING,           /**< Not over yet: wait for the socket or the deadline, then step. */
    POP3_ERR_ARGUMENT,      /**< An argument is invalid; nothing was sent. */
    POP3_ERR_MEMORY,        /**< Out of memory. */
    POP3_ERR_RESOLVE,       /**< The host name has no address. */
    POP3_ERR_CONNECT,       /**< No address could be connected to (see the errno). */
    POP3_ERR_IO,            /**< Reading or writing failed (see the errno). */
    POP3_ERR_TIMEOUT,       /**< Nothing happened for as long as the caller allowed. */
    POP3_ERR_CANCELLED,     /**< pop3_client_cancel(), or a sink, ended it. */
    POP3_ERR_CLOSED,        /**< The server closed the connection. */
    POP3_ERR_TLS,           /**< TLS failed for a reason other than the certificate. */
    POP3_ERR_CERTIFICATE,   /**< The server's certificate is not acceptable. */
    POP3_ERR_PROTOCOL,      /**< The server violated the protocol; the connection is closed. */
    POP3_ERR_LIMIT,         /**< The server sent more than a limit allows; the connection is
                                 closed. */
    POP3_ERR_REFUSED,       /**< The server answered -ERR; the connection is good. */
    POP3_ERR_NOT_OFFERED,   /**< The server, or this build, does not offer what was requested. */
    POP3_ERR_STATE,         /**< Not possible in the current state (RFC 1939 §3). */
    POP3_ERR_INSECURE,      /**< It would reveal the password to the network, and that was not
                                 allowed. */
    POP3_ERR_AUTHENTICATION /**< The client ended the login: the server could not prove that it
                                 knows the secret, withdrew a mechanism that it had announced, or
                                 violated the mechanism's rules. */
} pop3_status;

/** A stable word for a status, such as "refused". Static storage; "unknown" for other values. For
 * programs that write logs that others read. */
POP3_API const char *pop3_status_name(pop3_status status);

/** A sentence for people, without a full stop. Static storage. */
POP3_API const char *pop3_status_message(pop3_status status);

/**
 * A span of octets that belongs to another object. Not terminated; may contain NUL and octets over
 * 127. Whatever returns one says how long it is valid.
 */
typedef struct pop3_str {
    const char *data; /**< First octet; NULL only when @c len is 0. */
    size_t len;       /**< Number of octets. */
} pop3_str;

/** The response code in square brackets at the start of a reply's text (RFC 2449 §8, RFC 3206). */
typedef enum pop3_response_code {
    POP3_CODE_NONE = 0, /**< No response code. */
    POP3_CODE_OTHER,    /**< Another one; see the reply's @c code_text. */
    POP3_CODE_AUTH,     /**< [AUTH]: the credentials are wrong; do not try them again. */
    POP3_CODE_SYS_TEMP, /**< [SYS/TEMP]: a fault of the server; try again later. */
    POP3_CODE_SYS_PERM, /**< [SYS/PERM]: a fault of the server that does not go away by itself. */
    POP3_CODE_IN_USE,   /**< [IN-USE]: another session has the maildrop; try again later. */
    POP3_CODE_LOGIN_DELAY, /**< [LOGIN-DELAY]: too soon after the last login; try again later. */
    POP3_CODE_UTF8         /**< [UTF8]: the user must ask for UTF8 first (RFC 6856 §5). */
} pop3_response_code;

/** One reply of the server: its status indicator and text. Whatever returns it says how long its
 * spans are valid. */
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
    uint64_t octets; /**< Their size in octets as announced, which may be wrong, or
                          ::POP3_OCTETS_UNKNOWN. */
} pop3_stat;

/** One entry of LIST or UIDL (RFC 1939 §5 and §7). */
typedef struct pop3_entry {
    uint32_t number; /**< The message number in this session, 1 or more. */
    uint64_t octets; /**< LIST: the message's size in octets as announced, which may be wrong, or
                          ::POP3_OCTETS_UNKNOWN. */
    pop3_str uid;    /**< UIDL: the unique-id; empty when the server gave none. */
} pop3_entry;

/** How a message's size compares with the announced one. */
typedef enum pop3_size_match {
    POP3_SIZE_UNANNOUNCED = 0, /**< No size was announced. */
    POP3_SIZE_MATCHES,         /**< It has the size that the reply, or the caller, announced. */
    POP3_SIZE_DIFFERS          /**< It has another size. */
} pop3_size_match;

/** Capabilities this library knows by name (RFC 2449 §6, RFC 2595, RFC 6856), as bits. */
typedef enum pop3_capability {
    POP3_CAP_TOP = 1 << 0,            /**< TOP. */
    POP3_CAP_USER = 1 << 1,           /**< USER and PASS. */
    POP3_CAP_SASL = 1 << 2,           /**< AUTH with the mechanisms listed. */
    POP3_CAP_RESP_CODES = 1 << 3,     /**< Response codes in square brackets. */
    POP3_CAP_LOGIN_DELAY = 1 << 4,    /**< A minimum time between logins. */
    POP3_CAP_PIPELINING = 1 << 5,     /**< Commands may be sent before earlier replies. */
    POP3_CAP_EXPIRE = 1 << 6,         /**< A policy of how long mail is kept. */
    POP3_CAP_UIDL = 1 << 7,           /**< UIDL. */
    POP3_CAP_STLS = 1 << 8,           /**< STLS (RFC 2595 §4). */
    POP3_CAP_AUTH_RESP_CODE = 1 << 9, /**< [AUTH] and [SYS/...] are used (RFC 3206 §6). */
    POP3_CAP_UTF8 = 1 << 10,          /**< UTF8 (RFC 6856 §2). */
    POP3_CAP_UTF8_USER = 1 << 11,     /**< "UTF8 USER": names and passwords in UTF-8. */
    POP3_CAP_LANG = 1 << 12,          /**< LANG (RFC 6856 §3). */
    POP3_CAP_IMPLEMENTATION = 1 << 13 /**< The server names its software. */
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
    const char *implementation; /**< The server's software, as announced, or NULL. */
    size_t sasl_count;          /**< Number of SASL mechanisms. */
    const char *const *sasl;    /**< Their names, as sent. */
    size_t line_count;          /**< Number of lines of the answer. */
    const char *const *lines;   /**< Every line as sent, tabs and blanks trimmed at its end. */
} pop3_capabilities;

/**
 * Whether a capability was announced, by name. For programs that look for an extension that has no
 * flag.
 * @param caps what the server announced; NULL gives false.
 * @param name the capability's name, such as "TOP"; upper and lower case are equal.
 */
POP3_API bool pop3_capabilities_have(const pop3_capabilities *caps, const char *name);

/** Whether the server announced a SASL mechanism; upper and lower case are equal, NULL gives
 * false. */
POP3_API bool pop3_capabilities_have_sasl(const pop3_capabilities *caps, const char *mechanism);

/**
 * Limits on what the server may send. A field of 0 means its default. If the server exceeds one,
 * the connection ends with ::POP3_ERR_LIMIT. The lines of a message have no limit, because they
 * need no memory.
 */
typedef struct pop3_limits {
    size_t reply_line;       /**< Octets of a status or listing line; default 8192, at least 512. */
    uint64_t entries;        /**< Entries of one LIST, UIDL or LANG; default 10,000,000. */
    size_t capabilities;     /**< Lines of one CAPA; default 256. */
    uint64_t message_octets; /**< Octets of one message; default: no limit. */
    size_t challenges;       /**< Challenges within one AUTH; default 16. */
} pop3_limits;

/** Whether commands may be sent before the replies to earlier ones have arrived. */
typedef enum pop3_pipelining {
    POP3_PIPELINING_AUTO = 0, /**< If the server announces PIPELINING; CAPA is sent first. */
    POP3_PIPELINING_ON,       /**< Always, whatever the server announces. */
    POP3_PIPELINING_OFF       /**< Never. */
} pop3_pipelining;

/** The kinds of command. Their arguments are the fields of ::pop3_command that are named here. */
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

/** The kinds of trace output. */
typedef enum pop3_trace_kind {
    POP3_TRACE_SENT,     /**< Level 1: a command line, without its line end; secrets as "***". */
    POP3_TRACE_RECEIVED, /**< Level 1: a status line, without its line end. */
    POP3_TRACE_NOTE,     /**< Level 1: an event of the connection: connected, TLS started. */
    POP3_TRACE_LINE,     /**< Level 2: a line of a listing. */
    POP3_TRACE_BODY      /**< Level 2: octets of a message as they arrive, in pieces of any size. */
} pop3_trace_kind;

/**
 * Receives what is sent and received. It never gets a password, token, digest or challenge. If a
 * reply repeats one, the reply ends in "***" before it.
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
