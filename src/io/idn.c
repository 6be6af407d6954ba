/* Internationalized host names: the form that resolvers, TLS and proxies take. */
#include "io/idn.h"

#include <stdlib.h>
#include <string.h>

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
    *out = NULL;
    return POP3_ERR_ARGUMENT;
}
#endif

pop3_status p3_idn_to_ascii(const char *host, char **out)
{
    for (const char *p = host; *p != '\0'; p++) {
        if ((unsigned char)*p > 0x7F)
            return convert(host, out);
    }
    *out = strdup(host);
    return *out != NULL ? POP3_OK : POP3_ERR_MEMORY;
}
