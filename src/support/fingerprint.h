/* Identifies messages by their headers, if unique-ids do not.
 *
 * The fingerprint of a header is the same from TOP, from RETR and from the delivered message: line
 * ends do not count, nor do fields that servers change or add while they store a message. */
#ifndef P3_SUPPORT_FINGERPRINT_H
#define P3_SUPPORT_FINGERPRINT_H

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
    bool done;   /* the empty line has been reached, or the maximum */
    bool failed; /* out of memory */
} p3_header;

/* Most octets of a header that are kept; the rest is ignored. */
#define P3_HEADER_MOST ((size_t)64 * 1024)

/* Returns how many octets of the piece belong to the header. */
size_t p3_header_take(p3_header *h, const char *data, size_t len);
void p3_header_reset(p3_header *h); /* keeps its memory */
void p3_header_free(p3_header *h);

/* The fingerprint of a header, its empty line included or not. Never all zero. */
p3_fingerprint p3_fingerprint_of(const char *header, size_t len);

bool p3_fingerprint_known(const p3_fingerprint *f);
bool p3_fingerprint_equal(const p3_fingerprint *a, const p3_fingerprint *b);

/* Whether a line begins a field that servers or mail readers change, such as Status. Its first 32
 * octets decide. */
bool p3_header_is_volatile(const char *line, size_t len);

/* Whether no other message has this header: it has a Message-ID or a Received field (RFC 5322
 * §3.6.4, RFC 5321 §4.4). A Date is not enough, because it only has seconds. */
bool p3_header_is_distinctive(const char *header, size_t len);

/* A hash of the octets of a message after its header. It distinguishes messages with equal headers;
 * it is not computed for more than P3_BODY_MOST. */
typedef struct p3_body_hash p3_body_hash;
#define P3_BODY_MOST ((size_t)1024 * 1024)

/* NULL when out of memory. */
p3_body_hash *p3_body_hash_new(void);
void p3_body_hash_begin(p3_body_hash *b);
/* The same for one of any size. */
void p3_body_hash_begin_whole(p3_body_hash *b);

/* Adds a piece of the message, of which the first `in_header` octets belong to the header. */
void p3_body_hash_take(p3_body_hash *b, const char *data, size_t len, size_t in_header);

/* Whether p3_body_hash_begin() would still keep the fingerprint for this many octets. */
bool p3_body_hash_is_small(const p3_body_hash *b);

/* The fingerprint of the complete body, or zero when it is too large. */
p3_fingerprint p3_body_hash_end(p3_body_hash *b);
void p3_body_hash_free(p3_body_hash *b);

/* The fingerprint of a whole message, from those of its header and its body. */
p3_fingerprint p3_fingerprint_join(p3_fingerprint header, p3_fingerprint body);

/* The value of a field, such as "From", without its name and surrounding blanks; continuation lines
 * are included. Returns NULL when there is no such field. */
const char *p3_header_field(const char *header, size_t len, const char *name, size_t *value_len);

#endif
