/* Settings made into an account that can be worked with. */
#include "cli/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "cli/text.h"

static bool take_url(p3_local_account *a, p3_problem *why)
{
    p3_settings *s = &a->settings;
    p3_account *to = &a->account;
    if (s->url != NULL && !p3_url_parse(s->url, &a->url, why))
        return false;
    if (s->url == NULL && s->tls != NULL && strcmp(s->tls, "tls") != 0)
        a->url.security = POP3_SECURITY_STLS;
    to->connection.host = s->host != NULL ? s->host : a->url.host;
    to->connection.port = a->url.port;
    to->user = s->user != NULL ? s->user : a->url.user;
    to->mechanism = s->auth != NULL ? s->auth : a->url.mechanism;
    to->channel_binding = s->channel_binding;
    if (s->initial_response != NULL && strcmp(s->initial_response, "never") == 0)
        to->connection.traits.flags |= POP3_TRAIT_NO_INITIAL_RESPONSE;
    to->utf8 = s->utf8 == NULL || strcmp(s->utf8, "off") != 0;
    to->connection.unix_socket = s->socket;
    to->connection.local_address = s->local_address;
    if (to->connection.host == NULL && s->socket == NULL)
        return p3_problem_set(why, EX_CONFIG, "where to connect to is not said: set host, or url");
    if (s->port != NULL) {
        uint64_t port;
        if (!p3_value_number(s->port, 65535, &port) || port == 0)
            return p3_problem_set(why, EX_CONFIG, "port: it must be from 1 to 65535");
        to->connection.port = (uint16_t)port;
    }
    if (to->user == NULL && (to->mechanism == NULL || strcasecmp(to->mechanism, "EXTERNAL") != 0))
        return p3_problem_set(why, EX_CONFIG,
                              "no user is named: write pop3s://USER@HOST/, or set user");
    return true;
}

/* pop3:// asks for STLS; only who says so gets a connection that others can read. */
static void choose_security(p3_local_account *a)
{
    const p3_settings *s = &a->settings;
    pop3_client_options *o = &a->account.connection;
    bool plain = p3_value_is_yes(s->allow_plaintext);
    o->security = a->url.security;
    if (o->security == POP3_SECURITY_STLS && plain)
        o->security = POP3_SECURITY_PLAIN;
    if (s->tls != NULL && strcmp(s->tls, "none") == 0)
        o->security = POP3_SECURITY_PLAIN;
    if (s->tls != NULL && strcmp(s->tls, "stls") == 0)
        o->security = POP3_SECURITY_STLS;
    if (s->tls != NULL && strcmp(s->tls, "tls") == 0)
        o->security = POP3_SECURITY_TLS;
    o->allow_plaintext_password = plain;
}

static bool prepare_tls(p3_local_account *a, p3_problem *why)
{
    const p3_settings *s = &a->settings;
    char text[300];
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    if (a->account.connection.security == POP3_SECURITY_PLAIN)
        return true;
    o.ca_file = s->ca_file;
    o.ca_dir = s->ca_dir;
    o.certificate_file = s->certificate;
    o.key_file = s->key;
    o.server_name = s->server_name;
    o.crl_file = s->crl_file;
    o.pinned_key = s->pin;
    o.verify = a->verify;
    o.verify_ctx = a->verify_ctx;
    if (s->tls_min != NULL && strcmp(s->tls_min, "1.3") == 0)
        o.min_version = POP3_TLS_1_3;
    pop3_status status = pop3_tls_new(&a->account.connection.tls, &o, text, sizeof text);
    if (status == POP3_OK)
        return true;
    return p3_problem_set(why, EX_CONFIG, "preparing TLS: %s", text);
}

static int timeout_of(const char *text)
{
    int64_t ms;
    if (text == NULL || !p3_value_time_ms(text, &ms))
        return 0;
    return ms > 86400000 ? 86400000 : (int)ms;
}

