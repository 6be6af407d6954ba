/* Finds out which of our messages are in a folder, after a crash or a broken connection. */
#ifndef P3_DELIVER_IMAP_FIND_H
#define P3_DELIVER_IMAP_FIND_H

#include "deliver/imap_session.h"

/* Finds out which of the names (at least one) are in the folder, in the header fields of messages;
 * sorts them. `owner` is the account's mark. `waits`: the server may still be processing what an
 * earlier run sent; the search is repeated until nothing more arrives. No message may be in flight.
 * It ends by a time of p3_clock_ms(). False, with the problem, when it is unknown; some may be
 * marked already. */
bool p3_imap_find(p3_imap_session *s, const char *owner, p3_left_over *at, size_t count, bool waits,
                  int64_t until, p3_problem *why);

#endif
