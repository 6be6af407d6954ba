/* Keeps secrets out of what is told: a server may repeat what it was sent. */
#include "support/hide.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "system/erase.h"

/* Puts "***" where `text` first has as many octets in a row of `form` as tell something. */
static void cut(char *text, const char *form, size_t form_len)
{
    size_t len = strlen(text);
    size_t part = form_len < P3_HIDDEN ? form_len : P3_HIDDEN;
    if (part < 4)
        return;
    for (size_t at = 0; at + part <= len; at++) {
        if (memmem(form, form_len, text + at, part) != NULL) {
            memcpy(text + at, "***", 4); /* there is room: a part has four at least */
            return;
        }
    }
}

/* Base64 depends on how many octets, modulo 3, are before the secret. What those and the octets
 * behind it have a share in is left out. */
static void cut_base64(char *text, const char *secret, size_t before)
{
    size_t len = before + strlen(secret);
    unsigned char *plain = calloc(1, len + 1);
    char *form = malloc((len / 3 + 1) * 4 + 1);
    if (plain != NULL && form != NULL) {
        size_t first = before > 0 ? 4 : 0;
        memcpy(plain + before, secret, len - before);
        (void)EVP_EncodeBlock((unsigned char *)form, plain, (int)len);
        if (len / 3 * 4 > first)
            cut(text, form + first, len / 3 * 4 - first);
        p3_erase(form, (len / 3 + 1) * 4);
    }
    if (plain != NULL)
        p3_erase(plain, len);
    free(plain);
    free(form);
}

void p3_hide_secret(char *text, const char *secret)
{
    if (secret == NULL)
        return;
    cut(text, secret, strlen(secret));
    for (size_t before = 0; before < 3; before++)
        cut_base64(text, secret, before);
}
