/* Internationalized host names: the form for resolvers, TLS and proxies. */
#include "io/idn.h"

#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* Octets of the longest name that is taken. */
#define P3_HOST_NAME 255

#ifdef P3_HAVE_IDN
#include <idn2.h>

#include "optional/library.h"

static struct {
    __typeof__(idn2_to_ascii_8z) *to_ascii_8z;
    __typeof__(idn2_free) *free;
} idn2;

static const p3_symbol symbols[] = {
    {"idn2_to_ascii_8z", &idn2.to_ascii_8z},
    {"idn2_free", &idn2.free},
};

static p3_library library = P3_LIBRARY(P3_IDN2_SONAME, symbols);
P3_LIBRARY_NOTE(idn2_note, "idn", P3_IDN2_SONAME, "internationalized host names");

static pop3_status convert(const char *host, char **out)
{
    char *made = NULL;
    if (!p3_library_load(&library))
        return POP3_ERR_ARGUMENT;
    /* Non-transitional: sharp s and final sigma are letters of their own, as in all browsers. */
    int rc = idn2.to_ascii_8z(host, &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc == IDN2_MALLOC)
        return POP3_ERR_MEMORY;
    if (rc != IDN2_OK)
        return POP3_ERR_ARGUMENT;
    *out = strdup(made);
    idn2.free(made);
    return *out != NULL ? POP3_OK : POP3_ERR_MEMORY;
}
#else
static pop3_status convert(const char *host, char **out)
{
    (void)host;
    (void)out;
    return POP3_ERR_ARGUMENT;
}
#endif

/* A name without characters that end a line or a field. Full-width forms of such characters, such
 * as a blank or slash, become them when the name is converted. */
static bool is_name(const char *host, bool converted)
{
    size_t len = strlen(host);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)host[i];
        bool plain = p3_is_digit(host[i]) ||
                     (p3_upper(host[i]) >= 'A' && p3_upper(host[i]) <= 'Z') || c == '-' ||
                     c == '.' || c == '_';
        if (converted ? !plain : c <= ' ' || c == 0x7F)
            return false;
    }
    return len > 0 && len <= P3_HOST_NAME;
}

static pop3_status convert_and_check(const char *host, char **out)
{
    pop3_status status = convert(host, out);
    if (status != POP3_OK || is_name(*out, true))
        return status;
    free(*out);
    *out = NULL;
    return POP3_ERR_ARGUMENT;
}

pop3_status p3_idn_to_ascii(const char *host, char **out)
{
    *out = NULL;
    if (!is_name(host, false))
        return POP3_ERR_ARGUMENT;
    for (const char *p = host; *p != '\0'; p++) {
        if ((unsigned char)*p > 0x7F)
            return convert_and_check(host, out);
    }
    *out = strdup(host);
    return *out != NULL ? POP3_OK : POP3_ERR_MEMORY;
}
