/* Making and freeing clients, and what is known about them. */
#include "client/client_state.h"

#include "core/text.h"
#include "core/wipe.h"
#include "io/idn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define P3_CONNECT_TIMEOUT 30000
#define P3_TIMEOUT         60000

static bool path_ok(const char *s)
{
    p3_dial unused;
    return s[0] != '\0' && p3_dial_begin_unix(&unused, s);
}

/* What a proxy is told: short enough for SOCKS5, and nothing that could end a line or a field. */
static bool proxy_text_ok(const char *s)
{
    if (s == NULL)
        return true;
    for (const char *p = s; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7F)
            return false;
    }
    return strlen(s) <= 255;
}

static bool proxy_ok(const pop3_client_options *o)
{
    if (o->proxy == POP3_PROXY_NONE)
        return true;
    if (o->proxy < POP3_PROXY_NONE || o->proxy > POP3_PROXY_HTTP || o->unix_socket != NULL)
        return false;
    if (o->proxy_host == NULL)
        return false;
    if (o->proxy_user != NULL && (o->proxy_user[0] == '\0' || (o->proxy == POP3_PROXY_HTTP &&
                                                               strchr(o->proxy_user, ':') != NULL)))
        return false; /* RFC 7617 §2: a colon would end the name */
    return proxy_text_ok(o->proxy_user) && proxy_text_ok(o->proxy_password);
}

static bool options_ok(const pop3_client_options *o)
{
    if (o == NULL || o->size != sizeof *o)
        return false;
    if (o->host == NULL && o->unix_socket == NULL)
        return false;
    if (o->unix_socket != NULL && !path_ok(o->unix_socket))
        return false;
    if (o->local_address != NULL) {
        p3_dial unused = {0};
        if (!p3_dial_bind(&unused, o->local_address))
            return false;
    }
    return proxy_ok(o) && o->security >= POP3_SECURITY_TLS && o->security <= POP3_SECURITY_PLAIN;
}

/* Copies a string option. False, and the option is NULL, when out of memory. */
static bool copy_string(const char **s)
{
    if (*s == NULL)
        return true;
    *s = strdup(*s);
    return *s != NULL;
}

/* Copies the name of a host as resolvers take it. */
static pop3_status copy_host(const char **host)
{
    char *copy = NULL;
    pop3_status status = *host == NULL ? POP3_OK : p3_idn_to_ascii(*host, &copy);
    *host = copy;
    return status;
}

static void free_options(pop3_client_options *o)
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

/* Copies the options with their strings, and fills in the defaults. What has been copied when it
 * fails is for free_options(). */
static pop3_status copy_options(pop3_client_options *to, const pop3_client_options *from)
{
    *to = *from;
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
    if (to->proxy_port == 0)
        to->proxy_port = to->proxy == POP3_PROXY_HTTP ? 8080 : 1080;
    if (to->port == 0)
        to->port = to->security == POP3_SECURITY_TLS ? POP3_TLS_PORT : POP3_PORT;
    if (to->connect_timeout_ms == 0)
        to->connect_timeout_ms = P3_CONNECT_TIMEOUT;
    if (to->timeout_ms == 0)
        to->timeout_ms = P3_TIMEOUT;
    if (from->tls != NULL) {
        to->tls = from->tls;
        p3_tls_retain(to->tls);
        return POP3_OK;
    }
    if (to->security == POP3_SECURITY_PLAIN)
        return POP3_OK; /* made when stls() needs it */
    return pop3_tls_new(&to->tls, NULL, NULL, 0);
}

static void name_place(pop3_client *c)
{
    const pop3_client_options *o = &c->options;
    if (o->unix_socket != NULL)
        snprintf(c->where, sizeof c->where, "%s", o->unix_socket);
    else if (strchr(o->host, ':') != NULL)
        snprintf(c->where, sizeof c->where, "[%s]:%u", o->host, (unsigned)o->port);
    else
        snprintf(c->where, sizeof c->where, "%s:%u", o->host, (unsigned)o->port);
}

pop3_status pop3_client_new(pop3_client **out, const pop3_client_options *options)
{
    if (out == NULL)
        return POP3_ERR_ARGUMENT;
    *out = NULL;
    if (!options_ok(options))
        return POP3_ERR_ARGUMENT;
    pop3_client *c = calloc(1, sizeof *c);
    if (c == NULL)
        return POP3_ERR_MEMORY;
    c->stream.fd = -1;
    c->deadline = INT64_MAX;
    c->waiting.last = &c->waiting.first;
    c->outcome = (pop3_login_result){.mechanism = "", .channel_binding = ""};
    c->failure.value.message = c->failure.message;
    c->failure.value.server_text = c->failure.server_text;
    c->wake.ends[0] = c->wake.ends[1] = -1;
    pop3_status status = copy_options(&c->options, options);
    if (status != POP3_OK)
        goto failed;
    name_place(c);
    status = p3_make_engine(c); /* also judges the limits */
    if (status == POP3_OK && !p3_wake_init(&c->wake))
        status = POP3_ERR_IO;
    if (status != POP3_OK)
        goto failed;
    *out = c;
    return POP3_OK;
failed:
    pop3_client_free(c);
    return status;
}

void pop3_client_free(pop3_client *c)
{
    if (c == NULL)
        return;
    pop3_client_close(c);
    pop3_engine_free(c->engine);
    p3_requests_free(c);
    p3_wake_free(&c->wake);
    free_options(&c->options);
    free(c->reply_memory.data);
    free(c->opening_memory.data);
    free(c->buffer);
    p3_wipe_free(c, sizeof *c);
}

void pop3_client_cancel(pop3_client *c)
{
    p3_wake_raise(&c->wake);
}

void pop3_client_close(pop3_client *c)
{
    if (c->phase == P3_PHASE_NONE || c->inside)
        return;
    p3_fail(c, POP3_ERR_CANCELLED, 0, "closing", "closed without QUIT");
}

pop3_state pop3_client_state(const pop3_client *c)
{
    return c->phase == P3_PHASE_NONE ? POP3_STATE_DEAD : pop3_engine_state(c->engine);
}

bool pop3_client_is_encrypted(const pop3_client *c)
{
    return c->stream.tls != NULL && c->phase > P3_PHASE_HANDSHAKE;
}

const char *p3_host(const pop3_client *c)
{
    return c->options.host != NULL ? c->options.host : "localhost";
}

bool p3_is_private(const pop3_client *c)
{
    return pop3_client_is_encrypted(c) || c->options.unix_socket != NULL;
}

pop3_str pop3_client_greeting(const pop3_client *c)
{
    return pop3_engine_greeting(c->engine);
}

const pop3_capabilities *pop3_client_capabilities(const pop3_client *c)
{
    return pop3_engine_capabilities(c->engine);
}

bool pop3_client_pipelines(const pop3_client *c)
{
    return pop3_engine_pipelines(c->engine);
}

const pop3_server_traits *pop3_client_traits(const pop3_client *c)
{
    return &c->options.traits;
}

uint64_t pop3_client_received(const pop3_client *c)
{
    return c->received;
}

uint64_t pop3_client_answered(const pop3_client *c)
{
    return pop3_engine_answered(c->engine);
}

const pop3_reply *pop3_client_reply(const pop3_client *c)
{
    return &c->reply;
}

uint64_t pop3_client_deletions(const pop3_client *c)
{
    return pop3_engine_deletions(c->engine);
}

const pop3_error *pop3_client_error(const pop3_client *c)
{
    return &c->failure.value;
}
