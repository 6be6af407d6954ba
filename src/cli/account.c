/* Settings made into an account that can be worked with. */
#include "cli/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/multidrop.h"
#include "cli/secret.h"
#include "cli/token_words.h"
#include "settings/text.h"

/* Where to connect to, and as whom. */
static bool take_server(p3_local_account *a, const p3_settings *s, p3_problem *why)
{
    p3_account *to = &a->account;
    pop3_client_options *o = &to->connection;
    o->host = s->host != NULL ? s->host : s->url.host;
    o->port = s->port != 0 ? s->port : s->url.port;
    o->unix_socket = s->socket;
    o->local_address = s->local_address;
    o->proxy = s->proxy.kind;
    o->proxy_host = s->proxy.host;
    o->proxy_port = s->proxy.port;
    o->proxy_user = s->proxy_user;
    o->proxy_password = s->proxy_password;
    to->user = s->user != NULL ? s->user : s->url.user;
    to->mechanism = s->auth != NULL ? s->auth : s->url.mechanism;
    to->channel_binding = s->channel_binding;
    to->utf8 = s->utf8;
    o->traits = s->traits.traits;
    to->forget_traits = s->traits.forget;
    if (!s->initial_response)
        o->traits.flags |= POP3_TRAIT_NO_INITIAL_RESPONSE;
    if (o->host == NULL && s->socket == NULL)
        return p3_problem_set(why, EX_CONFIG, "no server is given: set host, or url");
    if (to->user == NULL && (p3_login_needs(s) & POP3_NEEDS_USER) != 0)
        return p3_problem_set(why, EX_CONFIG,
                              "no user is given: write pop3s://USER@HOST/, or set user");
    return true;
}

/* pop3:// asks for STLS; a connection that others can read needs to be asked for in words. */
static void choose_security(p3_local_account *a, const p3_settings *s)
{
    pop3_client_options *o = &a->account.connection;
    if (s->is_set[P3_SETTING_TLS])
        o->security = (pop3_security)s->tls;
    else if (s->url.security == POP3_SECURITY_STLS && s->allow_plaintext)
        o->security = POP3_SECURITY_PLAIN;
    else
        o->security = s->url.security;
    o->allow_plaintext_password = s->allow_plaintext;
}

static bool prepare_tls(p3_local_account *a, const p3_settings *s, p3_tls_shared *shared,
                        p3_problem *why)
{
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
    o.verify = shared->verify;
    o.verify_ctx = shared->verify_ctx;
    if (s->is_set[P3_SETTING_TLS_MIN])
        o.min_version = (pop3_tls_version)s->tls_min;
    pop3_status status =
        p3_tls_shared_find(shared, &o, &a->account.connection.tls, text, sizeof text);
    if (status == POP3_OK)
        return true;
    return p3_problem_set(why, EX_CONFIG, "preparing TLS: %s", text);
}

/* Milliseconds as the library takes them: a day is as good as longer. */
static int timeout_of(int64_t ms)
{
    return ms > 86400000 ? 86400000 : (int)ms;
}

static void take_session(p3_local_account *a, const p3_settings *s)
{
    pop3_client_options *o = &a->account.connection;
    o->timeout_ms = timeout_of(s->timeout);
    o->connect_timeout_ms = timeout_of(s->connect_timeout);
    o->session_timeout_ms = timeout_of(s->session_timeout);
    o->engine.pipelining = (pop3_pipelining)s->pipelining;
    o->engine.prove_message_ends = true;
}

/* What only looks at the mailbox does not need it, and goes on when this fails. */
static bool take_gmail(p3_local_account *a, const p3_settings *s, p3_problem *why)
{
    a->gmail = p3_gmail_account_new(s, a->account.tokens.word, why);
    a->envelope->gmail = a->gmail != NULL ? &a->gmail->options : NULL;
    a->account.line_ends = P3_LINES_CRLF; /* it is sent as it came */
    return a->gmail != NULL;
}

static bool take_target_server(p3_local_account *a, const p3_settings *s, p3_problem *why)
{
    a->server = p3_server_account_new(s, a->account.tokens.word, why);
    if (a->server == NULL)
        return false;
    if (s->target.kind == P3_TARGET_IMAP)
        a->envelope->imap = &a->server->imap;
    else
        a->envelope->smtp = &a->server->options;
    return true;
}

/* A certificate is of a host. */
static bool check_lmtp(const p3_settings *s, p3_problem *why)
{
    p3_address address;
    return s->lmtp_tls == P3_LMTP_PLAIN ||
           (s->target.kind == P3_TARGET_LMTP && p3_address_read(&address, s->target.where) &&
            address.path == NULL) ||
           p3_problem_set(why, EX_CONFIG,
                          "lmtp-tls needs lmtp = HOST:PORT: a certificate is that of a host");
}

