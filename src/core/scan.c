/* Search at memory speed for LF followed by a dot: AVX2 or SSE2 on x86-64 (chosen at run time),
 * NEON on AArch64, a word at a time elsewhere. */
#include "core/scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define P3_HAVE_X86 1
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#define P3_HAVE_NEON 1
#include <arm_neon.h>
#endif

/* The plain loop, with which the others are compared, and which handles their last octets. */
static const char *find_plain(const char *p, const char *end)
{
    for (; end - p >= 2; p++) {
        if (p[0] == '\n' && p[1] == '.')
            return p;
    }
    return NULL;
}

/* Eight octets at a time: an octet of `both` is zero where an LF is followed by a dot. */
static const char *find_word(const char *p, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = UINT64_C(0x8080808080808080);
    while (end - p >= 9) {
        uint64_t here;
        uint64_t next;
        memcpy(&here, p, sizeof here);
        memcpy(&next, p + 1, sizeof next);
        uint64_t both = (here ^ (ones * '\n')) | (next ^ (ones * '.'));
        if (((both - ones) & ~both & highs) != 0)
            return find_plain(p, p + 9);
        p += 8;
    }
    return find_plain(p, end);
}

#ifdef P3_HAVE_X86
static const char *find_sse2(const char *p, const char *end)
{
    const __m128i lf = _mm_set1_epi8('\n');
    const __m128i dot = _mm_set1_epi8('.');
    while (end - p >= 17) {
        __m128i here = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i next = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
        __m128i both = _mm_and_si128(_mm_cmpeq_epi8(here, lf), _mm_cmpeq_epi8(next, dot));
        int mask = _mm_movemask_epi8(both);
        if (mask != 0)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
    return find_plain(p, end);
}

__attribute__((target("avx2"))) static const char *find_avx2(const char *p, const char *end)
{
    const __m256i lf = _mm256_set1_epi8('\n');
    const __m256i dot = _mm256_set1_epi8('.');
    while (end - p >= 65) {
        __m256i here0 = _mm256_loadu_si256((const __m256i *)(const void *)p);
        __m256i next0 = _mm256_loadu_si256((const __m256i *)(const void *)(p + 1));
        __m256i here1 = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32));
        __m256i next1 = _mm256_loadu_si256((const __m256i *)(const void *)(p + 33));
        __m256i both0 =
            _mm256_and_si256(_mm256_cmpeq_epi8(here0, lf), _mm256_cmpeq_epi8(next0, dot));
        __m256i both1 =
            _mm256_and_si256(_mm256_cmpeq_epi8(here1, lf), _mm256_cmpeq_epi8(next1, dot));
        if (!_mm256_testz_si256(_mm256_or_si256(both0, both1), _mm256_or_si256(both0, both1))) {
            uint64_t mask = (uint32_t)_mm256_movemask_epi8(both0);
            mask |= (uint64_t)(uint32_t)_mm256_movemask_epi8(both1) << 32;
            return p + __builtin_ctzll(mask);
        }
        p += 64;
    }
    return find_sse2(p, end);
}

/* Whether the processor and the system support AVX2; reads a variable that libgcc has set. */
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}
#endif

#ifdef P3_HAVE_NEON
static const char *find_neon(const char *p, const char *end)
{
    const uint8x16_t lf = vdupq_n_u8('\n');
    const uint8x16_t dot = vdupq_n_u8('.');
    while (end - p >= 17) {
        uint8x16_t here = vld1q_u8((const uint8_t *)p);
        uint8x16_t next = vld1q_u8((const uint8_t *)p + 1);
        uint8x16_t both = vandq_u8(vceqq_u8(here, lf), vceqq_u8(next, dot));
        uint64_t mask =
            vget_lane_u64(vreinterpret_u64_u8(vshrn_n_u16(vreinterpretq_u16_u8(both), 4)), 0);
        if (mask != 0)
            return p + (__builtin_ctzll(mask) >> 2);
        p += 16;
    }
    return find_plain(p, end);
}
#endif

const char *p3_find_lf_dot(const char *p, const char *end)
{
#ifdef P3_HAVE_X86
    return has_avx2() ? find_avx2(p, end) : find_sse2(p, end);
#elif defined(P3_HAVE_NEON)
    return find_neon(p, end);
#else
    return find_word(p, end);
#endif
}

size_t p3_find_versions(p3_find_version *out, size_t cap)
{
    const p3_find_version all[] = {
        {"plain", find_plain}, {"word", find_word},
#ifdef P3_HAVE_X86
        {"sse2", find_sse2},   {has_avx2() ? "avx2" : NULL, find_avx2},
#endif
#ifdef P3_HAVE_NEON
        {"neon", find_neon},
#endif
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0] && n < cap; i++) {
        if (all[i].name != NULL)
            out[n++] = all[i];
    }
    return n;
}
