/* The options of a client: validation and copies. */
#include "client/options.h"

#include "core/sized.h"
#include "core/wipe.h"
#include "io/dial.h"
#include "io/idn.h"
#include "io/tls_owner.h"

#include <stdlib.h>
#include <string.h>

#define P3_CONNECT_TIMEOUT 30000
#define P3_TIMEOUT         60000

/* ---- whether they can be used: each returns what is wrong, or NULL ---- */

/* Text for a proxy: short enough for SOCKS5, without characters that end a line or a field. */
static bool is_proxy_text(const char *s)
{
    if (s == NULL)
        return true;
    for (const char *p = s; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            return false;
    }
    return strlen(s) <= 255;
}

static const char *check_proxy(const pop3_client_options *o)
{
    if (o->proxy == POP3_PROXY_NONE)
        return NULL;
    if (o->proxy < POP3_PROXY_NONE || o->proxy > POP3_PROXY_HTTP)
        return "no such kind of proxy";
    if (o->unix_socket != NULL)
        return "a Unix-domain socket cannot be reached through a proxy";
    if (o->proxy_host == NULL)
        return "no host given for the proxy";
    if (!is_proxy_text(o->proxy_user) || !is_proxy_text(o->proxy_password))
        return "the user name or password for the proxy is longer than 255 octets or holds control "
               "characters";
    if (o->proxy_user != NULL && o->proxy_user[0] == '\0')
        return "the user name for the proxy is empty";
    if (o->proxy_user != NULL && o->proxy == POP3_PROXY_HTTP && strchr(o->proxy_user, ':') != NULL)
        return "the user name for an HTTP proxy cannot hold a colon"; /* RFC 7617 §2 */
    return NULL;
}

static const char *check_place(const pop3_client_options *o)
{
    p3_dial unused = {0};
    if (o->host == NULL && o->unix_socket == NULL)
        return "no host and no Unix-domain socket given";
    if (o->unix_socket != NULL && o->unix_socket[0] == '\0')
        return "the path of the Unix-domain socket is empty";
    if (o->unix_socket != NULL && !p3_dial_begin_unix(&unused, o->unix_socket))
        return "the path of the Unix-domain socket is too long";
    if (o->local_address != NULL && !p3_dial_bind(&unused, o->local_address))
        return "the local address is not a numeric address";
    if (o->security < POP3_SECURITY_TLS || o->security > POP3_SECURITY_PLAIN)
        return "no such kind of security";
    return NULL;
}

/* Returns what is wrong with a host name for resolvers, or NULL. */
static const char *check_host(const char *host, const char *wrong)
{
    char unused[POP3_HOST_NAME_SIZE];
    bool bad = host != NULL && pop3_host_to_ascii(host, unused) == POP3_ERR_ARGUMENT;
    return bad ? wrong : NULL;
}

/* Copies options of the caller, who may use another version: missing fields are zero. False for a
 * size that no version has had, or for unknown fields that are not zero. The engine's options are
 * in the middle: each of the two structs may be older or newer than ours. */
static bool import_options(pop3_client_options *to, const pop3_client_options *from)
{
    size_t before = offsetof(pop3_client_options, engine);
    size_t behind = offsetof(pop3_client_options, proxy);
    if (from->size < before + sizeof from->engine.size || from->engine.size > from->size - before)
        return false;
    size_t engine = from->engine.size;
    const char *octets = (const char *)from;
    bool taken = p3_import_sized(to, sizeof *to, from, before) &&
                 p3_import_sized(&to->engine, sizeof to->engine, octets + before, engine) &&
                 p3_import_sized((char *)to + behind, sizeof *to - behind, octets + before + engine,
                                 from->size - before - engine);
    to->size = sizeof *to;
    to->engine.size = sizeof to->engine;
    return taken;
}

