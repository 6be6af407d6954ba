/* Internationalized host names: the form that resolvers, TLS and proxies take. */
#include "io/idn.h"

#include <stdlib.h>
#include <string.h>

#ifdef P3_HAVE_IDN
#include <idn2.h>

static pop3_status convert(const char *host, char **out)
{
    char *made = NULL;
    /* Non-transitional: sharp s and final sigma are letters of their own, as in all browsers. */
    int rc = idn2_to_ascii_8z(host, &made, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (rc == IDN2_MALLOC)
        return POP3_ERR_MEMORY;
    if (rc != IDN2_OK)
        return POP3_ERR_ARGUMENT;
    *out = strdup(made);
    idn2_free(made);
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
