/**
 * @file collect.h
 * libpop3-collect: functions for programs that collect mail. It is a separate library beside
 * libpop3, and is not part of pop3.h; link with the package `libpop3-collect`.
 *
 * | what                                                    | is                           |
 * |---------------------------------------------------------|------------------------------|
 * | an account visited, each new message delivered once     | pop3_visit()                 |
 * | the same in an event loop                               | pop3_visit_begin()           |
 * | which messages have been seen, from one run to the next | pop3_seen_open()             |
 * | a message in a Maildir, where a power cut leaves it     | pop3_maildir_open()          |
 * | a field of a header, decoded                            | pop3_header_decode()         |
 *
 * A complete mail program (without error checks; examples/mail_program.c has them):
 *
 *     pop3_client_options server = POP3_CLIENT_OPTIONS_INIT;
 *     pop3_visit_options o = POP3_VISIT_OPTIONS_INIT;
 *     pop3_visit_report report = POP3_VISIT_REPORT_INIT;
 *     server.host = "mail.example.org";
 *     o.connection = &server;
 *     o.user = "work";
 *     o.password = password;
 *     o.memory = "/home/me/.mail.db";
 *     o.maildir = "/home/me/Maildir";
 *     if (pop3_visit(&o, &report) != POP3_COLLECT_OK)
 *         complain(report.error.message);
 *
 * Thread safety: calls with different objects are independent, and one object may be used by one
 * thread at a time. Any number of visits may run in threads of one process, also with the same
 * memory file. The library starts threads, with all signals blocked, which end with the call or the
 * object that needs them. It changes no signal, no locale and no umask, and prints nothing. After
 * fork(2), without an exec, a child must not use objects of its parent.
 */
#ifndef POP3_COLLECT_H
#define POP3_COLLECT_H