static void take_connection(p3_local_account *a)
{
    const p3_settings *s = &a->settings;
    pop3_client_options *o = &a->account.connection;
    o->timeout_ms = timeout_of(s->timeout);
    o->connect_timeout_ms = timeout_of(s->connect_timeout);
    o->session_timeout_ms = timeout_of(s->session_timeout);
    if (s->pipelining != NULL && strcmp(s->pipelining, "on") == 0)
        o->engine.pipelining = POP3_PIPELINING_ON;
    if (s->pipelining != NULL && strcmp(s->pipelining, "off") == 0)
        o->engine.pipelining = POP3_PIPELINING_OFF;
}

/* What is peculiar about the server. Without "none" it counts beside what was learned. */
static bool take_traits(p3_local_account *a, p3_problem *why)
{
    const char *text = a->settings.traits;
    if (text == NULL)
        return true;
    a->account.forget_traits = strcmp(text, "none") == 0 || strncmp(text, "none,", 5) == 0;
    if (pop3_server_traits_read(&a->account.connection.traits,
                                text + (a->account.forget_traits ? 4 : 0)))
        return true;
    char all[POP3_TRAITS_TEXT];
    (void)pop3_server_traits_write(&(pop3_server_traits){.flags = UINT32_MAX}, all, sizeof all);
    return p3_problem_set(why, EX_CONFIG,
                          "traits: expected: none, %s or quit-after=N, with commas between", all);
}

/* KIND://HOST[:PORT] */
static bool take_proxy(p3_local_account *a, p3_problem *why)
{
    static const struct {
        const char *prefix;
        pop3_proxy kind;
        uint16_t port;
    } kinds[] = {{"socks5://", POP3_PROXY_SOCKS5, 1080},
                 {"socks4a://", POP3_PROXY_SOCKS4A, 1080},
                 {"http://", POP3_PROXY_HTTP, 8080}};
    const p3_settings *s = &a->settings;
    pop3_client_options *o = &a->account.connection;
    if (s->proxy == NULL)
        return true;
    const char *at = NULL;
    uint64_t port = 0;
    for (size_t i = 0; at == NULL && i < sizeof kinds / sizeof *kinds; i++) {
        size_t len = strlen(kinds[i].prefix);
        if (strncmp(s->proxy, kinds[i].prefix, len) == 0) {
            o->proxy = kinds[i].kind;
            port = kinds[i].port;
            at = s->proxy + len;
        }
    }
    const char *colon = at != NULL ? strrchr(at, ':') : NULL;
    bool port_ok = colon == NULL || (p3_value_number(colon + 1, 65535, &port) && port > 0);
    size_t len = at == NULL ? 0 : colon != NULL ? (size_t)(colon - at) : strlen(at);
    if (len == 0 || !port_ok || memchr(at, '@', len) != NULL)
        return p3_problem_set(
            why, EX_CONFIG,
            "proxy: expected: socks5://HOST[:PORT], socks4a:// or http://; its user "
            "is proxy-user");
    a->proxy_host = strndup(at, len);
    o->proxy_host = a->proxy_host;
    o->proxy_port = (uint16_t)port;
    o->proxy_user = s->proxy_user;
    o->proxy_password = s->proxy_password;
    return a->proxy_host != NULL || p3_problem_set(why, EX_OSERR, "out of memory");
}

