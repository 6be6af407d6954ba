/* Tells messages apart by their headers, where unique-ids do not.
 *
 * The fingerprint is the same for a message's header as TOP or RETR gives it and as it was
 * delivered: line ends do not count, nor do the fields that servers change or add while they keep a
 * message. */
#ifndef P3_SYNC_FINGERPRINT_H
#define P3_SYNC_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct p3_fingerprint {
    uint8_t octets[16]; /* all zero: not known */
} p3_fingerprint;

/* The header of a message, collected from pieces of any size. Start from zero. */
typedef struct p3_header {
    char *data;
    size_t len;
    size_t cap;
    bool done;   /* the empty line has come, or as much as is ever kept */
    bool failed; /* out of memory */
} p3_header;

/* Most octets of a header that are kept; the rest does not count. */
#define P3_HEADER_MOST ((size_t)64 * 1024)

void p3_header_take(p3_header *h, const char *data, size_t len);
void p3_header_reset(p3_header *h); /* keeps its memory */
void p3_header_free(p3_header *h);

/* The fingerprint of a header, its empty line included or not. Never all zero. */
p3_fingerprint p3_fingerprint_of(const char *header, size_t len);

bool p3_fingerprint_known(const p3_fingerprint *f);
bool p3_fingerprint_equal(const p3_fingerprint *a, const p3_fingerprint *b);

/* The value of a field, such as "From", without its name and blanks around it; continuation lines
 * are left in it. Returns NULL when the header has no such field. */
const char *p3_header_field(const char *header, size_t len, const char *name, size_t *value_len);

#endif
