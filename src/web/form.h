/* Form fields (application/x-www-form-urlencoded), and base64url. */
#ifndef P3_WEB_FORM_H
#define P3_WEB_FORM_H

#include <stdbool.h>
#include <stddef.h>

#define P3_FORM_MOST 16

/* Names and values, which belong to the caller. All zero: empty. */
typedef struct p3_form {
    struct {
        const char *name;
        const char *value;
    } at[P3_FORM_MOST];
    size_t count;
} p3_form;

/* Adds a field; one whose value is NULL or "" is omitted (RFC 6749 §3.1). */
void p3_form_add(p3_form *f, const char *name, const char *value);

/* "name=value&...", with all octets except the unreserved ones as %XX. NULL when out of memory; it
 * may contain secrets: p3_erase_text(). */
char *p3_form_encode(const p3_form *f);

/* A single text, encoded in the same way. */
char *p3_form_encode_text(const char *text);

/* The decoded value of a field in encoded text, in a new string; NULL when there is none, when it
 * occurs twice (`*twice`, RFC 6749 §3.1) or is badly encoded. */
char *p3_form_find(const char *encoded, const char *name, bool *twice);

/* Writes base64url without padding (RFC 4648 §5): 4 octets for 3, and a NUL. */
void p3_base64url(const unsigned char *data, size_t len, char *out);

#endif
