/* Where an LMTP server is: "unix:PATH" or "HOST:PORT". */
#ifndef P3_DELIVER_SERVER_ADDRESS_H
#define P3_DELIVER_SERVER_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct p3_server_address {
    const char *path; /* of a Unix-domain socket; NULL: the next two count */
    char host[256];   /* a name, or a numeric address without brackets */
    uint16_t port;
} p3_server_address;

/* Reads one; `path` points into the text. False when it is none. */
bool p3_server_address_read(p3_server_address *a, const char *text);

/* Whether two are one. */
bool p3_server_address_is_equal(const p3_server_address *a, const p3_server_address *b);

/* The same of how they are written; of what is none it says no. */
bool p3_server_address_is_same(const char *text, const char *other);

#endif
