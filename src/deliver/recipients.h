/* Where the messages of a mailbox go that many share (multidrop): the header fields in which its
 * server noted the addresses, and a table of the recipients, or folders of the target, behind them.
 *
 * What a header says is only looked up: a message goes to recipients and folders that the table
 * names, or to the postmaster and the target's own folder, and nowhere else. */
#ifndef P3_DELIVER_RECIPIENTS_H
#define P3_DELIVER_RECIPIENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "support/problem.h"

/* Most recipients of a message (RFC 5321 §4.5.3.1.8). */
#define P3_RECIPIENTS_MOST 100

/* Most folders of a table. */
#define P3_FOLDERS_MOST 100

/* One of a message. */
typedef struct p3_recipient {
    const char *address;
    unsigned line; /* of the table that names it; 0: it is the one that is set */
    bool is_utf8;  /* it is beyond ASCII: RFC 6531 */
    bool has_been; /* an earlier delivery says that the message was there: it would go in circles */
} p3_recipient;

/* One with an address, which must outlive it. */
p3_recipient p3_recipient_of(const char *address);

typedef struct p3_recipients p3_recipients;

/* Whether a text is an address as it stands between angle brackets: what ends it, or a line, is not
 * in it (RFC 5321 §4.5.3.1). */
bool p3_recipient_is_usable(const char *text, size_t len);

/* Makes them of the names of fields, with commas between, and of a table: "ADDRESS -> RECIPIENT" or
 * "ADDRESS -> folder:NAME", with commas or line ends between; an address may be "@DOMAIN" for all
 * of a domain, or "*" for all; lines with "#" in front are comments. The most exact line of a kind
 * counts; what fits none, goes to the postmaster (NULL: there are no recipients). NULL, with the
 * problem; `table_name` is what that calls the table. */
p3_recipients *p3_recipients_new(const char *fields, const char *table, const char *table_name,
                                 const char *postmaster, p3_problem *why);

/* Whom a message with this header goes to: at least one, and no one twice. The topmost field of the
 * first name that the header has counts; without any, and when there are more than
 * P3_RECIPIENTS_MOST, it is the postmaster alone. Their addresses live as long as `r`.
 *
 * A Delivered-To: that names one of them says that the message has been there. Those above the
 * topmost Received: are not meant, which the server that we collect from has put there itself, nor
 * is the one that the recipients are taken from. */
size_t p3_recipients_find(const p3_recipients *r, const char *header, size_t len,
                          p3_recipient out[P3_RECIPIENTS_MOST]);

/* The same for the one recipient that is left of a message; false when it is none of theirs. */
bool p3_recipients_find_one(const p3_recipients *r, const char *address, const char *header,
                            size_t len, p3_recipient *out);

/* All that there are: the postmaster and those of the table, no one twice; the first
 * P3_RECIPIENTS_MOST. */
size_t p3_recipients_all(const p3_recipients *r, p3_recipient out[P3_RECIPIENTS_MOST]);

/* The folders that a message with this header goes to: at least one, as numbers; 0 is the target's
 * own, which gets what no line with a folder fits. */
size_t p3_recipients_folders(const p3_recipients *r, const char *header, size_t len,
                             size_t out[P3_RECIPIENTS_MOST]);

/* The name of folder `i` of the table, from 1 on, in UTF-8 with slashes between its parts; NULL:
 * there is none. */
const char *p3_recipients_folder(const p3_recipients *r, size_t i);

/* The line that names folder `i` first, or with 0 the first recipient; 0: there is none. */
unsigned p3_recipients_line(const p3_recipients *r, size_t i);

/* What the table is called. */
const char *p3_recipients_table(const p3_recipients *r);

/* NULL does nothing. */
void p3_recipients_free(p3_recipients *r);

#endif
