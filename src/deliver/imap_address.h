/* Where an IMAP server is, as whom to log in there, and the folder: imaps://USER@HOST[:PORT]/FOLDER
 * (RFC 5092), or imap:// for TLS that is begun on a plain connection. */
#ifndef P3_DELIVER_IMAP_ADDRESS_H
#define P3_DELIVER_IMAP_ADDRESS_H

#include "deliver/server_url.h"

typedef struct p3_imap_address {
    p3_server_url at;
    char folder[500]; /* as the server has it: modified UTF-7 (RFC 3501 §5.1.3) */
} p3_imap_address;

/* Writes a name of UTF-8 as a server has it. False when it is none, or too long. */
bool p3_imap_encode(const char *name, char *out, size_t size);

/* Quotes a string, which has no control characters: at most twice its octets, and two. */
void p3_imap_quote(const char *text, char *out);

/* Reads one; without a folder it is INBOX, and a slash behind it is no part of it. False when it is
 * none. */
bool p3_imap_address_read(p3_imap_address *a, const char *text);

/* Whether two ways to write one mean the same folder, of the same user. */
bool p3_imap_address_is_same(const char *text, const char *other);

/* The same of its server alone. */
bool p3_imap_server_read(p3_server_url *out, const char *where);

#endif
