/**
 * @file engine.h
 * The sans-I/O engine: the complete POP3 protocol without sockets, clocks or TLS.
 *
 * Commands go in and octets come out; octets go in and events come out. The owner of the connection
 * moves the octets: pop3_client over its own sockets, an application in its event loop, a language
 * binding over that language's sockets. The engine may be fed one octet at a time; however the
 * input is split, the events are the same, except for the chunks of a message.
 *
 * A transcript, `>` being what the caller does:
 *
 *     > pop3_engine_feed(e, "+OK ready <1.2@host>\r\n", 22)
 *     > pop3_engine_next(e, &ev)     GREETING  ok, text "ready <1.2@host>"
 *     > pop3_engine_submit(e, RETR 1); pop3_engine_submit(e, RETR 2)
 *     > pop3_engine_output(e, &n)    "RETR 1\r\nRETR 2\r\n"  (the server announced PIPELINING)
 *     > pop3_engine_sent(e, n)
 *     > pop3_engine_feed(e, "+OK\r\nFrom: a\r\n\r\n..dot\r\n.\r\n-ERR no such message\r\n", 48)
 *     > pop3_engine_next(e, &ev)     REPLY     RETR 1, ok
 *     > pop3_engine_next(e, &ev)     BODY      "From: a\r\n\r\n"
 *     > pop3_engine_next(e, &ev)     BODY      ".dot\r\n"
 *     > pop3_engine_next(e, &ev)     DONE      RETR 1, POP3_OK
 *     > pop3_engine_next(e, &ev)     DONE      RETR 2, POP3_ERR_REFUSED, text "no such message"
 *     > pop3_engine_next(e, &ev)     false: everything fed has been used
 *
 * Thread safety: one engine may be used by one thread at a time. There is no global state.
 */
#ifndef POP3_ENGINE_H
#define POP3_ENGINE_H

