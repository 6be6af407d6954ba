/* Fuzzing header fields: whatever is in them, what is shown is UTF-8 of one line without control
 * characters, and clean already. */
#include "support/printable.h"
#include "support/rfc2047.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* The code point at the beginning, and its length; 0 for what is not UTF-8 (RFC 3629 §4). */
static size_t take(const unsigned char *s, uint32_t *c)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    for (size_t n = 1; n <= 4; n++) {
        if ((s[0] & forms[n - 1].mask) != forms[n - 1].lead)
            continue;
        *c = s[0] & (unsigned char)~forms[n - 1].mask;
        for (size_t i = 1; i < n; i++) {
            if ((s[i] & 0xC0) != 0x80)
                return 0;
            *c = *c << 6 | (s[i] & 0x3F);
        }
        bool ok = *c >= forms[n - 1].least && *c <= 0x10FFFF && (*c < 0xD800 || *c > 0xDFFF);
        return ok ? n : 0;
    }
    return 0;
}

static void check_shown(char *text)
{
    uint32_t c = 0;
    must(text != NULL);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        size_t n = take(p, &c);
        must(n > 0 && c >= 0x20 && (c < 0x7F || c > 0x9F));
        must(c != 0xAD && c != 0x61C && (c < 0x200B || c > 0x200F) && (c < 0x2028 || c > 0x202E) &&
             (c < 0x2060 || c > 0x206F) && c != 0xFEFF); /* invisible, or of other directions */
        p += n;
    }
    char *again = p3_line_clean(text, strlen(text));
    must(again != NULL && strcmp(again, text) == 0);
    free(again);
    free(text);
}

static void check_utf8(char *text)
{
    uint32_t c;
    must(text != NULL);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0';) {
        size_t n = take(p, &c);
        must(n > 0);
        p += n;
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1); /* of its very size, without a terminator */
    must(copy != NULL);
    memcpy(copy, data, size);
    check_shown(p3_rfc2047_decode(copy, size));
    check_shown(p3_line_clean(copy, size));
    check_utf8(p3_utf8_clean(copy, size));
    free(copy);
    return 0;
}
