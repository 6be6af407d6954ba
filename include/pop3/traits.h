/**
 * @file traits.h
 * What is peculiar about a server, as far as it matters to a client: what it was told, or has
 * learned. A client that is made with these traits begins where another one ended.
 *
 *     pop3_server_traits known = {0};
 *     pop3_server_traits_read(&known, remembered);       // "no-capa, quit-after=12"
 *     options.traits = known;
 *     ... a session ...
 *     char text[POP3_TRAITS_TEXT];
 *     pop3_server_traits_write(pop3_client_traits(client), text, sizeof text);
 *     remember(text);                                    // for a week: servers get mended
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
 * Habits of servers that a client learns from a connection and needs to know before the next one,
 * as words that can be stored.
 * @{ */

/** A trait that a server has or has not, as a bit. The words are those of
 * pop3_server_traits_read(). */
typedef enum pop3_trait {
    POP3_TRAIT_NO_CAPA = 1 << 0, /**< "no-capa": it closes the connection on CAPA, or answers +OK
                                      without a list. CAPA is not sent. */
    POP3_TRAIT_NO_INITIAL_RESPONSE = 1 << 1, /**< "no-initial-response": it refuses AUTH with an
                                                  initial response, or ignores the response. */
    POP3_TRAIT_ONE_AT_A_TIME = 1 << 2,       /**< "one-at-a-time": it loses commands, or mixes its
                                                  replies up, when several commands are under way,
                                                  although it announces PIPELINING. */
    POP3_TRAIT_NO_UIDL = 1 << 3,             /**< "no-uidl": it refuses UIDL, closes on it,
                                                  or lists nothing although there is mail. */
    POP3_TRAIT_NO_LATE_CAPA = 1 << 5, /**< "no-late-capa": it closes the connection on CAPA after
                                         the login. CAPA is sent before it alone. */
    POP3_TRAIT_NO_APOP = 1 << 6, /**< "no-apop": it greets with a timestamp, and has no APOP secret
                                    for the user, who has logged in with USER. APOP is not
                                    sent unless it is named. */
    POP3_TRAIT_BINDS_UNIQUE = 1 << 7, /**< "binds-unique": it binds a login to TLS with tls-unique
                                         alone, which is tried first. */
    POP3_TRAIT_NO_TOP = 1 << 4        /**< "no-top": it refuses TOP, closes on it, or answers
                                           with something else than the message's header. */
} pop3_trait;

/** What is peculiar about a server. All zero: nothing is. */
typedef struct pop3_server_traits {
    uint32_t flags;      /**< Set of ::pop3_trait. */
    uint32_t quit_after; /**< Most deletions (DELE) that a session gets to before the server ends
                              it: QUIT comes before that, "quit-after=N". 0: as many as wanted. */
} pop3_server_traits;

/** Octets that pop3_server_traits_write() needs at most. */
#define POP3_TRAITS_TEXT 160

/** The word of one trait, such as "no-capa"; NULL for other values. Static storage. */
POP3_API const char *pop3_trait_name(pop3_trait trait);

/** Adds one set of traits to another: flags of either, and the smaller of the two limits. */
POP3_API void pop3_server_traits_add(pop3_server_traits *to, pop3_server_traits what);

/** What one set of traits has and another has not, or has as a smaller limit. */
POP3_API pop3_server_traits pop3_server_traits_beyond(pop3_server_traits what,
                                                      pop3_server_traits known);

/** Whether there is nothing in a set of traits. */
POP3_API bool pop3_server_traits_empty(pop3_server_traits traits);

/**
 * Reads traits from words with commas or blanks between.
 * @param traits receives them beside what it has.
 * @param text   the words; "" has none.
 * @return false, and @p traits is as before, when there is a word that is no trait.
 */
POP3_API bool pop3_server_traits_read(pop3_server_traits *traits, const char *text);

/**
 * Writes traits as pop3_server_traits_read() takes them.
 * @param traits what to write; NULL counts as nothing.
 * @param out    receives the words, terminated: cut, when there is no room for all.
 * @param size   octets at @p out; ::POP3_TRAITS_TEXT always suffice.
 * @return how many octets all of them have, without the terminator.
 */
POP3_API size_t pop3_server_traits_write(const pop3_server_traits *traits, char *out, size_t size);

/** @} */

#ifdef __cplusplus
}
#endif
#endif
