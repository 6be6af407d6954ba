/* The options of a login: validation and copies. */
#include "client/login_options.h"

#include "client/secrets.h"
#include "core/sized.h"
#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* A name: UTF-8 without control characters, which would end lines or fields. */
static bool name_ok(const char *s)
{
    if (s == NULL)
        return true;
    size_t len = strlen(s);
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)s[i] < ' ' || s[i] == 0x7F)
            return false;
    }
    return len > 0 && len <= 1024 && p3_is_utf8(p3_span(s, len));
}

/* A known type of channel binding, or none. */
static bool binding_ok(const char *type)
{
    return type == NULL || strcmp(type, "tls-exporter") == 0 ||
           strcmp(type, "tls-server-end-point") == 0 || strcmp(type, "tls-unique") == 0;
}

static bool secret_ok(const char *s)
{
    return s == NULL || p3_secret_ok(p3_span(s, strlen(s)));
}

const char *p3_login_options_import(pop3_login_options *o, const pop3_login_options *from)
{
    if (from == NULL || !p3_import_struct(o, sizeof *o, from))
        return "no options, or their size is not that of a version of this library: begin with "
               "POP3_LOGIN_OPTIONS_INIT";
    if (!name_ok(o->user))
        return "an option is empty, too long, not UTF-8, or holds control characters: the user";
    if (!name_ok(o->authzid) || !name_ok(o->realm) || !name_ok(o->service_host) ||
        !name_ok(o->mechanism))
        return "an option is empty, too long, not UTF-8, or holds control characters: authzid, "
               "realm, service_host or mechanism";
    if (!secret_ok(o->password))
        return "an option is too long, not UTF-8, or holds CR or LF: the password";
    if (!secret_ok(o->token))
        return "an option is too long, not UTF-8, or holds CR or LF: the token";
    if (!binding_ok(o->channel_binding))
        return "an option has a value that does not exist: channel_binding";
    if (o->policy < POP3_LOGIN_STRONGEST || o->policy > POP3_LOGIN_NEVER_REVEAL)
        return "an option has a value that does not exist: policy";
    if (o->initial_response < POP3_INITIAL_RESPONSE_AUTO ||
        o->initial_response > POP3_INITIAL_RESPONSE_NEVER)
        return "an option has a value that does not exist: initial_response";
    return NULL;
}

static bool copy_string(const char **s)
{
    if (*s == NULL)
        return true;
    *s = strdup(*s);
    return *s != NULL;
}

bool p3_login_options_copy(pop3_login_options *to, const pop3_login_options *from)
{
    *to = *from;
    to->password = to->token = NULL;
    bool user = copy_string(&to->user);
    bool authzid = copy_string(&to->authzid);
    bool mechanism = copy_string(&to->mechanism);
    bool realm = copy_string(&to->realm);
    bool host = copy_string(&to->service_host);
    bool binding = copy_string(&to->channel_binding);
    return user && authzid && mechanism && realm && host && binding;
}

void p3_login_options_free(pop3_login_options *o)
{
    free((char *)(uintptr_t)o->user);
    free((char *)(uintptr_t)o->authzid);
    free((char *)(uintptr_t)o->mechanism);
    free((char *)(uintptr_t)o->realm);
    free((char *)(uintptr_t)o->service_host);
    free((char *)(uintptr_t)o->channel_binding);
}