const char *pop3_client_options_problem(const pop3_client_options *options)
{
    pop3_client_options taken;
    const pop3_client_options *o = &taken;
    if (options == NULL)
        return "no options given";
    if (!import_options(&taken, options))
        return "the options' size is not that of a version of this library: begin with "
               "POP3_CLIENT_OPTIONS_INIT";
    const char *why = check_place(o);
    if (why == NULL)
        why = check_proxy(o);
    if (why == NULL)
        why = check_host(o->host, "the host name is empty, too long or not a host name");
    if (why == NULL && o->proxy != POP3_PROXY_NONE)
        why = check_host(o->proxy_host,
                         "the proxy's host name is empty, too long or not a host name");
    if (why != NULL)
        return why;
    pop3_engine *unused = NULL;
    pop3_status status = pop3_engine_new(&unused, &o->engine);
    pop3_engine_free(unused);
    return status == POP3_ERR_ARGUMENT ? "a limit of the engine is below its least value" : NULL;
}

/* ---- the copy ---- */

/* Copies a string option. When out of memory, returns false and sets the option to NULL. */
static bool copy_string(const char **s)
{
    if (*s == NULL)
        return true;
    *s = strdup(*s);
    return *s != NULL;
}

/* Copies the name of a host in the resolvers' form. */
static pop3_status copy_host(const char **host)
{
    char *copy = NULL;
    pop3_status status = *host == NULL ? POP3_OK : p3_idn_to_ascii(*host, &copy);
    *host = copy;
    return status;
}

void p3_options_free(pop3_client_options *o)
{
    free((char *)(uintptr_t)o->host);
    free((char *)(uintptr_t)o->unix_socket);
    free((char *)(uintptr_t)o->local_address);
    free((char *)(uintptr_t)o->proxy_host);
    free((char *)(uintptr_t)o->proxy_user);
    if (o->proxy_password != NULL)
        p3_wipe_free((char *)(uintptr_t)o->proxy_password, strlen(o->proxy_password));
    pop3_tls_free(o->tls);
    *o = (pop3_client_options){0};
}

static void fill_in(pop3_client_options *o)
{
    if (o->proxy_port == 0)
        o->proxy_port = o->proxy == POP3_PROXY_HTTP ? 8080 : 1080;
    if (o->port == 0)
        o->port = o->security == POP3_SECURITY_TLS ? POP3_TLS_PORT : POP3_PORT;
    if (o->connect_timeout_ms == 0)
        o->connect_timeout_ms = P3_CONNECT_TIMEOUT;
    if (o->timeout_ms == 0)
        o->timeout_ms = P3_TIMEOUT;
}

pop3_status p3_options_copy(pop3_client_options *to, const pop3_client_options *options)
{
    if (!import_options(to, options))
        return POP3_ERR_ARGUMENT;
    pop3_tls *tls = to->tls;
    to->tls = NULL;
    if (to->proxy == POP3_PROXY_NONE)
        to->proxy_host = NULL;
    bool path = copy_string(&to->unix_socket);
    bool local = copy_string(&to->local_address);
    bool user = copy_string(&to->proxy_user);
    bool password = copy_string(&to->proxy_password);
    pop3_status host = copy_host(&to->host);
    pop3_status proxy = copy_host(&to->proxy_host);
    if (!path || !local || !user || !password)
        return POP3_ERR_MEMORY;
    if (host != POP3_OK || proxy != POP3_OK)
        return host != POP3_OK ? host : proxy;
    fill_in(to);
    if (tls == NULL) /* STLS on a plain connection creates one when it is needed */
        return to->security == POP3_SECURITY_PLAIN ? POP3_OK : p3_options_need_tls(to);
    to->tls = tls;
    p3_tls_retain(to->tls);
    return POP3_OK;
}

pop3_status p3_options_need_tls(pop3_client_options *o)
{
    return o->tls != NULL ? POP3_OK : pop3_tls_new(&o->tls, NULL, NULL, 0);
}

void p3_options_learn(pop3_client_options *o, uint32_t learned, uint32_t unlearned)
{
    o->traits.flags = (o->traits.flags & ~unlearned) | learned;
}
