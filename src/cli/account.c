/* Converts settings to an account. */
#include "cli/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/certificate_files.h"
#include "cli/multidrop.h"
#include "cli/secret.h"
#include "cli/token_text.h"
#include "settings/text.h"

/* The server, and the user there. */
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

/* pop3:// means STLS; an unprotected connection must be permitted explicitly. */
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

/* Milliseconds for the library; longer than a day is a day. */
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

/* Subcommands that only read the mailbox do not need it, and continue when this fails. */
static bool take_gmail(p3_local_account *a, const p3_settings *s, p3_envelope *envelope,
                       p3_problem *why)
{
    a->gmail = p3_gmail_account_new(s, a->account.tokens.word, why);
    envelope->gmail = a->gmail != NULL ? &a->gmail->options : NULL;
    return a->gmail != NULL;
}

static bool take_target_server(p3_local_account *a, const p3_settings *s, const p3_target *t,
                               p3_envelope *envelope, p3_problem *why)
{
    p3_server_account *server = p3_server_account_new(s, t, a->account.tokens.word, why);
    if (server == NULL)
        return false;
    server->next = a->server;
    a->server = server;
    if (t->kind == P3_TARGET_IMAP)
        envelope->imap = &server->imap;
    else
        envelope->smtp = &server->options;
    return true;
}

/* A certificate needs a host name. */
static bool check_lmtp(const p3_settings *s, const p3_target *targets, size_t count,
                       p3_problem *why)
{
    bool is_host = s->lmtp_tls == P3_LMTP_PLAIN;
    for (size_t i = 0; i < count && !is_host; i++) {
        p3_server_address address;
        is_host = targets[i].kind == P3_TARGET_LMTP &&
                  p3_server_address_read(&address, targets[i].where) && address.path == NULL;
    }
    return is_host ||
           p3_problem_set(why, EX_CONFIG,
                          "lmtp-tls needs lmtp = HOST:PORT: a certificate is for a host");
}

/* Reads what a target needs besides its place; the envelope belongs to the account, and so does the
 * table, which all targets share. */
static bool read_envelope(p3_local_account *a, const p3_settings *s, p3_target *t,
                          p3_envelope *envelope, bool delivers, p3_problem *why)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    p3_recipients *map = envelope->map;
    if (map != NULL && row->folder != NULL)
        t->envelope = envelope;
    if (!row->refuses)
        return true;
    const char *recipient = p3_multidrop_postmaster(s);
    if (row->has_recipients && recipient == NULL && s->recipients_from == NULL && delivers)
        return p3_problem_set(why, EX_CONFIG, "%s needs a recipient: set recipient", row->name);
    *envelope =
        (p3_envelope){.recipient = recipient,
                      .sender = s->sender,
                      .map = map,
                      .refused = s->fallback.where,
                      .lmtp = {.tls = (p3_lmtp_tls)s->lmtp_tls, .ca_file = s->lmtp_ca_file}};
    t->envelope = envelope;
    if (row->form == P3_TARGET_URL && !take_target_server(a, s, t, envelope, why))
        return false;
    return row->kind != P3_TARGET_GMAIL || take_gmail(a, s, envelope, why) || !delivers;
}

/* Frees the list, and the recipients, which its targets share. */
static void free_targets(p3_local_account *a)
{
    size_t count;
    (void)p3_target_members(&a->account.target, &count);
    p3_recipients *map = NULL;
    for (size_t i = 0; i < count && a->envelope != NULL; i++)
        map = a->envelope[i].map != NULL ? a->envelope[i].map : map;
    p3_recipients_free(map);
    if (a->account.target.kind == P3_TARGET_SEVERAL)
        free((void *)(uintptr_t)a->account.target.list);
    free(a->envelope);
    a->envelope = NULL;
    a->account.target = (p3_target){0};
}

/* Sets the account's targets, as a list if there are several. */
static bool keep_targets(p3_local_account *a, const p3_target *targets, size_t count)
{
    if (count == 1) {
        a->account.target = targets[0];
        return true;
    }
    p3_target_list *list = malloc(sizeof *list + count * sizeof *list->at);
    if (list == NULL)
        return false;
    list->count = count;
    list->crlf = a->account.line_ends == P3_LINES_CRLF;
    memcpy(list->at, targets, count * sizeof *targets);
    a->account.target = (p3_target){.kind = P3_TARGET_SEVERAL, .list = list};
    return true;
}