static bool take_target(p3_local_account *a, bool delivers, p3_problem *why)
{
    const p3_settings *s = &a->settings;
    int targets = (s->maildir != NULL) + (s->mbox != NULL) + (s->command != NULL);
    if (targets > 1)
        return p3_problem_set(
            why, EX_CONFIG,
            "more than one place to deliver to: choose one of maildir, mbox, command");
    if (targets == 0 && delivers)
        return p3_problem_set(why, EX_CONFIG,
                              "where to deliver is not said: set maildir, mbox or command");
    if (s->maildir != NULL)
        a->target = p3_text_join("maildir:", s->maildir, NULL);
    else if (s->mbox != NULL)
        a->target = p3_text_join("mbox:", s->mbox, NULL);
    else if (s->command != NULL)
        a->target = p3_text_join("command:", s->command, NULL);
    if (targets > 0 && a->target == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    a->account.target = a->target;
    if (s->line_ends != NULL && strcmp(s->line_ends, "crlf") == 0)
        a->account.line_ends = P3_LINES_CRLF;
    a->account.delivered_to = s->delivered_to;
    a->account.received = p3_value_is_yes(s->received);
    return true;
}

static void take_policy(p3_local_account *a)
{
    const p3_settings *s = &a->settings;
    p3_account *to = &a->account;
    int64_t ms;
    if (s->remove != NULL && strcmp(s->remove, "delivered") == 0) {
        to->removal = P3_REMOVE_DELIVERED;
    } else if (s->remove != NULL && p3_value_time_ms(s->remove, &ms)) {
        to->removal = P3_REMOVE_AFTER;
        to->remove_after = ms / 1000;
    }
    if (s->max_size != NULL)
        (void)p3_value_size(s->max_size, &to->max_size); /* was checked when it was set */
    if (s->kill_size != NULL)
        (void)p3_value_size(s->kill_size, &to->kill_size);
    to->message_limit = P3_MESSAGE_LIMIT;
    to->connection.engine.prove_message_ends = true;
    if (s->message_limit != NULL)
        (void)p3_value_size(s->message_limit, &to->message_limit);
    if (s->limit != NULL)
        (void)p3_value_number(s->limit, UINT32_MAX, &to->limit);
    to->filter = s->filter;
}

/* USER@HOST:PORT, or a socket. NULL when out of memory. */
static char *join_key(const p3_account *a, unsigned port)
{
    const pop3_client_options *o = &a->connection;
    const char *user = a->user != NULL ? a->user : "";
    char text[16];
    snprintf(text, sizeof text, ":%u", port);
    char *key = o->unix_socket != NULL ? p3_text_join(user, "@", o->unix_socket, NULL)
                                       : p3_text_join(user, "@", o->host, text, NULL);
    bool folds = key != NULL && o->unix_socket == NULL;
    for (char *p = folds ? strrchr(key, '@') : NULL; p != NULL && *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32); /* host names do not tell case apart */
    }
    return key;
}

/* The account's identity in the state: what stays the same when settings change. That is so for
 * who goes from STLS to TLS: both usual ports lead to one mailbox. */
static bool make_key(p3_local_account *a, p3_problem *why)
{
    const pop3_client_options *o = &a->account.connection;
    unsigned usual = o->security == POP3_SECURITY_TLS ? POP3_TLS_PORT : POP3_PORT;
    unsigned port = o->port != 0 ? o->port : usual;
    a->key = join_key(&a->account, port == POP3_PORT ? POP3_TLS_PORT : port);
    a->shown = join_key(&a->account, port);
    if (a->key == NULL || a->shown == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    a->account.key = a->key;
    a->account.name = a->settings.name != NULL ? a->settings.name : a->shown;
    return true;
}

bool p3_local_account_make(p3_local_account *out, p3_settings *settings, bool delivers,
                           p3_problem *why)
{
    *out = (p3_local_account){
        .settings = *settings, .verify = out->verify, .verify_ctx = out->verify_ctx};
    *settings = (p3_settings){0};
    out->account.connection = (pop3_client_options)POP3_CLIENT_OPTIONS_INIT;
    bool ok = take_url(out, why);
    if (ok) {
        choose_security(out);
        take_connection(out);
        take_policy(out);
    }
    ok = ok && take_traits(out, why) && take_proxy(out, why) && make_key(out, why) &&
         take_target(out, delivers, why) && prepare_tls(out, why);
    out->secret = (p3_secret_source){.settings = &out->settings,
                                     .url = &out->url,
                                     .host = out->account.connection.host,
                                     .user = out->account.user,
                                     .name = out->account.name};
    out->account.secret = p3_secret_find;
    out->account.secret_ctx = &out->secret;
    out->account.secret_at_hand = p3_secret_is_at_hand(&out->secret);
    if (out->account.name == NULL)
        out->account.name = out->settings.name != NULL ? out->settings.name : "account";
    return ok;
}

void p3_local_account_free(p3_local_account *a)
{
    pop3_tls_free(a->account.connection.tls);
    p3_settings_free(&a->settings);
    p3_url_free(&a->url);
    free(a->key);
    free(a->shown);
    free(a->target);
    free(a->proxy_host);
}
