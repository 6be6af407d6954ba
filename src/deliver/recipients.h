/* The recipients of messages in a mailbox that many share (multidrop): the header fields in which
 * its server recorded the addresses, and a table of recipients, or folders of the target, for them.
 *
 * Addresses in a header are only looked up: a message goes to recipients and folders in the table,
 * or to the postmaster and the target's own folder, and nowhere else. */
#ifndef P3_DELIVER_RECIPIENTS_H
#define P3_DELIVER_RECIPIENTS_H

#include <stdbool.h>
#include <stddef.h>

#include "support/problem.h"

/* Most recipients of a message (RFC 5321 §4.5.3.1.8). */
#define P3_RECIPIENTS_MOST 100

/* Most folders of a table. */
#define P3_FOLDERS_MOST 100

/* A recipient of a message. */
typedef struct p3_recipient {
    const char *address;
    unsigned line; /* its line in the table; 0: the account's own recipient */
    bool is_utf8;  /* it is not ASCII: RFC 6531 */
    bool has_been; /* an earlier delivery has recorded it in the message: a mail loop */
} p3_recipient;

/* A recipient with an address, which must outlive it. */
p3_recipient p3_recipient_of(const char *address);

typedef struct p3_recipients p3_recipients;

/* Whether a text can be an address between angle brackets: it contains nothing that would end it or
 * the line (RFC 5321 §4.5.3.1). */
bool p3_recipient_is_usable(const char *text, size_t len);

/* Creates recipients from the names of fields, separated by commas, and a table: "ADDRESS ->
 * RECIPIENT" or "ADDRESS -> folder:NAME", separated by commas or line ends; an address may be
 * "@DOMAIN" for all of a domain, or "*" for all; lines that begin with "#" are comments. The most
 * specific line of a kind counts; messages that match none go to the postmaster (NULL: there are no
 * recipients). NULL, with the problem, in which `table_name` names the table. */
p3_recipients *p3_recipients_new(const char *fields, const char *table, const char *table_name,
                                 const char *postmaster, p3_problem *why);

/* The recipients of a message with this header: at least one, each once. The topmost field of the
 * first name that occurs counts; without any, or with more than P3_RECIPIENTS_MOST, it is the
 * postmaster alone. The addresses are valid as long as `r`.
 *
 * A Delivered-To: that names one of them shows that the message has been there. Those above the
 * topmost Received: do not count, because the server that we collect from has added them, nor does
 * the one that the recipients are taken from. */
size_t p3_recipients_find(const p3_recipients *r, const char *header, size_t len,
                          p3_recipient out[P3_RECIPIENTS_MOST]);

/* The same for the one recipient that lacks a message; false when it is not one of them. */
bool p3_recipients_find_one(const p3_recipients *r, const char *address, const char *header,
                            size_t len, p3_recipient *out);

/* All recipients: the postmaster and those in the table, each once; the first P3_RECIPIENTS_MOST.
 */
size_t p3_recipients_all(const p3_recipients *r, p3_recipient out[P3_RECIPIENTS_MOST]);

/* The folders of a message with this header: at least one, as numbers; 0 is the target's own, for
 * messages that match no line with a folder. */
size_t p3_recipients_folders(const p3_recipients *r, const char *header, size_t len,
                             size_t out[P3_RECIPIENTS_MOST]);

/* The name of folder `i` of the table, from 1 on, in UTF-8 with slashes between its parts; NULL:
 * there is none. */
const char *p3_recipients_folder(const p3_recipients *r, size_t i);

/* The first line that names folder `i`, or with 0 the first recipient; 0: there is none. */
unsigned p3_recipients_line(const p3_recipients *r, size_t i);

/* The name of the table. */
const char *p3_recipients_table(const p3_recipients *r);

/* NULL does nothing. */
void p3_recipients_free(p3_recipients *r);

#endif
