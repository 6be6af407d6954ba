/* Identifies messages by their headers.
 *
 * SHA-256 uses OpenSSL's plain functions, because those of EVP first initialize the whole library,
 * which takes 2.5 MB of memory that a session without TLS does not need. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "support/fingerprint.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "support/ascii.h"
#include "support/header_field.h"

/* Fields in which servers or mail readers store their own data about a message. */
static const char *const volatile_fields[] = {"Status",
                                              "X-Status",
                                              "X-UIDL",
                                              "X-UID",
                                              "X-Keywords",
                                              "X-IMAPbase",
                                              "X-IMAP",
                                              "Content-Length",
                                              "Lines",
                                              "X-Mozilla-Status",
                                              "X-Mozilla-Status2",
                                              "X-Mozilla-Keys",
                                              NULL};

/* Prefixes of such fields: a spam filter may run again. */
static const char *const volatile_families[] = {"X-Spam-", NULL};

static bool reserve(p3_header *h, size_t len)
{
    if (h->cap - h->len >= len)
        return true;
    size_t cap = h->cap == 0 ? 2048 : h->cap;
    while (cap - h->len < len)
        cap *= 2;
    char *data = realloc(h->data, cap);
    if (data == NULL) {
        h->failed = h->done = true;
        return false;
    }
    h->data = data;
    h->cap = cap;
    return true;
}

/* Whether the line that ends at data[end] (an LF) is empty. tcllib ends lines with CR CR LF. */
static bool is_empty_line(const char *data, size_t end)
{
    while (end > 0 && data[end - 1] == '\r')
        end--;
    return end == 0 || data[end - 1] == '\n';
}

size_t p3_header_take(p3_header *h, const char *data, size_t len)
{
    size_t before = h->len;
    if (h->done)
        return 0;
    size_t room = P3_HEADER_MOST - h->len;
    /* Only a part of a large piece belongs to the header: process it in smaller pieces. */
    while (len > 0 && room > 0 && !h->done) {
        const char *lf = memchr(data, '\n', len);
        size_t take = lf != NULL ? (size_t)(lf - data) + 1 : len;
        if (take > room)
            take = room;
        if (!reserve(h, take))
            return h->len - before;
        memcpy(h->data + h->len, data, take);
        h->len += take;
        data += take;
        len -= take;
        room -= take;
        if (h->data[h->len - 1] == '\n' && is_empty_line(h->data, h->len - 1))
            h->done = true;
    }
    if (room == 0)
        h->done = true;
    return h->len - before;
}

void p3_header_reset(p3_header *h)
{
    h->len = 0;
    h->done = h->failed = false;
}

void p3_header_free(p3_header *h)
{
    free(h->data);
    *h = (p3_header){0};
}

/* Whether a line may begin with a name, by its first letter, which is false for most lines. */
static bool may_begin(const char *line, size_t len, const char *name)
{
    return len > 0 && ((line[0] ^ name[0]) & ~0x20) == 0;
}

static bool is_field(const char *line, size_t len, const char *name)
{
    if (!may_begin(line, len, name))
        return false;
    size_t n = strlen(name);
    return len > n && line[n] == ':' && p3_ascii_equal(line, name, n);
}

bool p3_header_is_volatile(const char *line, size_t len)
{
    for (const char *const *f = volatile_fields; *f != NULL; f++) {
        if (is_field(line, len, *f))
            return true;
    }
    for (const char *const *f = volatile_families; *f != NULL; f++) {
        size_t n = strlen(*f);
        if (may_begin(line, len, *f) && len > n && p3_ascii_equal(line, *f, n))
            return true;
    }
    return false;
}

/* The length of the line at `at`, its LF included. */
static size_t line_length(const char *at, const char *end)
{
    const char *lf = memchr(at, '\n', (size_t)(end - at));
    return lf != NULL ? (size_t)(lf - at) + 1 : (size_t)(end - at);
}

