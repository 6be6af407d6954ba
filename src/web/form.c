/* Form fields, and base64url. */
#include "web/form.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void p3_form_add(p3_form *f, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0' || f->count == P3_FORM_MOST)
        return;
    f->at[f->count].name = name;
    f->at[f->count++].value = value;
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static char *put_encoded(char *at, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_unreserved(c)) {
            *at++ = (char)c;
        } else {
            *at++ = '%';
            *at++ = digits[c >> 4];
            *at++ = digits[c & 15];
        }
    }
    return at;
}

char *p3_form_encode(const p3_form *f)
{
    size_t size = 1;
    for (size_t i = 0; i < f->count; i++)
        size += 3 * (strlen(f->at[i].name) + strlen(f->at[i].value)) + 2;
    char *out = malloc(size);
    char *at = out;
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < f->count; i++) {
        if (i > 0)
            *at++ = '&';
        at = put_encoded(at, f->at[i].name);
        *at++ = '=';
        at = put_encoded(at, f->at[i].value);
    }
    *at = '\0';
    return out;
}

char *p3_form_encode_text(const char *text)
{
    char *out = malloc(3 * strlen(text) + 1);
    if (out != NULL)
        *put_encoded(out, text) = '\0';
    return out;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes `len` octets. NULL when badly encoded or with a NUL. */
static char *decode(const char *text, size_t len)
{
    char *out = malloc(len + 1);
    char *at = out;
    for (size_t i = 0; out != NULL && i < len; i++) {
        char c = text[i] == '+' ? ' ' : text[i];
        if (c == '%') {
            int high = len - i > 2 ? digit_of(text[i + 1]) : -1;
            int low = high >= 0 ? digit_of(text[i + 2]) : -1;
            if (low < 0 || high + low == 0) {
                free(out);
                return NULL;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        *at++ = c;
    }
    if (out != NULL)
        *at = '\0';
    return out;
}

char *p3_form_find(const char *encoded, const char *name, bool *twice)
{
    size_t name_len = strlen(name);
    const char *found = NULL;
    size_t found_len = 0;
    *twice = false;
    for (const char *at = encoded; *at != '\0';) {
        size_t len = strcspn(at, "&");
        if (len > name_len && strncmp(at, name, name_len) == 0 && at[name_len] == '=') {
            *twice = *twice || found != NULL;
            found = at + name_len + 1;
            found_len = len - name_len - 1;
        }
        at += len;
        at += *at == '&';
    }
    return found != NULL && !*twice ? decode(found, found_len) : NULL;
}

void p3_base64url(const unsigned char *data, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < len; i++) {
        bits = bits << 8 | data[i];
        for (have += 8; have >= 6; have -= 6)
            *out++ = digits[bits >> (have - 6) & 63];
    }
    if (have > 0)
        *out++ = digits[bits << (6 - have) & 63];
    *out = '\0';
}
