/* Names in the forms of SASL's mechanisms. */
#include "auth/saslname.h"

#include "auth/sasl_gsasl.h"

bool p3_add_saslname(p3_octets *out, const char *name)
{
    bool ok = true;
    for (; ok && *name != '\0'; name++) {
        if (*name == ',')
            ok = p3_octets_add_text(out, "=2C");
        else if (*name == '=')
            ok = p3_octets_add_text(out, "=3D");
        else
            ok = p3_octets_add(out, name, 1);
    }
    return ok;
}

static bool is_printable_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~')
            return false;
    }
    return true;
}

/* SASLprep does not change printable ASCII. */
pop3_status p3_add_prepared(p3_octets *out, const char *text)
{
    if (is_printable_ascii(text))
        return p3_octets_add_text(out, text) ? POP3_OK : POP3_ERR_MEMORY;
    return p3_gsasl_prepare(out, text);
}
