/* Lines of mail have 60 to 78 octets: searching and copying each line by two calls would take
 * longer than processing its octets. */
#include "deliver/line_ends.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

size_t p3_copy_with_lf_plain(char *restrict to, const char *restrict from, size_t len)
{
    const char *end = from + len;
    char *start = to;
    while (from < end) {
        const char *cr = memchr(from, '\r', (size_t)(end - from));
        size_t run = cr != NULL ? (size_t)(cr - from) : (size_t)(end - from);
        memcpy(to, from, run);
        to += run;
        from += run;
        if (from == end)
            break;
        from++;
        if (from == end || *from != '\n')
            *to++ = '\r';
    }
    return (size_t)(to - start);
}

#ifdef __SSE2__

/* Blocks are stored unchanged, and the octets after a removed CR are stored again in their place.
 */
size_t p3_copy_with_lf(char *restrict to, const char *restrict from, size_t len)
{
    enum { BLOCK = sizeof(__m128i) };
    const char *end = from + len;
    char *start = to;
    const __m128i cr = _mm_set1_epi8('\r');
    while (end - from > BLOCK) { /* there is an octet after each of the block */
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)from);
        _mm_storeu_si128((__m128i *)(void *)to, block);
        unsigned crs = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block, cr));
        if (crs == 0) {
            to += BLOCK;
            from += BLOCK;
            continue;
        }
        int run = __builtin_ctz(crs);
        from += run + 1;
        to += run + (*from != '\n'); /* it has been stored */
    }
    return (size_t)(to - start) + p3_copy_with_lf_plain(to, from, (size_t)(end - from));
}

#else

size_t p3_copy_with_lf(char *restrict to, const char *restrict from, size_t len)
{
    return p3_copy_with_lf_plain(to, from, len);
}

#endif
