/* Keeps secrets out of messages: a server may repeat what it received. */
#include "support/redact.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "system/erase.h"

/* The octet that a position of a text represents, and the number of octets used. */
typedef size_t p3_decode_fn(const char *at, char *octet);

static size_t as_it_is(const char *at, char *octet)
{
    *octet = *at;
    return 1;
}

/* The value of this many hexadecimal digits; -1 when they are invalid. */
static int hexadecimal(const char *at, size_t digits)
{
    static const char all[] = "0123456789abcdef0123456789ABCDEF";
    int number = 0;
    for (size_t i = 0; i < digits; i++) {
        const char *found = at[i] != '\0' ? strchr(all, at[i]) : NULL;
        if (found == NULL)
            return -1;
        number = number * 16 + (int)(found - all) % 16;
    }
    return number;
}

/* In a URL, or a form (RFC 3986 §2.1). */
static size_t percent_encoded(const char *at, char *octet)
{
    int number = at[0] == '%' ? hexadecimal(at + 1, 2) : -1;
    *octet = number >= 0 ? (char)number : at[0] == '+' ? ' ' : at[0];
    return number >= 0 ? 3 : 1;
}

/* In a JSON string (RFC 8259 §7), for ASCII. */
static size_t escaped(const char *at, char *octet)
{
    int number = at[0] == '\\' && at[1] == 'u' ? hexadecimal(at + 2, 4) : -1;
    bool is_pair = at[0] == '\\' && at[1] != '\0' && number < 0;
    *octet = number >= 0 ? (char)number : is_pair ? at[1] : at[0];
    return number >= 0 ? 6 : is_pair ? 2 : 1;
}

/* The alphabet of base64 that is for URLs (RFC 4648 §5). */
static size_t for_urls(const char *at, char *octet)
{
    *octet = *at == '-' ? '+' : *at == '_' ? '/' : *at;
    return 1;
}

/* Hides the whole text when out of memory, because it cannot be searched. */
static void hide_all(char *text)
{
    size_t len = strlen(text);
    memcpy(text, "***", len < 3 ? len : 4);
}

/* Puts "***" where `text`, decoded by `read`, first contains enough consecutive octets of `form`.
 */
static void cut(char *text, p3_decode_fn *read, const char *form, size_t form_len)
{
    size_t most = strlen(text);
    size_t part = form_len < P3_HIDDEN ? form_len : P3_HIDDEN;
    char *octets = malloc(most + 1);
    size_t *from = calloc(most + 1, sizeof *from);
    size_t len = 0;
    if (octets == NULL || from == NULL)
        hide_all(text);
    for (size_t at = 0; octets != NULL && from != NULL && at < most; len++) {
        from[len] = at;
        at += read(text + at, &octets[len]);
    }
    for (size_t at = 0; part >= 4 && at + part <= len; at++) {
        if (memmem(form, form_len, octets + at, part) != NULL) {
            memcpy(text + from[at], "***", 4); /* there is room: a match has at least four octets */
            break;
        }
    }
    if (octets != NULL)
        p3_erase(octets, len);
    free(octets);
    free(from);
}

/* Base64 depends on the number of octets before the secret, modulo 3. Characters that also encode
 * octets before or after it are ignored. */
static void cut_base64(char *text, const char *secret, size_t before)
{
    size_t len = before + strlen(secret);
    unsigned char *plain = calloc(1, len + 1);
    char *form = malloc((len / 3 + 1) * 4 + 1);
    if (plain != NULL && form != NULL) {
        size_t first = before > 0 ? 4 : 0;
        memcpy(plain + before, secret, len - before);
        (void)EVP_EncodeBlock((unsigned char *)form, plain, (int)len);
        if (len / 3 * 4 > first) {
            cut(text, as_it_is, form + first, len / 3 * 4 - first);
            cut(text, for_urls, form + first, len / 3 * 4 - first);
        }
        p3_erase(form, (len / 3 + 1) * 4);
    } else {
        hide_all(text);
    }
    if (plain != NULL)
        p3_erase(plain, len);
    free(plain);
    free(form);
}

void p3_redact_secret(char *text, const char *secret)
{
    if (secret == NULL)
        return;
    cut(text, as_it_is, secret, strlen(secret));
    cut(text, percent_encoded, secret, strlen(secret));
    cut(text, escaped, secret, strlen(secret));
    for (size_t before = 0; before < 3; before++)
        cut_base64(text, secret, before);
}
