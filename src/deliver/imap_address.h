/* An IMAP server, the user there, and the folder: imaps://USER@HOST[:PORT]/FOLDER (RFC 5092), or
 * imap:// for STARTTLS. */
#ifndef P3_DELIVER_IMAP_ADDRESS_H
#define P3_DELIVER_IMAP_ADDRESS_H

#include "deliver/server_url.h"

typedef struct p3_imap_address {
    p3_server_url at;
    char folder[500]; /* as the server knows it: modified UTF-7 (RFC 3501 §5.1.3) */
} p3_imap_address;

/* Converts a UTF-8 name to the server's form. False when it is invalid or too long. */
bool p3_imap_encode(const char *name, char *out, size_t size);

/* Quotes a string without control characters: at most twice its octets, and two. */
void p3_imap_quote(const char *text, char *out);

/* Parses an address; without a folder it is INBOX, and a slash at the end is not part of the name.
 * False when it is invalid. */
bool p3_imap_address_read(p3_imap_address *a, const char *text);

/* Whether two addresses are the same folder of the same user. */
bool p3_imap_address_is_same(const char *text, const char *other);

/* The same, for the server only. */
bool p3_imap_server_read(p3_server_url *out, const char *where);

#endif
