/* The messages in a part of an mbox. The file is read once, in pieces; lines need not fit in
 * memory. */
#define OPENSSL_SUPPRESS_DEPRECATED /* the plain functions: see fingerprint.c */
#include "deliver/mbox_scan.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "support/fingerprint.h"
#include "support/file.h"

/* The beginning of a line that decides about it: a field's name, or "From ". */
#define P3_LINE_HEAD 32

/* Octets that are read at a time. */
#define P3_PIECE ((size_t)256 * 1024)

typedef struct p3_scan {
    p3_mbox_messages *out;
    SHA256_CTX sha;
    bool open; /* a message is being read */
    bool in_header;
    bool skips;              /* the current field belongs to a reader */
    bool after_empty;        /* the previous line was empty, or there was none */
    uint64_t empty;          /* empty lines, which only count if something follows */
    char head[P3_LINE_HEAD]; /* of the current line, until it is decided */
    size_t head_len;
    bool decided;
    bool takes; /* the rest of the current line counts */
} p3_scan;

static void end_message(p3_scan *s, uint64_t at)
{
    if (!s->open)
        return;
    p3_mbox_message *m = &s->out->at[s->out->count - 1];
    (void)SHA256_Final(m->digest, &s->sha); /* cannot fail, like Init and Update */
    m->end = at;
    s->open = false;
}

static bool begin_message(p3_scan *s, uint64_t at)
{
    end_message(s, at);
    if (!p3_grow(&s->out->at, &s->out->room, s->out->count + 1, sizeof *s->out->at))
        return false;
    s->out->at[s->out->count++] = (p3_mbox_message){.end = at};
    (void)SHA256_Init(&s->sha);
    s->open = s->in_header = true;
    s->skips = false;
    s->empty = 0;
    return true;
}

/* Decides about a line by its beginning, at offset `at`. False when out of memory. */
static bool decide(p3_scan *s, uint64_t at)
{
    const char *h = s->head;
    size_t n = s->head_len;
    bool empty = (n == 1 && h[0] == '\n') || (n == 2 && h[0] == '\r' && h[1] == '\n');
    bool from = n >= 5 && memcmp(h, "From ", 5) == 0 && s->after_empty;
    s->decided = true;
    s->after_empty = empty;
    if (from && !begin_message(s, at))
        return false;
    if (empty) {
        s->in_header = false;
        s->empty++;
    } else if (s->in_header && !from && h[0] != ' ' && h[0] != '\t') {
        s->skips = p3_header_is_volatile(h, n);
    }
    s->takes = s->open && !empty && !(s->in_header && s->skips);
    for (; s->takes && s->empty > 0; s->empty--)
        (void)SHA256_Update(&s->sha, "\n", 1);
    if (s->takes)
        (void)SHA256_Update(&s->sha, h, n);
    return true;
}

/* Processes octets, the first of which is at offset `at` of the part. */
static bool scan_octets(p3_scan *s, const char *data, size_t len, uint64_t at)
{
    const char *end = data + len;
    while (data < end) {
        const char *lf = memchr(data, '\n', (size_t)(end - data));
        size_t n = (size_t)((lf != NULL ? lf + 1 : end) - data);
        size_t used = 0;
        if (!s->decided) {
            used = n < P3_LINE_HEAD - s->head_len ? n : P3_LINE_HEAD - s->head_len;
            memcpy(s->head + s->head_len, data, used);
            s->head_len += used;
            bool enough = s->head_len == P3_LINE_HEAD || (lf != NULL && used == n);
            if (enough && !decide(s, at + used - s->head_len))
                return false;
        }
        if (s->decided && s->takes)
            (void)SHA256_Update(&s->sha, data + used, n - used);
        if (lf != NULL && s->decided) {
            s->decided = false;
            s->head_len = 0;
        }
        data += n;
        at += n;
    }
    return true;
}

bool p3_mbox_scan(int fd, uint64_t length, p3_mbox_messages *out)
{
    p3_scan s = {.out = out, .after_empty = true};
    char *room = malloc(P3_PIECE);
    bool ok = room != NULL;
    *out = (p3_mbox_messages){0};
    for (uint64_t done = 0; ok && done < length;) {
        size_t n = length - done < P3_PIECE ? (size_t)(length - done) : P3_PIECE;
        ok = p3_read_at(fd, room, n, done) && scan_octets(&s, room, n, done);
        done += n;
    }
    if (ok && !s.decided && s.head_len > 0)
        ok = decide(&s, length - s.head_len); /* a last line without its end */
    if (ok && out->count > 0)
        end_message(&s, length);
    free(room);
    return ok;
}

static int compare_digests(const void *x, const void *y)
{
    const p3_mbox_message *a = x;
    const p3_mbox_message *b = y;
    return memcmp(a->digest, b->digest, sizeof a->digest);
}

bool p3_mbox_find(const p3_mbox_messages *wanted, p3_mbox_messages *all, bool *there)
{
    bool *used = calloc(all->count + 1, sizeof *used);
    if (used == NULL)
        return false;
    if (all->count > 0)
        qsort(all->at, all->count, sizeof *all->at, compare_digests);
    for (size_t i = 0; i < wanted->count; i++) {
        size_t low = 0;
        size_t high = all->count;
        while (low < high) {
            size_t half = low + (high - low) / 2;
            if (compare_digests(&all->at[half], &wanted->at[i]) < 0)
                low = half + 1;
            else
                high = half;
        }
        while (low < all->count && used[low] && compare_digests(&all->at[low], &wanted->at[i]) == 0)
            low++;
        there[i] = low < all->count && compare_digests(&all->at[low], &wanted->at[i]) == 0;
        if (there[i])
            used[low] = true;
    }
    free(used);
    return true;
}

void p3_mbox_messages_free(p3_mbox_messages *m)
{
    free(m->at);
    *m = (p3_mbox_messages){0};
}
