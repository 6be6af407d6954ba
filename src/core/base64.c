/* Base64 (RFC 4648 §4), as SASL sends it: with padding, without line breaks. */
#include "core/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool p3_base64_encode(p3_octets *out, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (unsigned char)data[i + k] : 0U);
        char four[4];
        for (size_t k = 0; k < 4; k++)
            four[k] = k <= n ? alphabet[bits >> (18 - 6 * k) & 63] : '=';
        if (!p3_octets_add(out, four, sizeof four))
            return false;
    }
    return true;
}

/* The value of a character, or -1. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Decodes four characters, the last `padding` of which are padding, to 3 - padding octets. */
static bool decode_four(const char *four, size_t padding, char octets[3])
{
    uint32_t bits = 0;
    for (size_t k = 0; k < 4; k++) {
        int value = k < 4 - padding ? value_of(four[k]) : 0;
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    for (size_t k = 0; k < 3; k++)
        octets[k] = (char)(bits >> (16 - 8 * k) & 0xFF);
    return true;
}

pop3_status p3_base64_decode(p3_octets *out, pop3_str text)
{
    if (text.len % 4 != 0)
        return POP3_ERR_PROTOCOL;
    for (size_t i = 0; i < text.len; i += 4) {
        const char *four = text.data + i;
        size_t padding = 0;
        if (i + 4 == text.len && four[3] == '=')
            padding = four[2] == '=' ? 2 : 1;
        char octets[3];
        if (!decode_four(four, padding, octets))
            return POP3_ERR_PROTOCOL;
        if (!p3_octets_add(out, octets, 3 - padding))
            return POP3_ERR_MEMORY;
    }
    return POP3_OK;
}
