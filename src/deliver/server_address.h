/* An LMTP server: "unix:PATH" or "HOST:PORT". */
#ifndef P3_DELIVER_SERVER_ADDRESS_H
#define P3_DELIVER_SERVER_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct p3_server_address {
    const char *path; /* of a Unix-domain socket; NULL: the next two are set */
    char host[256];   /* a name, or a numeric address without brackets */
    uint16_t port;
} p3_server_address;

/* Parses an address; `path` points into the text. False when it is invalid. */
bool p3_server_address_read(p3_server_address *a, const char *text);

/* Whether two are the same. */
bool p3_server_address_is_equal(const p3_server_address *a, const p3_server_address *b);

/* The same for their texts; false for invalid ones. */
bool p3_server_address_is_same(const char *text, const char *other);

#endif
