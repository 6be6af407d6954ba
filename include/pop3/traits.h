/**
 * @file traits.h
 * Traits: deviations of a server that matter to a client, set by hand or learned. A client with
 * these traits begins where another one ended.
 *
 *     pop3_server_traits known = {0};
 *     pop3_server_traits_read(&known, remembered);       // "no-capa, quit-after=12"
 *     options.traits = known;
 *     ... a session ...
 *     char text[POP3_TRAITS_TEXT];
 *     pop3_server_traits_write(pop3_client_traits(client), text, sizeof text);
 * remember(text); // for a week, because servers are repaired
 *
 * Thread safety: the functions of this header are pure and may be called from any thread.
 */
#ifndef POP3_TRAITS_H
#define POP3_TRAITS_H

#include <pop3/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @defgroup pop3_traits_of_servers Traits of servers
 * Deviations of servers that a client learns on a connection and needs to know on the next one, as
 * words that can be stored.
 * @{ */

/** A trait of a server, as a bit. The words are those of pop3_server_traits_read(). */
typedef enum pop3_trait {
    POP3_TRAIT_NO_CAPA = 1 << 0, /**< "no-capa": it closes the connection on CAPA, or answers +OK
                                    without a list. CAPA is not sent. */
    POP3_TRAIT_NO_INITIAL_RESPONSE = 1 << 1, /**< "no-initial-response": it refuses AUTH with an
                                                initial response, or ignores the response. */
    POP3_TRAIT_ONE_AT_A_TIME =
        1 << 2, /**< "one-at-a-time": it loses commands, or mixes its replies up, if several
                   commands are in flight, although it announces PIPELINING. */
    POP3_TRAIT_NO_UIDL = 1 << 3, /**< "no-uidl": it refuses UIDL, closes on it, or lists nothing
                                    although there is mail. */
    POP3_TRAIT_NO_LATE_CAPA = 1 << 5, /**< "no-late-capa": it closes the connection on CAPA after
                                         the login. CAPA is sent before it only. */
    POP3_TRAIT_NO_APOP =
        1 << 6, /**< "no-apop": it greets with a timestamp, but has no APOP secret for the user, who
                   has logged in with USER. APOP is only sent if it is named. */
    POP3_TRAIT_BINDS_UNIQUE = 1 << 7, /**< "binds-unique": it supports only tls-unique for channel
                                         binding, which is tried first. */
    POP3_TRAIT_NO_TOP = 1 << 4        /**< "no-top": it refuses TOP, closes on it, or answers with
                                         something else than the message's header. */
} pop3_trait;

/** The traits of a server. All zero: none. */
typedef struct pop3_server_traits {
    uint32_t flags;      /**< Set of ::pop3_trait. */
    uint32_t quit_after; /**< The most deletions (DELE) before the server ends a session: QUIT is
                            sent before that, "quit-after=N". 0: no limit. */
} pop3_server_traits;

/** The most octets that pop3_server_traits_write() needs. */
#define POP3_TRAITS_TEXT 160

/** The word of one trait, such as "no-capa"; NULL for other values. Static storage. */
POP3_API const char *pop3_trait_name(pop3_trait trait);

/** Adds one set of traits to another: flags of either, and the smaller of the two limits. */
POP3_API void pop3_server_traits_add(pop3_server_traits *to, pop3_server_traits what);

/** The traits in one set that are not in another, or are a smaller limit. */
POP3_API pop3_server_traits pop3_server_traits_beyond(pop3_server_traits what,
                                                      pop3_server_traits known);

/** Whether a set of traits is empty. */
POP3_API bool pop3_server_traits_empty(pop3_server_traits traits);

/**
 * Reads traits from words separated by commas or blanks.
 * @param traits receives them, in addition to those it has.
 * @param text   the words; "" has none.
 * @return false for an unknown word; @p traits is then unchanged.
 */
POP3_API bool pop3_server_traits_read(pop3_server_traits *traits, const char *text);

/**
 * Writes traits in the form of pop3_server_traits_read().
 * @param traits what to write; NULL counts as nothing.
 * @param out receives the words, terminated, and cut if there is no room for all.
 * @param size   octets at @p out; ::POP3_TRAITS_TEXT always suffice.
 * @return the length of all words, without the terminator.
 */
POP3_API size_t pop3_server_traits_write(const pop3_server_traits *traits, char *out, size_t size);

/** @} */

#ifdef __cplusplus
}
#endif
#endif
