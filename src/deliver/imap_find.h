/* Which messages of ours are in a folder: after a crash, and after a connection that broke. */
#ifndef P3_DELIVER_IMAP_FIND_H
#define P3_DELIVER_IMAP_FIND_H

#include "deliver/imap_session.h"

/* Finds out which of the names (at least one) are in the folder, in the header field of messages;
 * sorts them. `owner` is the account's mark. `waits`: the server may still be at work on what an
 * earlier run sent; it is looked at until nothing more arrives. Nothing must be on its way. It ends
 * by a time of p3_clock_ms(). False, with the problem, when that can't be told: some may be marked
 * already. */
bool p3_imap_find(p3_imap_session *s, const char *owner, p3_left_over *at, size_t count, bool waits,
                  int64_t until, p3_problem *why);

#endif