static bool take_targets(p3_local_account *a, const p3_settings *s, bool delivers, p3_problem *why)
{
    p3_target targets[P3_TARGETS_MOST];
    size_t count = p3_settings_targets(s, targets);
    const p3_setting *lacks = p3_settings_lack(s);
    bool ok = true;
    if (lacks != NULL)
        return p3_problem_set(why, EX_CONFIG, "deliver: %s is not set", lacks->name);
    if (count == 0 && delivers)
        return p3_problem_set(
            why, EX_CONFIG,
            "no target is given: set maildir, mbox, command, lmtp, imap, smtp or gmail");
    a->account.line_ends = (p3_line_ends)s->line_ends;
    a->account.delivered_to = s->delivered_to;
    a->account.received = s->received;
    if (count == 0)
        return true;
    if (delivers && !check_lmtp(s, targets, count, why))
        return false;
    if (count == 1 && p3_target_row_of(targets[0].kind)->crlf)
        a->account.line_ends = P3_LINES_CRLF; /* it is sent as received */
    p3_recipients *map = NULL;
    if (delivers && !p3_multidrop_make(&map, s, targets, count, why))
        return false;
    bool enveloped = count > 1 || map != NULL || p3_target_row_of(targets[0].kind)->refuses;
    if (enveloped && (a->envelope = calloc(count, sizeof *a->envelope)) == NULL) {
        p3_recipients_free(map);
        return p3_problem_memory(why);
    }
    for (size_t i = 0; i < count && enveloped; i++)
        a->envelope[i].map = map;
    for (size_t i = 0; i < count && ok && enveloped; i++)
        ok = read_envelope(a, s, &targets[i], a->envelope + i, delivers, why);
    if (keep_targets(a, targets, count))
        return ok;
    p3_recipients_free(map);
    return p3_problem_memory(why);
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
        return p3_problem_memory(why);
    a->account.key = a->key;
    a->account.name = s->name != NULL ? s->name : a->shown;
    return true;
}

static bool name_tokens(p3_local_account *a, const p3_settings *s, p3_problem *why)
{
    a->word = s->name == NULL ? p3_token_url(&a->account) : NULL;
    const char *word = s->name != NULL ? s->name : a->word;
    return (word != NULL && p3_token_words_set(&a->account, s, word, &a->token_advice)) ||
           p3_problem_memory(why);
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
         p3_certificate_files_check(settings, why) && take_targets(out, settings, delivers, why) &&
         prepare_tls(out, settings, shared, why);
    if (out->account.name == NULL)
        out->account.name = settings->name != NULL ? settings->name : "account";
    out->settings = p3_settings_pack(settings);
    if (out->settings == NULL) {
        free_targets(out);
        out->account = (p3_account){.name = "account"}; /* the caller sets the rest */
        return p3_problem_memory(why);
    }
    out->secret = (p3_secret_source){.account = &out->account, .settings = out->settings};
    if (delivers && out->account.target.kind != P3_TARGET_SEVERAL) /* others get their mail */
        out->secret.target = p3_local_account_target_secret(out, 0);
    out->account.secret = p3_secret_find;
    out->account.secret_ctx = &out->secret;
    out->account.secret_at_hand = p3_secret_is_at_hand(&out->secret);
    return ok;
}

/* The account's Maildir beside the state file. */
static char *refused_beside(const p3_local_account *a, const char *state)
{
    char *key = a->key != NULL ? strdup(a->key) : NULL;
    for (char *p = key; p != NULL && *p != '\0'; p++) {
        if (*p == '/') /* of a socket */
            *p = '_';
    }
    char *path = key != NULL ? p3_text_join(state, ".refused/", key, NULL) : NULL;
    free(key);
    return path;
}

/* Each target of a list has its own folder (Maildir++), because two may refuse the same message. */
static bool set_folders(p3_local_account *a, const char *base)
{
    const p3_target_list *list = a->account.target.list;
    size_t size = 0;
    for (size_t i = 0; i < list->count; i++)
        size += strlen(base) + strlen(p3_target_row_of(list->at[i].kind)->name) + sizeof "/.";
    char *at = a->refused = malloc(size);
    for (size_t i = 0; i < list->count && at != NULL; i++) {
        if (list->at[i].envelope == NULL)
            continue;
        a->envelope[i].refused = at;
        at = stpcpy(stpcpy(stpcpy(at, base), "/."), p3_target_row_of(list->at[i].kind)->name) + 1;
    }
    return a->refused != NULL;
}

/* The fallback of a list in the settings. */
static const char *given_fallback(const p3_local_account *a)
{
    const char *given = NULL;
    for (size_t i = 0; i < a->account.target.list->count && given == NULL; i++)
        given = a->envelope[i].refused;
    return given;
}

bool p3_local_account_set_refused(p3_local_account *a, const char *state)
{
    bool several = a->account.target.kind == P3_TARGET_SEVERAL;
    if (several && given_fallback(a) != NULL)
        return set_folders(a, given_fallback(a));
    if (!several && (a->account.target.envelope == NULL || a->envelope->refused != NULL))
        return true;
    char *beside = refused_beside(a, state);
    if (several) {
        bool ok = beside != NULL && set_folders(a, beside);
        free(beside);
        return ok;
    }
    a->refused = beside;
    a->envelope->refused = a->refused;
    return a->refused != NULL;
}

p3_secret_source *p3_local_account_target_secret(const p3_local_account *a, size_t i)
{
    p3_server_account *server = a->server;
    if (a->gmail != NULL && i == 0)
        return &a->gmail->secret.source;
    for (i -= a->gmail != NULL; i > 0 && server != NULL; i--)
        server = server->next;
    return server != NULL ? &server->secret.source : NULL;
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
    free_targets(a);
    p3_gmail_account_free(a->gmail);
    p3_server_account_free(a->server);
}
