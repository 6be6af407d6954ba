/* Parsers of replies: status lines, STAT, LIST and UIDL entries. They copy nothing. */
#ifndef P3_CORE_VALUES_H
#define P3_CORE_VALUES_H

#include <pop3/types.h>

/* Parses a status line: anything that starts with + or -, in any case of letters (RFC 1939 §3; the
 * indicator's word is not looked at further, as real servers vary it). False for other lines. */
bool p3_parse_reply(pop3_str line, pop3_reply *reply);

/* During AUTH: whether a line that starts with + is a challenge, and not +OK (RFC 5034 §4). */
bool p3_parse_challenge(pop3_str line, pop3_str *challenge);

/* Parses a decimal number off the front of s. False when there is no digit or it exceeds 64 bits.
 */
bool p3_parse_number(pop3_str *s, uint64_t *value);

/* "nn mm", and whatever follows (RFC 1939 §5, STAT). The size is unknown where mm is no number. */
bool p3_parse_stat(pop3_str text, pop3_stat *stat);

/* "n octets", and whatever follows (RFC 1939 §5, LIST). Sets number and octets, which are unknown
 * where they are no number. */
bool p3_parse_list_entry(pop3_str text, pop3_entry *entry);

/* "n unique-id" (RFC 1939 §7, UIDL). The unique-id is everything that follows, without trailing
 * blanks: more than 70 octets, and blanks inside, are accepted. Sets number and uid, which is empty
 * if there is none. */
bool p3_parse_uidl_entry(pop3_str text, pop3_entry *entry);

/* "120 octets": what the reply to a RETR may announce (RFC 1939 §5), and whatever follows. True
 * when the text begins with a number; *in_words tells whether the word stands behind it. */
bool p3_parse_octets(pop3_str text, uint64_t *octets, bool *in_words);

/* Whether a reply's text is only "120 octets", optionally with "follow": the text of a RETR, and of
 * no command with a one-line answer. */
bool p3_is_announcement(pop3_str text);

/* The reply to LIST or UIDL of one message. If it does not begin with a number, it is about the
 * requested message: Twisted answers UIDL with only the unique-id. False if it names another
 * message. */
bool p3_parse_list_reply(pop3_str text, uint32_t number, pop3_entry *entry);
bool p3_parse_uidl_reply(pop3_str text, uint32_t number, pop3_entry *entry);

/* The timestamp in a greeting: the last "<...@...>" of printable ASCII without blanks (RFC 1939 §7,
 * APOP). One with other octets is ignored: a server that could choose them freely could learn a
 * password's first octets from collisions of MD5 (CVE-2007-1558). */
pop3_str p3_find_timestamp(pop3_str greeting);

#endif