static size_t without_line_end(const char *line, size_t len)
{
    if (len > 0 && line[len - 1] == '\n')
        len--;
    if (len > 0 && line[len - 1] == '\r')
        len--;
    return len;
}

/* From a digest; never equal to the unknown fingerprint. */
static p3_fingerprint finish_digest(SHA256_CTX *sha)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    p3_fingerprint f;
    (void)SHA256_Final(digest, sha);
    memcpy(f.octets, digest, sizeof f.octets);
    if (!p3_fingerprint_known(&f))
        f.octets[0] = 1;
    return f;
}

p3_fingerprint p3_fingerprint_of(const char *header, size_t len)
{
    SHA256_CTX sha;
    bool skipping = false;
    const char *end = header + len;
    (void)SHA256_Init(&sha); /* these three cannot fail */
    for (const char *at = header; at < end;) {
        size_t whole = line_length(at, end);
        size_t n = without_line_end(at, whole);
        if (n == 0)
            break;
        if (at[0] != ' ' && at[0] != '\t')
            skipping = p3_header_is_volatile(at, n);
        if (!skipping) {
            (void)SHA256_Update(&sha, at, n);
            (void)SHA256_Update(&sha, "\n", 1);
        }
        at += whole;
    }
    return finish_digest(&sha);
}

struct p3_body_hash {
    SHA256_CTX sha;
    size_t len;
    size_t most;
};

p3_body_hash *p3_body_hash_new(void)
{
    return malloc(sizeof(p3_body_hash));
}

static void begin_digest(p3_body_hash *b, size_t most)
{
    b->len = 0;
    b->most = most;
    (void)SHA256_Init(&b->sha);
}

void p3_body_hash_begin(p3_body_hash *b)
{
    begin_digest(b, P3_BODY_MOST);
}

void p3_body_hash_begin_whole(p3_body_hash *b)
{
    begin_digest(b, SIZE_MAX);
}

void p3_body_hash_take(p3_body_hash *b, const char *data, size_t len, size_t in_header)
{
    size_t n = len - in_header;
    if (n > b->most - b->len) {
        b->len = b->most; /* and one: the rest is ignored */
        n = 0;
    }
    if (n > 0)
        (void)SHA256_Update(&b->sha, data + in_header, n);
    b->len += n;
}

bool p3_body_hash_is_small(const p3_body_hash *b)
{
    return b->len < P3_BODY_MOST;
}

p3_fingerprint p3_body_hash_end(p3_body_hash *b)
{
    return b->len >= b->most ? (p3_fingerprint){{0}} : finish_digest(&b->sha);
}

void p3_body_hash_free(p3_body_hash *b)
{
    free(b);
}

p3_fingerprint p3_fingerprint_join(p3_fingerprint header, p3_fingerprint body)
{
    SHA256_CTX sha;
    (void)SHA256_Init(&sha);
    (void)SHA256_Update(&sha, header.octets, sizeof header.octets);
    (void)SHA256_Update(&sha, body.octets, sizeof body.octets);
    return finish_digest(&sha);
}

bool p3_header_is_distinctive(const char *header, size_t len)
{
    size_t n;
    return p3_header_field(header, len, "Message-ID", &n) != NULL ||
           p3_header_field(header, len, "Received", &n) != NULL;
}

bool p3_fingerprint_known(const p3_fingerprint *f)
{
    static const p3_fingerprint unknown;
    return memcmp(f->octets, unknown.octets, sizeof f->octets) != 0;
}

bool p3_fingerprint_equal(const p3_fingerprint *a, const p3_fingerprint *b)
{
    return memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

const char *p3_header_field(const char *header, size_t len, const char *name, size_t *value_len)
{
    p3_field f;
    for (const char *at = header; p3_field_next(&at, header + len, &f);) {
        if (!p3_field_is(&f, name))
            continue;
        while (f.value < f.end && (*f.value == ' ' || *f.value == '\t'))
            f.value++;
        *value_len = without_line_end(f.value, (size_t)(f.end - f.value));
        return f.value;
    }
    return NULL;
}