#include <pop3/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @defgroup pop3_sans_io The sans-I/O engine
 * The protocol without sockets, clocks, TLS or files: the caller moves the octets in both
 * directions, and gets events. Commands are checked before they are rendered; replies are matched
 * to them by order (RFC 1939, 2449, 5034). The client uses it, and so can other programs.
 * @{ */

/** The protocol's state for one connection. */
typedef struct pop3_engine pop3_engine;

/** The options of an engine. Begin with ::POP3_ENGINE_OPTIONS_INIT; zero fields are defaults. */
typedef struct pop3_engine_options {
    size_t size;                /**< sizeof(pop3_engine_options). */
    pop3_limits limits;         /**< Limits on what the server may send. */
    pop3_pipelining pipelining; /**< Whether commands may share a window. */
    uint32_t max_in_flight;     /**< Most commands awaiting a reply; 0 means 4096. The window begins
                                   with 1,024 (or this, if it is less), doubles each time as many have
                                   been answered, and is full in any case when the lines of its commands
                                   come to 64 KiB. */
    uint32_t masked;            /**< Set of ::pop3_capability to treat as not announced. */
    bool trust_message_ends;    /**< Believe every end of a message; see pop3_engine_next(). */
    bool prove_message_ends;    /**< Wait for a reply after each message that does not have the
                                   announced number of octets; see pop3_engine_next(). */
    bool no_late_capa;          /**< Do not send the engine's own CAPA after the login: commands are
                                   pipelined if PIPELINING was announced before it, which RFC 2449 §6.6 does
                                   not let differ. */
    pop3_trace_fn trace;        /**< Receives what is sent and received, or NULL. */
    void *trace_ctx;            /**< First argument of @c trace. */
    int trace_level;            /**< 0 nothing, 1 commands and replies, 2 every line. */
} pop3_engine_options;

/** Initializer for pop3_engine_options. */
#ifdef __cplusplus
POP3_DEFAULTS(pop3_engine_options)
#define POP3_ENGINE_OPTIONS_INIT pop3_engine_options_defaults()
#else
#define POP3_ENGINE_OPTIONS_INIT                                                                   \
    {                                                                                              \
        .size = sizeof(pop3_engine_options),                                                       \
    }
#endif

/** A command. Begin with ::POP3_COMMAND_INIT. The engine copies what it needs. */
typedef struct pop3_command {
    size_t size;            /**< sizeof(pop3_command). */
    pop3_command_kind kind; /**< Which command. */
    uint32_t number; /**< Message number for RETR, TOP, DELE, LIST_ONE, UIDL_ONE: 1 or more. */
    uint32_t lines;  /**< Lines of the body for TOP. */
    pop3_str text;   /**< Argument for USER, PASS, APOP, RPOP, AUTH (the mechanism), LANG; the whole
                        line without its end for RAW and RAW_LIST. */
    pop3_str initial; /**< AUTH: the initial response in base64, "=" for an empty one; a NULL span
                         when there is none (RFC 5034 §4). */
    uint64_t octets;  /**< RETR: the message's size as LIST gave it, or 0. A message of this size
                         needs less proof of its end; another one may still be complete. See
                         pop3_engine_next(). */
    void *tag;        /**< Returned with every event of this command. */
} pop3_command;

/** Initializer for pop3_command. */
#ifdef __cplusplus
POP3_DEFAULTS(pop3_command)
#define POP3_COMMAND_INIT pop3_command_defaults()
#else
#define POP3_COMMAND_INIT                                                                          \
    {                                                                                              \
        .size = sizeof(pop3_command),                                                              \
    }
#endif

/** The kinds of event. */
typedef enum pop3_event_kind {
    POP3_EVENT_GREETING, /**< The greeting: @c reply. Status as for ::POP3_EVENT_DONE. */
    POP3_EVENT_REPLY,    /**< +OK to a command whose answer has more lines: @c reply. */
    POP3_EVENT_BODY,     /**< Octets of the message: @c data, in the order of the message. */
    POP3_EVENT_ENTRY, /**< One line of a listing: @c data; LIST and UIDL also @c entry. Empty lines
                         among these, and remarks among unique-ids, are skipped. */
    POP3_EVENT_CHALLENGE, /**< AUTH: the server's challenge in base64: @c data. Answer with
                             pop3_engine_respond() or pop3_engine_cancel_auth(). +OK before the
                             client can have sent enough for a login (one response, including the
                             initial one; two with LOGIN) counts as an empty challenge. */
    POP3_EVENT_DONE /**< The command has ended: @c status, @c reply; STAT also @c stat, LIST_ONE and
                       UIDL_ONE @c entry. Exactly one for each command submitted. */
} pop3_event_kind;

/** One event. Spans are valid until the next call with the same engine. */
typedef struct pop3_event {
    pop3_event_kind kind;      /**< What happened. */
    pop3_command_kind command; /**< The command; POP3_CMD_NONE for the greeting. */
    uint32_t number;           /**< That command's message number, or 0. */
    void *tag;                 /**< That command's tag. */
    pop3_status status;        /**< DONE and GREETING: how it ended. */
    bool sent; /**< DONE: whether pop3_engine_output() returned the command before it ended. */
    pop3_reply reply; /**< GREETING, REPLY, DONE: the status line; empty if there is none. */
    pop3_str data; /**< BODY, ENTRY, CHALLENGE: the octets, without line end for the latter two. */
    pop3_size_match size; /**< DONE of RETR: its octets, and what was announced. */
    pop3_stat stat;       /**< DONE of STAT. */
    pop3_entry entry;     /**< ENTRY of LIST and UIDL; DONE of LIST_ONE and UIDL_ONE. */
} pop3_event;

/** Session states (RFC 1939 §3), and those before and after. */
typedef enum pop3_state {
    POP3_STATE_GREETING,      /**< The greeting has not been received. */
    POP3_STATE_AUTHORIZATION, /**< Not logged in. */
    POP3_STATE_TRANSACTION,   /**< Logged in. */
    POP3_STATE_UPDATE,        /**< QUIT was answered: the session has ended. */
    POP3_STATE_DEAD           /**< The connection failed; see pop3_engine_error(). */
} pop3_state;

/**
 * Creates an engine, which waits for the greeting.
 * @param out     receives the engine, which the caller frees with pop3_engine_free(); NULL when it
 *                fails.
 * @param options its options, copied; NULL for defaults.
 * @return ::POP3_OK; ::POP3_ERR_ARGUMENT when @p out is NULL, the options' size is not one this
 *         library knows, or a limit is below its least value; ::POP3_ERR_MEMORY.
 */
POP3_API pop3_status pop3_engine_new(pop3_engine **out, const pop3_engine_options *options);

/** Frees an engine and wipes its secrets. NULL does nothing. */
POP3_API void pop3_engine_free(pop3_engine *engine);

/**
 * Checks a command's arguments as pop3_engine_submit() does, without an engine.
 * @return ::POP3_OK; ::POP3_ERR_ARGUMENT, also when @p command is NULL or its size is not one this
 *         library knows.
 */
POP3_API pop3_status pop3_command_check(const pop3_command *command);

/**
 * Queues a command. It is sent when its turn comes: several at once if the server announces
 * PIPELINING and the kinds allow it. APOP, RPOP, AUTH, STLS, QUIT, RAW and RAW_LIST are sent alone;
 * PASS may be the last of a window, after USER. With ::POP3_PIPELINING_AUTO, if two or more
 * commands that could share a window wait in the TRANSACTION state and the capabilities are not
 * known, the engine first sends CAPA, without an event for the caller. If PIPELINING was announced
 * before the login, with the same protection, it applies until that is answered, and costs no round
 * trip, because the commands are sent with it (by RFC 2449 §6.6 this capability is the same in both
 * states).
 *
 * Arguments are checked before anything is queued: no CR, LF or NUL; numbers from 1; no more than
 * 8,000 octets (AUTH: 65,536 for the initial response); USER and PASS in UTF-8; the mechanism of
 * AUTH in the characters of RFC 4422 §3.1; not empty if the command needs it (PASS may be empty).
 *
 * @return ::POP3_OK; ::POP3_ERR_ARGUMENT; ::POP3_ERR_MEMORY; ::POP3_ERR_STATE after QUIT, on a dead
 *         connection, for STLS after login or under TLS, and for PASS, APOP, AUTH, RAW and RAW_LIST
 * after an STLS that has not ended: they would be sent unprotected if it were refused.
 */
POP3_API pop3_status pop3_engine_submit(pop3_engine *engine, const pop3_command *command);

/**
 * The octets to send now. May render queued commands, so call it again after pop3_engine_sent(),
 * after events, and after submitting. Continue to read while not all of them can be written: a
 * server may stop reading until its replies are read.
 * @param engine the engine.
 * @param len    receives their number, 0 when there is nothing to send.
 * @return the octets, valid until the next call with this engine; they may contain a secret.
 */
POP3_API const char *pop3_engine_output(pop3_engine *engine, size_t *len);

/** Reports that the first @p len octets of the output have been sent; wipes secret ones. */
POP3_API void pop3_engine_sent(pop3_engine *engine, size_t len);

/**
 * Passes received octets to the engine. They are not copied: @p data must not change until
 * pop3_engine_next() has returned false (or the engine is freed).
 * @return ::POP3_OK; ::POP3_ERR_STATE if earlier octets have not been used;
 * ::POP3_ERR_ARGUMENT when @p data is NULL and @p len is not 0.
 */
POP3_API pop3_status pop3_engine_feed(pop3_engine *engine, const char *data, size_t len);

/**
 * The next event.
 *
 * Line ends are CRLF or LF, in any mixture; LF CR is accepted as well. The octets of a message are
 * returned as sent, with dot-stuffing undone: if a line starts with two dots, the first is removed.
 * (A line that starts with one dot and is not the last was not stuffed by the server, and is
 * unchanged: by RFC 1939 §3 the dot would be removed, and an octet lost.)
 *
 * A message ends with a line that is only a dot. That may be a line of the message that the server
 * did not stuff, or belong to another reply that was mixed with this one, so DONE of a RETR with
 * ::POP3_OK means that the message is proven to be complete. The signs are a clean end (if lines
 * end with CRLF, the dot is between CRLFs, and is not the first line), and the number of octets
 * that the reply ("120 octets") or pop3_command::octets announced:
 *
 * - both: DONE follows at once;
 * - a clean end, and no size was announced: at once; with @c prove_message_ends when the next
 *   command, or else a NOOP that the engine sends, has been answered with +OK or -ERR;
 * - a clean end, and another size than announced, because some servers count in their own way: when
 * the next command has been answered so, if one is in flight; with @c prove_message_ends in any
 *   case, as above;
 * - another end, and the announced size, or (without @c prove_message_ends) none: the same, and if
 * no command is in flight, the NOOP is sent first;
 * - another end, and not the size: what looks like the next reply may be a part of the message, and
 * the author of a mail can write one that is a message with both signs. So DONE follows only when
 * two NOOPs, one after the other, have been answered while nothing else was in flight. If something
 * is, the command ends with ::POP3_ERR_PROTOCOL: retrieve the message on a connection
 *   without pipelining.
 *
 * If something other than a reply follows, the command ends with ::POP3_ERR_PROTOCOL. If the
 * connection is lost before the proof, it ends like the others, unless the end was clean and no
 * size was announced. TOP, for which no size is announced, ends at once at a clean end; at another
 * one with @c prove_message_ends after two NOOPs, and without it as if the size were right. The
 * option @c trust_message_ends disables all of this.
 *
 * When the connection has failed, each queued command gets its DONE event with that failure.
 *
 * @param engine the engine.
 * @param event  receives the event.
 * @return false when there is none: all input has been used.
 */
POP3_API bool pop3_engine_next(pop3_engine *engine, pop3_event *event);

/**
 * Reports that the connection ended or failed: all commands end with @p status, through
 * pop3_engine_next(). Unused input is discarded, so take all events first.
 * @param engine the engine.
 * @param status ::POP3_ERR_CLOSED for the end of input, or ::POP3_ERR_TIMEOUT, ::POP3_ERR_IO and
 * the like; ::POP3_OK and ::POP3_PENDING count as ::POP3_ERR_CLOSED. A dead engine keeps its first
 * failure.
 */
POP3_API void pop3_engine_fail(pop3_engine *engine, pop3_status status);

/**
 * Reports that the TLS handshake after +OK to STLS has succeeded, or (before the greeting) that the
 * connection is under TLS from the start. Until it is called after STLS, all input is a protocol
 * violation: it was sent unprotected, possibly by an attacker (RFC 2595 §4, CVE-2011-0411).
 * Capabilities are discarded.
 */
POP3_API void pop3_engine_tls_started(pop3_engine *engine);

/**
 * Answers a challenge. @p base64 is sent on a line of its own; an empty span sends an empty line.
 * @return ::POP3_OK; ::POP3_ERR_STATE without a challenge to answer; ::POP3_ERR_ARGUMENT
 * for octets outside the base64 alphabet or more than 65,536; ::POP3_ERR_MEMORY.
 */
POP3_API pop3_status pop3_engine_respond(pop3_engine *engine, pop3_str base64);

/** Cancels the exchange by answering a challenge with "*"; the server will answer -ERR (RFC 5034
 * §4). Returns as pop3_engine_respond(). */
POP3_API pop3_status pop3_engine_cancel_auth(pop3_engine *engine);

/** The session's state. */
POP3_API pop3_state pop3_engine_state(const pop3_engine *engine);

/** Whether a reply or the greeting is awaited from the server; false while a challenge waits for
 * its answer. */
POP3_API bool pop3_engine_wants_input(const pop3_engine *engine);

/** Whether STLS was answered with +OK and the handshake must be done now. */
POP3_API bool pop3_engine_wants_tls(const pop3_engine *engine);

/** Submitted commands whose DONE event has not been returned, without the engine's own. */
POP3_API size_t pop3_engine_pending(const pop3_engine *engine);

/** The command that ends next: its kind and message number, each unless NULL. @return false
 * when none is pending. */
POP3_API bool pop3_engine_current(const pop3_engine *engine, pop3_command_kind *kind,
                                  uint32_t *number);

/** Commands that have been answered, including the engine's own: shows after how many a server ends
 * its sessions. */
POP3_API uint64_t pop3_engine_answered(const pop3_engine *engine);

/** Submitted commands that pop3_engine_output() has returned and that await their reply. */
POP3_API size_t pop3_engine_in_flight(const pop3_engine *engine);

/** Messages marked as deleted in this session: +OK to DELE since login or the last RSET. */
POP3_API uint64_t pop3_engine_deletions(const pop3_engine *engine);

/**
 * What the server announced, with the masked capabilities removed from @c flags; NULL if CAPA has
 * not been answered with +OK in the current state (before or after TLS, before or after the login).
 * Valid until the next call of pop3_engine_next(), pop3_engine_tls_started() or pop3_engine_free().
 */
POP3_API const pop3_capabilities *pop3_engine_capabilities(const pop3_engine *engine);

/**
 * Whether commands share windows, as far as is known: always with ::POP3_PIPELINING_ON, never with
 * ::POP3_PIPELINING_OFF, otherwise if the last answer to CAPA had PIPELINING and no TLS handshake
 * followed it. An answer before the login counts until there is one after it.
 */
POP3_API bool pop3_engine_pipelines(const pop3_engine *engine);

/**
 * Whether CAPA was sent after the login and not answered, or refused without a later reply: a
 * server that ends the connection now most likely does so because of CAPA.
 */
POP3_API bool pop3_engine_waits_for_late_capa(const pop3_engine *engine);

/** The greeting as sent, without its line end; empty before it was received. Valid as long as the
 * engine.
 */
POP3_API pop3_str pop3_engine_greeting(const pop3_engine *engine);

/** The greeting's timestamp for APOP, with its angle brackets (RFC 1939 §7); empty when it has
 * none. */
POP3_API pop3_str pop3_engine_timestamp(const pop3_engine *engine);

/**
 * The part of a reply that may be shown or logged: some servers repeat what they do not understand,
 * and that may be a password.
 * @param reply what the last event brought, or a copy of it.
 * @param part  a span of that reply: @c line, @c text or @c code_text.
 * @return @p part, or as much of it as stands before the secret of the reply's command.
 */
POP3_API pop3_str pop3_engine_public_part(const pop3_engine *engine, const pop3_reply *reply,
                                          pop3_str part);

/**
 * Whether a line, without its end, is a reply to the letter: "+OK" or "-ERR", whatever the case of
 * the letters, and then a blank or nothing (RFC 1939 §3). A message that starts with such a line
 * may be a reply that came out of step.
 */
POP3_API bool pop3_is_status_line(pop3_str line);

/** Says how a dead engine died: the status, and a sentence in @p detail unless that is NULL (an
 * empty one while alive). The sentence lives as the engine; octets from the server are shown
 * printable. */
POP3_API pop3_status pop3_engine_error(const pop3_engine *engine, const char **detail);

/** @} */

#ifdef __cplusplus
}
#endif
#endif