#include <pop3/client.h>
#include <pop3/login.h>
#include <pop3/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @defgroup pop3_collect_errors Collecting mail: what went wrong
 * The results of calls of libpop3-collect: a class that the caller can act on, and a message.
 * @{ */

/** How a call ended. */
typedef enum pop3_collect_status {
    POP3_COLLECT_OK = 0,    /**< It worked. */
    POP3_COLLECT_TEMPORARY, /**< It may work later: the server or the network is not ready, the disk
                               is full, another process uses the account, or the caller stopped it.
                               Try again in some minutes. */
    POP3_COLLECT_ARGUMENT,  /**< An argument or option cannot be used. */
    POP3_COLLECT_STATE, /**< Not possible now, for instance because no message has been begun. */
    POP3_COLLECT_CREDENTIALS, /**< The server refuses the user or the secret, or the secret would be
                                 revealed; do not try again with the same ones. */
    POP3_COLLECT_SERVER, /**< The host has no address, the server's certificate is not valid, the
                            server does not offer what is needed, or it violates the protocol. */
    POP3_COLLECT_FILE,   /**< A file or directory cannot be created, read or written. */
    POP3_COLLECT_FORMAT, /**< The memory's file is damaged, of a later version, or another
                            program's. */
    POP3_COLLECT_SYSTEM  /**< Out of memory, threads or random numbers. */
} pop3_collect_status;

/** A stable word for a status, such as "temporary". Static storage; "unknown" for other values. For
 * programs that write logs that others read. */
POP3_API const char *pop3_collect_status_name(pop3_collect_status status);

/** An error. It belongs to the caller: calls fill it in when they fail and leave it unchanged
 * otherwise. It never contains a password or token. */
typedef struct pop3_collect_error {
    pop3_collect_status status; /**< The class. */
    int sys_errno;              /**< The errno that caused it, or 0. */
    char message[768];          /**< A message: what was being done, and why it failed. */
} pop3_collect_error;

/** @} */

/** @defgroup pop3_header_fields Header fields
 * Finds fields of a message's header (RFC 5322 section 2.2) and decodes them (RFC 2047).
 * @{ */

/**
 * Finds a field of a header.
 * @param header the message, or its beginning, with CRLF or LF; what follows the empty line is
 * ignored.
 * @param len    its octets.
 * @param name the field's name, such as "Subject"; case is ignored.
 * @param value  receives the value of the first such field, without the blanks around it;
 * continuation lines are included unchanged. It points into @p header.
 * @return whether there is one; otherwise @p value is empty.
 */
POP3_API bool pop3_header_field(const char *header, size_t len, const char *name, pop3_str *value);

/**
 * Decodes a field's value for display: encoded words in any character set that iconv(3) supports
 * (RFC 2047 §2, RFC 2231 §5), also if a character is split between two of them; joins continuation
 * lines; interprets octets that are not UTF-8 as Windows-1252. Encoded words in an unknown
 * character set, and invalid octets, become printable text or U+FFFD.
 * @param value the value, such as pop3_header_field() gives it.
 * @param len   its octets; 0 gives "".
 * @param out receives UTF-8 on one line that is safe to display: without control characters,
 * bidirectional characters and NUL. The caller frees it with
 *              free(3); NULL unless ::POP3_COLLECT_OK is returned.
 * @return ::POP3_COLLECT_OK, or ::POP3_COLLECT_SYSTEM when out of memory: nothing else fails.
 */
POP3_API pop3_collect_status pop3_header_decode(const char *value, size_t len, char **out);

/** @} */

/** @defgroup pop3_seen_messages The memory of seen messages
 * A file that records which unique-ids (RFC 1939 section 7) of an account have been seen, for
 * programs that retrieve messages themselves. With this alone, a crash between the delivery and the
 * save causes a message to be delivered twice; pop3_visit() delivers exactly once. Both use the
 * same kind of file, and one can continue the work of the other.
 * @{ */

/** An account's memory. Only one can be open at a time. */
typedef struct pop3_seen pop3_seen;

/** Most octets of a unique-id that can be remembered. RFC 1939 §7 has 70; servers have more. */
#define POP3_SEEN_UID_SIZE 8192

/**
 * Opens the memory of an account, and locks it against all other processes and threads. The file is
 * an SQLite database on a local disk, with any number of accounts. For programs that retrieve
 * messages themselves, like this whole group.
 * @param out     receives the memory, which the caller closes with pop3_seen_close(); NULL when
 *                it fails.
 * @param path the file; created with mode 0600 if it does not exist. The directory must be
 * writable, because SQLite creates files beside it.
 * @param account a name for the account that never changes, 1 to 1,024 octets: "work@host:995".
 * @param error   filled in when it fails; or NULL.
 * @return ::POP3_COLLECT_OK; ::POP3_COLLECT_ARGUMENT; ::POP3_COLLECT_TEMPORARY when another has the
 *         account, or the disk is full; ::POP3_COLLECT_FILE; ::POP3_COLLECT_FORMAT;
 *         ::POP3_COLLECT_SYSTEM.
 */
POP3_API pop3_collect_status pop3_seen_open(pop3_seen **out, const char *path, const char *account,
                                            pop3_collect_error *error);

/** Whether a unique-id is remembered, saved or not. Messages that a visit has begun to deliver but
 * not recorded as delivered, and those that it has deleted on the server, are not, because servers
 * reuse unique-ids. */
POP3_API bool pop3_seen_contains(const pop3_seen *memory, pop3_str uid);

/**
 * Remembers a unique-id: pop3_seen_contains() knows it from now on, other runs once
 * pop3_seen_save() has returned. Does nothing when it is remembered already.
 * @param memory the memory.
 * @param uid    the unique-id, copied: 1 to ::POP3_SEEN_UID_SIZE octets of any value.
 * @param error  filled in when it fails; or NULL.
 * @return ::POP3_COLLECT_OK; ::POP3_COLLECT_ARGUMENT; ::POP3_COLLECT_SYSTEM when out of memory.
 */
POP3_API pop3_collect_status pop3_seen_add(pop3_seen *memory, pop3_str uid,
                                           pop3_collect_error *error);

/** Forgets a unique-id; does nothing if it is not remembered. To be called when the server does not
 * list it any more, because the server may reuse it. For programs
 * that compare what is remembered with a listing. */
POP3_API void pop3_seen_remove(pop3_seen *memory, pop3_str uid);

/**
 * Receives a remembered unique-id.
 * @param ctx the pointer given with the callback.
 * @param uid the unique-id; valid only during the call. The callback may forget it, but must not
 * add others.
 * @return true to continue with the next one.
 */
typedef bool (*pop3_seen_fn)(void *ctx, pop3_str uid);

/** Calls @p each for every remembered unique-id, in no particular order, until @p each returns
 * false. For programs that compare what is remembered with a listing. */
POP3_API void pop3_seen_each(pop3_seen *memory, pop3_seen_fn each, void *ctx);

/**
 * Saves what was added and removed to the disk: all of it, or nothing when it fails; it can then be
 * tried again. Waits up to 30 seconds for other writers of the file.
 * @param memory the memory.
 * @param error  filled in when it fails; or NULL.
 * @return ::POP3_COLLECT_OK: it survives a power cut; ::POP3_COLLECT_TEMPORARY;
 *         ::POP3_COLLECT_FILE; ::POP3_COLLECT_FORMAT.
 */
POP3_API pop3_collect_status pop3_seen_save(pop3_seen *memory, pop3_collect_error *error);

/** Closes a memory and unlocks the account. Unsaved changes are lost. NULL does nothing. For
 * programs that retrieve messages themselves. */
POP3_API void pop3_seen_close(pop3_seen *memory);

/** @} */

/** @defgroup pop3_maildirs Delivering to a Maildir
 * Delivers messages to a Maildir so that they survive a power cut: they are written in tmp/,
 * synced, moved into new/, and the directory is synced. Line ends become LF. Many messages may
 * share the syncs:
 * pop3_maildir_begin(), pop3_maildir_write() and pop3_maildir_finish() for each, and one
 * pop3_maildir_commit(). A message is delivered directly from the server with
 * `pop3_client_retr(client, number, pop3_maildir_sink, maildir)` between begin and finish.
 * Mail readers remove what a crash leaves in tmp/ after 36 hours.
 * @{ */

/** An open Maildir. */
typedef struct pop3_maildir pop3_maildir;

/** Most messages that may be finished and not yet committed. */
#define POP3_MAILDIR_BATCH 1000

/**
 * Opens a Maildir; missing directories are created with mode 0700. For programs that retrieve
 * messages themselves, like this whole group.
 * @param out   receives the Maildir, which the caller closes; NULL when it fails.
 * @param path its directory, which contains tmp, new and cur.
 * @param error filled in when it fails; or NULL.
 * @return ::POP3_COLLECT_OK; ::POP3_COLLECT_ARGUMENT; ::POP3_COLLECT_FILE;
 *         ::POP3_COLLECT_TEMPORARY; ::POP3_COLLECT_SYSTEM.
 */
POP3_API pop3_collect_status pop3_maildir_open(pop3_maildir **out, const char *path,
                                               pop3_collect_error *error);

/** Begins a message. @return ::POP3_COLLECT_OK; ::POP3_COLLECT_STATE when one is in hand, or
 * ::POP3_MAILDIR_BATCH are to be committed first. */
POP3_API pop3_collect_status pop3_maildir_begin(pop3_maildir *maildir, pop3_collect_error *error);

/**
 * Writes a piece of the current message. For programs that get messages from elsewhere than a sink
 * of the client.
 * @param maildir the Maildir.
 * @param data    the octets; CRLF becomes LF, also where a piece ends between the two.
 * @param len     their number; 0 does nothing.
 * @param error   filled in when it fails; or NULL.
 * @return ::POP3_COLLECT_OK; ::POP3_COLLECT_STATE when no message is in hand; ::POP3_COLLECT_FILE
 * or
 * ::POP3_COLLECT_TEMPORARY: the message is given up, and removed.
 */
POP3_API pop3_collect_status pop3_maildir_write(pop3_maildir *maildir, const char *data, size_t len,
                                                pop3_collect_error *error);

/** pop3_maildir_write() as a ::pop3_sink_fn, with the Maildir as its context. After a failure the
 * rest of the message is discarded, and pop3_maildir_finish() says what failed. */
POP3_API pop3_sink_result pop3_maildir_sink(void *maildir, const char *data, size_t len);

/**
 * Ends the current message. The next pop3_maildir_commit() delivers it.
 * @return ::POP3_COLLECT_OK; ::POP3_COLLECT_STATE when no message is in hand; what a write failed
 *         with; ::POP3_COLLECT_FILE; ::POP3_COLLECT_TEMPORARY. No message is in hand afterwards.
 */
POP3_API pop3_collect_status pop3_maildir_finish(pop3_maildir *maildir, pop3_collect_error *error);

/** Gives up the current message, for instance if the server did not send the rest, and removes it.
 * Does nothing without a current message. */
POP3_API void pop3_maildir_abort(pop3_maildir *maildir);

/**
 * Delivers all finished messages.
 * @return ::POP3_COLLECT_OK: they are in new/, and survive a power cut (or there are none);
 * ::POP3_COLLECT_STATE when a message is in hand; ::POP3_COLLECT_FILE or
 * ::POP3_COLLECT_TEMPORARY: none of them counts as delivered, although some may be in new/; they
 * are not tried again.
 */
POP3_API pop3_collect_status pop3_maildir_commit(pop3_maildir *maildir, pop3_collect_error *error);

/** Closes a Maildir. Messages that were not committed are removed. NULL does nothing. For programs
 * that retrieve messages themselves. */
POP3_API void pop3_maildir_close(pop3_maildir *maildir);

/** @} */

/** @defgroup pop3_visits Visiting an account
 * Connects, logs in, retrieves new messages, delivers each exactly once, even if the program or the
 * machine stops in between, and deletes those that are due. Continues after broken sessions; learns
 * and remembers the server's traits.
 * @{ */

/** How the lines of delivered messages end. */
typedef enum pop3_line_ends {
    POP3_LINE_ENDS_LF = 0, /**< LF: CRLF becomes LF. */
    POP3_LINE_ENDS_CRLF    /**< CRLF: a bare LF becomes CRLF. */
} pop3_line_ends;

/** What happens to messages on the server once they are delivered. */
typedef enum pop3_removal {
    POP3_REMOVAL_NEVER = 0, /**< They stay. */
    POP3_REMOVAL_DELIVERED, /**< They are deleted as soon as they are delivered and recorded. */
    POP3_REMOVAL_AFTER      /**< They are deleted @c remove_after seconds after that. */
} pop3_removal;

/** What a visit does if mail was delivered to another target before. */
typedef enum pop3_visit_start {
    POP3_VISIT_ASK = 0,     /**< Nothing is done, and the visit ends as ::POP3_COLLECT_ARGUMENT. */
    POP3_VISIT_FROM_NOW_ON, /**< Mail on the server counts as seen, even if the target has not
                               changed. */
    POP3_VISIT_FROM_THE_START, /**< All mail on the server is delivered. */
    POP3_VISIT_CONTINUE        /**< Mail that was delivered counts as delivered here. */
} pop3_visit_start;

/**
 * A target that consists of the caller's functions. Messages are delivered one after the other:
 * begin, write any number of times, finish; then commit for many at once. A message that has been
 * begun is represented by the caller's pointer, and ends with exactly one of commit and abort.
 *
 * No two of these functions run at a time in one visit. begin, write, finish, abort and find run in
 * the thread that called pop3_visit(), pop3_visit_step() or pop3_visit_end(), commit in another
 * one; none may visit the same account. Each may block.
 *
 * **What the caller promises.** When commit returns ::POP3_COLLECT_OK, all these messages are
 * delivered and survive a power cut (written, synced, and the directory synced, or a database's
 * commit): the visit then records them as delivered, and may delete them on the server. A commit
 * that fails, or never returns because the machine stops, may have delivered some, all or none.
 *
 * **After a crash** the next visit asks @c find about each message whose delivery was interrupted,
 * by its name. A message that is there is recorded as delivered, and compared with the server's
 * message before that is deleted; one that is not there is delivered again, under the same name. So
 * each message is delivered exactly once if @c find is right. Without @c find (NULL) an interrupted
 * message is delivered again, under the same name: at least once, or exactly once if the target
 * refuses known names.
 *
 * Failures are described in @p error, which is all zero before: a status other than
 * ::POP3_COLLECT_OK, and a message.
 */
typedef struct pop3_target {
    size_t size;    /**< sizeof(pop3_target). */
    const char *id; /**< Identifies the target, 1 to 1,024 octets without line ends; never changes.
                       It is recorded: with another one, known mail counts as delivered elsewhere
                       (see ::pop3_visit_start). */
    void *ctx;      /**< First argument of the functions. */
    /** Begins a message. @c name is unique, with up to 200 printable ASCII octets without a slash,
     * as in Maildirs, and the same when the message is delivered again; valid until the message
     * has ended. Replace what is left of an earlier attempt under this name. Sets @c *message,
     * which the library does not use. A failure ends the visit; the message has then not been
     * begun. */
    pop3_collect_status (*begin)(void *ctx, const char *name, void **message,
                                 pop3_collect_error *error);
    /** Writes a piece of it, one octet or more. A failure ends the visit, after abort; but a
     * message that fails with @c sys_errno EFBIG is left on the server, and the visit continues
     * with the others. */
    pop3_collect_status (*write)(void *ctx, void *message, const char *data, size_t len,
                                 pop3_collect_error *error);
    /** The message is complete. NULL: nothing to do. A failure is handled as in write. */
    pop3_collect_status (*finish)(void *ctx, void *message, pop3_collect_error *error);
    /** Delivers 1 to 1,000 finished messages; ends them, whatever it returns. A failure ends the
     * visit; messages that were delivered nevertheless are found by @c find. */
    pop3_collect_status (*commit)(void *ctx, void *const *messages, size_t count,
                                  pop3_collect_error *error);
    /** Ends a message, finished or not, that is not delivered now: it will be delivered again. */
    void (*abort)(void *ctx, void *message);
    /** Finds out whether an interrupted message has been delivered, and makes it durable. Sets @c
     * *there. A failure ends the visit. NULL: the target cannot be asked. */
    pop3_collect_status (*find)(void *ctx, const char *name, bool *there,
                                pop3_collect_error *error);
} pop3_target;

/** Initializer for pop3_target. */
#ifdef __cplusplus
POP3_DEFAULTS(pop3_target)
#define POP3_TARGET_INIT pop3_target_defaults()
#else
#define POP3_TARGET_INIT                                                                           \
    {                                                                                              \
        .size = sizeof(pop3_target),                                                               \
    }
#endif

/** The counts of a visit. Begin with ::POP3_VISIT_REPORT_INIT. Broken sessions and those that
 * continue them are one visit. */
typedef struct pop3_visit_report {
    size_t size;          /**< sizeof(pop3_visit_report). */
    uint64_t listed;      /**< Messages on the server. */
    uint64_t wanted;      /**< Of those, new ones to be retrieved in this visit. */
    uint64_t retrieved;   /**< Messages retrieved. */
    uint64_t octets;      /**< Their octets, as sent. */
    uint64_t delivered;   /**< Messages that are delivered and recorded. */
    uint64_t settled;     /**< Messages that an earlier visit delivered, recorded by this one. */
    uint64_t deleted;     /**< Messages whose deletion the server confirmed. */
    uint64_t skipped;     /**< Messages that are larger than @c max_size. */
    uint64_t passed_over; /**< Messages that count as seen, with ::POP3_VISIT_FROM_NOW_ON. */
    uint64_t failed;      /**< Messages that could not be retrieved or delivered: they stay on the
                             server, and the next visit tries them again. */
    uint64_t unseen; /**< Messages of which it is unknown whether they were delivered before; as
                        with @c failed. */
    pop3_collect_error error; /**< How the visit ended: ::POP3_COLLECT_OK and an empty message if
                                 nothing is left to do. */
} pop3_visit_report;

/** Initializer for pop3_visit_report. */
#ifdef __cplusplus
POP3_DEFAULTS(pop3_visit_report)
#define POP3_VISIT_REPORT_INIT pop3_visit_report_defaults()
#else
#define POP3_VISIT_REPORT_INIT                                                                     \
    {                                                                                              \
        .size = sizeof(pop3_visit_report),                                                         \
    }
#endif

/** The events of a visit. */
typedef enum pop3_visit_event {
    POP3_VISIT_CONNECTING = 0, /**< A session begins. */
    POP3_VISIT_LISTED,         /**< The number of messages is known: see @c wanted. */
    POP3_VISIT_RETRIEVED,      /**< A message has been retrieved: @c number, @c uid, @c octets. */
    POP3_VISIT_DELIVERED,      /**< Messages have been delivered and recorded. */
    POP3_VISIT_SKIPPED, /**< A message is left on the server: @c number, @c uid, and the reason in
                           @c text. */
    POP3_VISIT_FAILED,  /**< A message could not be retrieved or delivered: @c number, @c uid, and
                           the reason in @c text. */
    POP3_VISIT_WARNING, /**< Something about the server: @c text. */
    POP3_VISIT_WAITING  /**< Another session follows in @c seconds: the reason is in @c text. */
} pop3_visit_event;

/** An event in a visit. It belongs to the library and is valid during the call; fields may be added
 * at its end. */
typedef struct pop3_visit_notice {
    pop3_visit_event event;          /**< What happened. */
    const pop3_visit_report *report; /**< The counts so far; without @c error. */
    uint32_t number;                 /**< The message's number in this session, or 0. */
    pop3_str uid;                    /**< Its unique-id; empty if the server gave none. */
    uint64_t octets;                 /**< Its size; 0 when it is not known. */
    const char *text;                /**< A message in printable UTF-8, or "". */
    double seconds;                  /**< ::POP3_VISIT_WAITING: the time to wait. */
} pop3_visit_notice;

/** Receives the events of a visit, in the thread that called pop3_visit(), pop3_visit_step() or
 * pop3_visit_end(). */
typedef void (*pop3_visit_fn)(void *ctx, const pop3_visit_notice *notice);

/** The account to visit, and what is done with its mail. Begin with ::POP3_VISIT_OPTIONS_INIT; zero
 * fields are defaults. Everything belongs to the caller, and must exist until the visit has ended.
 */
typedef struct pop3_visit_options {
    size_t size;         /**< sizeof(pop3_visit_options). */
    const char *memory;  /**< The file that remembers the account; see pop3_seen_open(). */
    const char *account; /**< The account's name in it; NULL: "USER@HOST:PORT", or with the path of
                            the Unix-domain socket behind the @. */
    /** The server, and how to connect. In it, @c socket (but see pop3_visit_begin()) and the
     * engine's limit of entries are not used: a listing may have 2,000,000 messages, and traits are
     * remembered. Nor are @c trust_message_ends and @c prove_message_ends: the end of each message
     * is proven before it is delivered. */
    const pop3_client_options *connection;
    const char *user;     /**< The user's name in UTF-8. */
    const char *password; /**< The password in UTF-8, or NULL. */
    const char *token;    /**< An OAuth 2.0 access token, or NULL. */
    pop3_secret_fn
        secret; /**< Called before connecting if neither is given: for a password and, if that is
                   ::POP3_ERR_NOT_OFFERED, for a token; first for a token if @c mechanism uses one.
                   Called once more for a token if the server refuses it. Runs in the thread that
                   called pop3_visit() or pop3_visit_step(). */
    void *secret_ctx;      /**< First argument of @c secret. */
    const char *mechanism; /**< The only mechanism to log in with, as in pop3_login_options; NULL:
                              the strongest. */
    const char *channel_binding; /**< As in pop3_login_options. */
    bool utf8;                   /**< Send UTF8 if the server announces it (RFC 6856 §2). */
    const char *maildir;         /**< The Maildir to deliver to, created if needed; or NULL. */
    const pop3_target *target;   /**< Or the caller's target; or NULL. Set one of them. */
    pop3_line_ends line_ends;    /**< Line ends of delivered messages; default LF. */
    pop3_visit_start start;      /**< What to do if the target has changed. */
    pop3_removal removal;        /**< When delivered messages are deleted on the server. */
    int64_t remove_after;        /**< Seconds, with ::POP3_REMOVAL_AFTER; 0 or more. */
    uint64_t max_size; /**< Octets: larger messages, as the server lists them, stay on the server;
                          0: no limit. */
    uint64_t message_limit; /**< Octets at which a message is given up, whatever size the server
                               announces; 0: no limit. */
    uint64_t limit;         /**< Most messages to retrieve in this visit; 0: all. */
    unsigned retries;       /**< How often to retry if the server asks to come back later ([IN-USE],
                               [LOGIN-DELAY], a locked maildrop); default 0: the visit ends as
                               ::POP3_COLLECT_TEMPORARY. */
    int retry_ms; /**< Milliseconds before the first of these, doubled each time; default 10,000. */
    int stop_fd;  /**< A descriptor that becomes readable when the visit is to end after the current
                     message; nothing is read from it. 0 or negative: none. */
    pop3_visit_fn notice; /**< Receives events, or NULL. */
    void *notice_ctx;     /**< First argument of @c notice. */
} pop3_visit_options;

/** Initializer for pop3_visit_options. */
#ifdef __cplusplus
POP3_DEFAULTS(pop3_visit_options)
#define POP3_VISIT_OPTIONS_INIT pop3_visit_options_defaults()
#else
#define POP3_VISIT_OPTIONS_INIT                                                                    \
    {                                                                                              \
        .size = sizeof(pop3_visit_options),                                                        \
    }
#endif

/**
 * Visits an account. Blocking; pop3_visit_begin() is the form for event loops. The order of effects
 * for each message: its name is recorded, it is written, committed, recorded as delivered; only
 * then it may be deleted (RFC 1939 §5), QUIT is sent (§6), and the deletion recorded. New messages
 * are recognized by unique-ids and, if those are not enough, by their headers. If it is doubtful
 * whether a message was delivered, it is delivered again.
 *
 * Each message is delivered exactly once to a Maildir, and to a target with a correct @c find, if
 * the server's unique-ids identify messages. If only their headers do, that is true for a Maildir;
 * the caller's target may get a message again whose visit was killed.
 * @param options the account, and where its mail is delivered.
 * @param report  filled in, also when it fails; or NULL.
 * @return ::POP3_COLLECT_OK: nothing is left to do;
 * ::POP3_COLLECT_TEMPORARY: the next visit continues, some messages may have been delivered; also
 * when the account is being visited already;
 *         ::POP3_COLLECT_ARGUMENT for options that cannot be used: nothing was done;
 *         what a target's function returned; or one of the other classes.
 */
POP3_API pop3_collect_status pop3_visit(const pop3_visit_options *options,
                                        pop3_visit_report *report);

/** @} */

/** @defgroup pop3_visit_steps Visits in an event loop
 * pop3_visit() for a program with its own event loop, which can run any number of visits: begin,
 * step, wait until a descriptor is ready or the deadline has come, step again, until a step returns
 * false; then end. No step waits for the network, or for a batch to become durable, which a thread
 * of the visit does. But a step reads and writes files (messages on their way to the disk, the
 * memory), and calls the caller's functions, such as @c secret: a program that must not wait for a
 * slow disk gives each visit a thread (@ref guide_collecting).
 * @{ */

/** A visit in progress; used by one thread at a time, which may be a different one each time. */
typedef struct pop3_open_visit pop3_open_visit;

/** Most descriptors that a visit waits on at a time. */
#define POP3_VISIT_WAITABLES (POP3_MAX_WAITABLES + 1)

/**
 * Begins a visit: opens the memory, and does nothing else before the first pop3_visit_step().
 * @param out     receives the visit, to be ended by pop3_visit_end(); NULL when it fails.
 * @param options as for pop3_visit(); they must exist until pop3_visit_end(). The @c socket of the
 * connection function is called with NULL for its client, within a step and at its end: before a
 * descriptor is first waited on, when its events change, and before it is closed. @c stop_fd is
 * checked in each step.
 * @param report  filled in when it fails; or NULL.
 * @return as pop3_visit(); ::POP3_COLLECT_OK when the visit is to be stepped.
 */
POP3_API pop3_collect_status pop3_visit_begin(pop3_open_visit **out,
                                              const pop3_visit_options *options,
                                              pop3_visit_report *report);

/** Does what can be done without waiting. Callbacks run inside, where no call with the visit is
 * allowed. May be called at any time.
 * @return true while the visit continues: wait, then step again; false: end it. */
POP3_API bool pop3_visit_step(pop3_open_visit *visit);

/** What to wait on, for poll(2): none before the first step. For a loop that registers descriptors,
 * such as epoll(7), set @c socket. @param out receives up to @p cap of them;
 * ::POP3_VISIT_WAITABLES always suffice. @return how many there are. */
POP3_API size_t pop3_visit_waitables(const pop3_open_visit *visit, pop3_waitable *out, size_t cap);

/** Milliseconds until the visit must be stepped even if no descriptor is ready, as for poll(2): 0
 * for now, -1 for never. */
POP3_API int pop3_visit_deadline(const pop3_open_visit *visit);

/**
 * Ends a visit, and frees it. A visit in progress is given up with its current message; waits until
 * earlier messages are delivered and recorded. NULL does nothing.
 * @param visit the visit; must not be called within a step. Callbacks may run inside.
 * @param report filled in; or NULL.
 * @return as pop3_visit(); ::POP3_COLLECT_TEMPORARY for one that was given up.
 */
POP3_API pop3_collect_status pop3_visit_end(pop3_open_visit *visit, pop3_visit_report *report);

/** @} */

#ifdef __cplusplus
}
#endif
#endif