static bool take_target(p3_local_account *a, const p3_settings *s, bool delivers, p3_problem *why)
{
    if (s->target.kind == P3_TARGET_NONE && delivers)
        return p3_problem_set(why, EX_CONFIG,
                              "no place to deliver to is given: set maildir, mbox, command, lmtp, "
                              "imap, smtp or gmail");
    a->account.target = s->target;
    const p3_target_row *row = p3_target_row_of(s->target.kind);
    if (row != NULL && row->refuses) {
        const char *recipient = p3_multidrop_postmaster(s);
        if (row->has_recipients && recipient == NULL && s->recipients_from == NULL && delivers)
            return p3_problem_set(why, EX_CONFIG, "%s needs a recipient: set recipient", row->name);
        a->envelope = calloc(1, sizeof *a->envelope);
        if (a->envelope == NULL)
            return p3_problem_set(why, EX_OSERR, "out of memory");
        *a->envelope =
            (p3_envelope){.recipient = recipient,
                          .sender = s->sender,
                          .refused = s->fallback.where,
                          .lmtp = {.tls = (p3_lmtp_tls)s->lmtp_tls, .ca_file = s->lmtp_ca_file}};
        a->account.target.envelope = a->envelope;
    }
    p3_recipients *map = NULL;
    if (delivers && (!check_lmtp(s, why) || !p3_multidrop_make(&map, s, row, why)))
        return false;
    if (map != NULL)
        a->envelope->map = map;
    a->account.line_ends = (p3_line_ends)s->line_ends;
    a->account.delivered_to = s->delivered_to;
    a->account.received = s->received;
    if (row != NULL && row->form == P3_TARGET_URL && !take_target_server(a, s, why))
        return false;
    return row == NULL || row->kind != P3_TARGET_GMAIL || take_gmail(a, s, why) || !delivers;
}

static void take_policy(p3_local_account *a, const p3_settings *s)
{
    p3_account *to = &a->account;
    to->removal = s->remove.when;
    to->remove_after = s->remove.after;
    to->max_size = s->max_size;
    to->kill_size = s->kill_size;
    to->message_limit = s->message_limit;
    to->limit = s->limit;
    to->filter = s->filter;
}

static bool make_key(p3_local_account *a, const p3_settings *s, p3_problem *why)
{
    const pop3_client_options *o = &a->account.connection;
    a->key = p3_account_key(o, a->account.user);
    if (s->name == NULL)
        a->shown = p3_account_address(o, a->account.user);
    if (a->key == NULL || (s->name == NULL && a->shown == NULL))
        return p3_problem_set(why, EX_OSERR, "out of memory");
    a->account.key = a->key;
    a->account.name = s->name != NULL ? s->name : a->shown;
    return true;
}

static bool name_tokens(p3_local_account *a, const p3_settings *s, p3_problem *why)
{
    a->word = s->name == NULL ? p3_token_url(&a->account) : NULL;
    const char *word = s->name != NULL ? s->name : a->word;
    return (word != NULL && p3_token_words_set(&a->account, s, word, &a->token_advice)) ||
           p3_problem_set(why, EX_OSERR, "out of memory");
}

bool p3_local_account_make(p3_local_account *out, p3_settings *settings, p3_tls_shared *shared,
                           bool delivers, p3_problem *why)
{
    *out = (p3_local_account){0};
    p3_settings_preset(settings);
    out->account.connection = (pop3_client_options)POP3_CLIENT_OPTIONS_INIT;
    bool ok = take_server(out, settings, why);
    choose_security(out, settings);
    take_session(out, settings);
    take_policy(out, settings);
    ok = ok && make_key(out, settings, why) && name_tokens(out, settings, why) &&
         take_target(out, settings, delivers, why) && prepare_tls(out, settings, shared, why);
    if (out->account.name == NULL)
        out->account.name = settings->name != NULL ? settings->name : "account";
    out->settings = p3_settings_pack(settings);
    if (out->settings == NULL) {
        out->account = (p3_account){.name = "account"}; /* the rest is the caller's */
        return p3_problem_set(why, EX_OSERR, "out of memory");
    }
    out->secret = (p3_secret_source){.account = &out->account, .settings = out->settings};
    out->account.secret = p3_secret_find;
    out->account.secret_ctx = &out->secret;
    out->account.secret_at_hand = p3_secret_is_at_hand(&out->secret);
    return ok;
}

bool p3_local_account_set_refused(p3_local_account *a, const char *state)
{
    if (a->account.target.envelope == NULL || a->envelope->refused != NULL)
        return true;
    char *key = a->key != NULL ? strdup(a->key) : NULL;
    for (char *p = key; p != NULL && *p != '\0'; p++) {
        if (*p == '/') /* of a socket */
            *p = '_';
    }
    a->refused = key != NULL ? p3_text_join(state, ".refused/", key, NULL) : NULL;
    free(key);
    a->envelope->refused = a->refused;
    return a->refused != NULL;
}

p3_secret_source *p3_local_account_target_secret(const p3_local_account *a)
{
    return a->gmail != NULL    ? &a->gmail->secret.source
           : a->server != NULL ? &a->server->secret.source
                               : NULL;
}

void p3_local_account_free(p3_local_account *a)
{
    p3_packed_settings_free(a->settings);
    free(a->key);
    free(a->shown);
    free(a->word);
    free(a->token_advice);
    free(a->unusable);
    free(a->refused);
    if (a->envelope != NULL)
        p3_recipients_free(a->envelope->map);
    free(a->envelope);
    p3_gmail_account_free(a->gmail);
    p3_server_account_free(a->server);
}
