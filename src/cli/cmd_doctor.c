/* pop3 doctor: examines a server: what it offers, what is wrong, what to configure. */
#include "cli/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <pop3/login.h>

#include "cli/doctor_target.h"
#include "cli/doctor_tokens.h"
#include "cli/doctor_finding.h"
#include "cli/listed_messages.h"
#include "cli/mailbox.h"
#include "cli/oauth.h"
#include "cli/output.h"
#include "support/printable.h"
#include "collect/failure_text.h"
#include "system/sort.h"

/* Commands that are sent together as a test. */
#define P3_TOGETHER 8

/* The state of an examination. */
typedef struct p3_doctor {
    p3_mailbox_session m;
    const p3_arguments *arguments;
    int result; /* the exit status */
    bool encrypted;
    bool without_capa; /* the server closes the connection on CAPA */
    bool has_uidl;
    bool has_top;           /* announced */
    bool top_works;         /* TOP was tried successfully */
    bool deletes_retrieved; /* EXPIRE 0 */
    bool pipelines;
    bool is_gmail;
    char pin[80]; /* of the server's key */
} p3_doctor;

/* A finding with text from the server. */
static void server_line(const char *what, const char *text, size_t len)
{
    char *clean = p3_line_clean(text, len);
    p3_print(stdout, "%-5s%-14s %s\n", "", what, clean != NULL ? clean : ""); /* of any length */
    free(clean);
}

static void report_good(const char *what, const char *text)
{
    p3_finding("ok", what, "%s", text);
}

static void report_bad(p3_doctor *d, pop3_status status, const char *what)
{
    const pop3_error *e = pop3_client_error(d->m.client);
    bool told = e->status == status && e->message[0] != '\0';
    p3_problem why;
    p3_finding("BAD", what, "%s", told ? e->message : pop3_status_message(status));
    p3_describe_error(e, status, &why);
    if (d->result == EX_OK)
        d->result = why.exit;
}

/* ---- connecting ---- */

static const char *security_text(pop3_security s)
{
    return s == POP3_SECURITY_TLS    ? "TLS from the first octet"
           : s == POP3_SECURITY_STLS ? "TLS by STLS"
                                     : "no TLS: others can read the connection";
}

/* Prints everything that is wrong with the certificate, and the pin by which it can be trusted. */
static bool look_at_certificate(void *ctx, const pop3_verification *v)
{
    p3_doctor *d = ctx;
    for (size_t i = 0; i < v->error_count; i++)
        p3_finding("BAD", "certificate", "%s%s", v->errors[i].text,
                   v->errors[i].depth > 0 ? " (an authority's)" : "");
    snprintf(d->pin, sizeof d->pin, "%s", v->pin != NULL ? v->pin : "");
    return v->acceptable;
}

static bool connect_to(p3_doctor *d)
{
    const pop3_client_options *o = &d->m.account->account.connection;
    p3_settings set;
    p3_packed_settings_view(d->m.account->settings, &set);
    pop3_status status = pop3_client_connect(d->m.client);
    if (status == POP3_OK) {
        d->encrypted = pop3_client_is_encrypted(d->m.client);
        p3_finding("ok", "connection", "%s", security_text(o->security));
        if (d->encrypted)
            report_good("certificate",
                        set.pin != NULL ? "has the pinned key" : "valid, and for this host");
        if (d->pin[0] != '\0')
            p3_finding("", "", "its pin is %s", d->pin);
        return true;
    }
    const char *what = status == POP3_ERR_CERTIFICATE ? "certificate" : "connection";
    const char *advice = p3_advice_on_failure(d->m.client, status);
    report_bad(d, status, what);
    if (advice[0] != '\0')
        p3_finding("do", what, "%s", advice);
    if (status == POP3_ERR_CERTIFICATE && d->pin[0] != '\0')
        p3_finding("do", what, "or, after you have verified this key%s: pin = %s",
                   set.ca_file != NULL || set.ca_dir != NULL ? ", instead of the authorities" : "",
                   d->pin);
    return false;
}

/* ---- what is peculiar ---- */

/* Prints what sync learned about the server, and the traits in the settings. The former are not
 * used here, to show whether they still hold. */
static void tell_traits(p3_doctor *d)
{
    const p3_remembered *r = &d->m.remembered;
    const p3_account *a = &d->m.account->account;
    char text[300];
    char word[POP3_TRAITS_TEXT];
    for (size_t i = 0; i < r->count; i++) {
        p3_learned_text(&r->at[i], a, text, sizeof text);
        p3_finding("note", "remembered", "%s", text);
    }
    if (r->broken.count > 0) {
        p3_broken_text(&r->broken, a, text, sizeof text);
        p3_finding("note", "remembered", "%s", text);
    }
    if (r->problem.exit != 0)
        p3_finding("note", "remembered", "%s", r->problem.text);
    if (pop3_server_traits_write(&a->connection.traits, word, sizeof word) > 0)
        p3_finding("note", "traits", "set by hand: %s", word);
}

/* A command ended the connection: opens another one, to continue without that command. */
static void go_on_without(p3_doctor *d, pop3_trait trait, bool logs_in)
{
    pop3_server_traits traits = *pop3_client_traits(d->m.client);
    traits.flags |= (uint32_t)trait;
    int result = p3_mailbox_reconnect(&d->m, traits, logs_in);
    if (result != EX_OK)
        p3_finding("BAD", "connection", "see above");
    if (d->result == EX_OK)
        d->result = result;
}

/* Whether the connection ended, instead of a refusal. */
static bool has_ended(const p3_doctor *d, pop3_status status)
{
    return status != POP3_OK && pop3_client_state(d->m.client) == POP3_STATE_DEAD;
}

/* ---- what is announced ---- */

static void tell_capabilities(p3_doctor *d, const pop3_capabilities *c, bool logged_in)
{
    const char *when = logged_in ? "offers" : "before login";
    for (size_t i = 0; i < c->line_count; i++)
        server_line(i == 0 ? when : "", c->lines[i], strlen(c->lines[i]));
    if (!logged_in)
        return;
    d->has_uidl = (c->flags & POP3_CAP_UIDL) != 0;
    d->has_top = (c->flags & POP3_CAP_TOP) != 0;
    d->pipelines = (c->flags & POP3_CAP_PIPELINING) != 0;
    d->deletes_retrieved = c->expire == POP3_EXPIRE_DAYS && c->expire_days == 0;
    if (d->deletes_retrieved)
        p3_finding("note", "EXPIRE", "the server deletes messages as soon as they are retrieved");
    else if (c->expire == POP3_EXPIRE_DAYS)
        p3_finding("note", "EXPIRE", "the server deletes messages after %u days", c->expire_days);
    if (c->login_delay > 0)
        p3_finding("note", "LOGIN-DELAY", "no more than one login in %u seconds", c->login_delay);
    if (!d->pipelines)
        p3_finding("note", "PIPELINING",
                   "not announced: one command at a time, which is slow over long distances");
}

static void tell_end_at_capa(p3_doctor *d, bool logged_in)
{
    pop3_trait trait = logged_in ? POP3_TRAIT_NO_LATE_CAPA : POP3_TRAIT_NO_CAPA;
    p3_finding("note", "CAPA", "ends the connection%s; the checks go on without (traits = %s)",
               logged_in ? " after the login" : "", pop3_trait_name(trait));
    d->without_capa = true;
    go_on_without(d, trait, logged_in);
}

/* Whether the connection ended after a CAPA that was refused after the login. */
static bool ended_behind_capa(const p3_doctor *d)
{
    return ((pop3_client_traits(d->m.client)->flags & ~d->m.options.traits.flags) &
            POP3_TRAIT_NO_LATE_CAPA) != 0;
}

static void ask_capabilities(p3_doctor *d, bool logged_in)
{
    const pop3_capabilities *caps = NULL;
    pop3_trait trait = logged_in ? POP3_TRAIT_NO_LATE_CAPA : POP3_TRAIT_NO_CAPA;
    if ((pop3_client_traits(d->m.client)->flags & ((uint32_t)trait | POP3_TRAIT_NO_CAPA)) != 0) {
        if (!d->without_capa)
            p3_finding("note", "CAPA", "not sent: the server closes the connection on it");
        d->without_capa = true;
        return;
    }
    pop3_status status = pop3_client_capa(d->m.client, &caps);
    if (status == POP3_OK)
        tell_capabilities(d, caps, logged_in);
    else if (status == POP3_ERR_REFUSED)
        p3_finding("note", "CAPA", "refused: an old server; its features have to be tried");
    else if (has_ended(d, status) && (status == POP3_ERR_CLOSED || status == POP3_ERR_TIMEOUT)) {
        tell_end_at_capa(d, logged_in);
    } else
        report_bad(d, status, "CAPA");
}

/* ---- logged in ---- */

static int compare_uids(const void *a, const void *b, void *listed)
{
    pop3_str x = p3_listed_uid(listed, *(const uint32_t *)a);
    pop3_str y = p3_listed_uid(listed, *(const uint32_t *)b);
    int order = memcmp(x.data, y.data, x.len < y.len ? x.len : y.len);
    return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

/* The number of unique-ids that another message has as well. */
static uint64_t count_repetitions(p3_listed *l, uint32_t *order)
{
    uint64_t twice = 0;
    for (size_t i = 0; i < l->count; i++)
        order[i] = (uint32_t)i;
    p3_sort(order, l->count, sizeof *order, compare_uids, l);
    for (size_t i = 1; i < l->count; i++)
        twice += compare_uids(&order[i - 1], &order[i], l) == 0;
    return twice;
}

static void tell_uids(const p3_doctor *d, p3_listed *l, uint64_t messages)
{
    uint32_t *order = calloc(l->count + 1, sizeof *order);
    uint64_t twice = order != NULL ? count_repetitions(l, order) : 0;
    free(order);
    if (twice > 0)
        p3_finding("note", "UIDL",
                   "%llu unique-ids occur twice: sync identifies those messages by their headers",
                   (unsigned long long)twice);
    else if (order != NULL)
        report_good("UIDL",
                    d->has_uidl ? "works, and all are different" : "works, though not announced");
    if (l->count != messages)
        p3_finding("note", "UIDL", "lists %zu messages, STAT counts %llu", l->count,
                   (unsigned long long)messages);
}

static void check_uidl(p3_doctor *d, uint64_t messages)
{
    p3_listed l;
    pop3_status status = p3_listed_uids(&l, d->m.client);
    if (status == POP3_ERR_REFUSED)
        p3_finding("note", "UIDL",
                   "refused: messages are identified by their headers, which takes longer");
    else if (status != POP3_OK)
        report_bad(d, status, "UIDL");
    else
        tell_uids(d, &l, messages);
    if (has_ended(d, status)) {
        p3_finding("do", "UIDL", "if that happens each time: traits = no-uidl");
        go_on_without(d, POP3_TRAIT_NO_UIDL, true);
    }
    p3_listed_free(&l);
}

static void check_top(p3_doctor *d)
{
    pop3_status status = pop3_client_top(d->m.client, 1, 0, NULL, NULL);
    if (status == POP3_ERR_REFUSED)
        p3_finding("note", "TOP", "refused: filters and `pop3 list` must retrieve whole messages");
    else if (status != POP3_OK)
        report_bad(d, status, "TOP");
    else
        report_good("TOP", d->has_top ? "works" : "works, though not announced");
    d->top_works = status == POP3_OK;
    if (has_ended(d, status)) {
        p3_finding("do", "TOP", "if that happens each time: traits = no-top");
        go_on_without(d, POP3_TRAIT_NO_TOP, true);
    }
}

typedef struct p3_two {
    unsigned over;
    bool failed;
} p3_two;

static void one_over(void *ctx, pop3_client *c, const pop3_result *r)
{
    p3_two *two = ctx;
    (void)c;
    two->over++;
    two->failed = two->failed || r->status != POP3_OK;
}

/* Whether commands that arrive together are all answered, each by its own reply: servers that pass
 * this test with NOOP have been seen to mix up the headers of two messages. */
static void check_pipelining(p3_doctor *d, uint64_t messages)
{
    p3_two two = {0};
    pop3_command command = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    if (messages > 0 && d->top_works)
        command.kind = POP3_CMD_TOP;
    else if (messages > 0 && !d->deletes_retrieved)
        command.kind = POP3_CMD_RETR;
    else
        command.kind = POP3_CMD_NOOP;
    handlers.done = one_over;
    handlers.ctx = &two;
    if (!d->pipelines)
        return;
    for (uint32_t i = 0; i < P3_TOGETHER; i++) {
        if (command.kind != POP3_CMD_NOOP)
            command.number = 1 + i % (messages < P3_TOGETHER ? (uint32_t)messages : P3_TOGETHER);
        (void)pop3_client_submit(d->m.client, &command, &handlers); /* missing answers show below */
    }
    pop3_status status = pop3_client_run(d->m.client);
    if (status == POP3_OK)
        status = pop3_client_noop(d->m.client); /* an extra reply shows here */
    if (status == POP3_OK && two.over == P3_TOGETHER && !two.failed) {
        report_good("PIPELINING", "works");
        return;
    }
    p3_finding("BAD", "PIPELINING",
               "announced, but pipelined commands are not all answered correctly");
    p3_finding("do", "PIPELINING", "set pipelining = off");
}

static void check_mailbox(p3_doctor *d)
{
    pop3_stat drop = {0};
    pop3_status status = pop3_client_stat(d->m.client, &drop);
    if (has_ended(d, status) && ended_behind_capa(d)) {
        tell_end_at_capa(d, true);
        status = pop3_client_stat(d->m.client, &drop);
    }
    if (status != POP3_OK) {
        report_bad(d, status, "STAT");
        return;
    }
    if (drop.octets == POP3_OCTETS_UNKNOWN)
        p3_finding("note", "mailbox", "%" PRIu64 " messages; STAT gives no size", drop.count);
    else
        p3_finding("ok", "mailbox", "%" PRIu64 " messages, %" PRIu64 " octets", drop.count,
                   drop.octets);
    check_uidl(d, drop.count);
    if (drop.count > 0 && pop3_client_state(d->m.client) == POP3_STATE_TRANSACTION)
        check_top(d);
    if (pop3_client_state(d->m.client) == POP3_STATE_TRANSACTION)
        check_pipelining(d, drop.count);
}

/* Prints traits that cannot be observed in a session. */
static void tell_quirks(p3_doctor *d)
{
    pop3_str greeting = pop3_client_greeting(d->m.client);
    const char *host = d->m.account->account.connection.host;
    d->is_gmail = (host != NULL && strstr(host, "gmail") != NULL) ||
                  memmem(greeting.data, greeting.len, "Gpop", 4) != NULL;
    if (!d->is_gmail)
        return;
    p3_finding("note", "Gmail", "hides messages from later sessions once they were retrieved;");
    p3_finding("do", "Gmail",
               "put \"recent:\" before the user name to see the last 30 days, and use an app "
               "password");
}

static void log_in(p3_doctor *d)
{
    d->result = p3_mailbox_login(&d->m);
    if (d->result != EX_OK) {
        p3_finding("BAD", "login", "see above");
        return;
    }
    const pop3_login_result *r = pop3_login_outcome(d->m.client);
    p3_finding("ok", "login", "%s%s%s", r->mechanism,
               r->server_proved ? ", the server proved itself" : "",
               r->channel_binding[0] != '\0' ? ", bound to TLS" : "");
    ask_capabilities(d, true);
    if (pop3_client_state(d->m.client) == POP3_STATE_TRANSACTION)
        check_mailbox(d);
}

/* Suggests the source of the secret: the one that was used, without what may be secret. `prefix`:
 * of the settings' names. */
static void suggest_secret(const char *prefix, const p3_settings *s)
{
    const struct {
        const char *name;
        const char *value;
    } lines[] = {{"provider", s->provider}, {"issuer", s->issuer},
                 {"tenant", s->tenant},     {"client-id", s->client_id},
                 {"scope", s->scope},       {"client-secret-file", s->client_secret_file}};
    if (!p3_oauth_is_set(s)) {
        const char *command = s->token_command != NULL      ? "token-command"
                              : s->password_command != NULL ? "password-command"
                                                            : NULL;
        if (command != NULL)
            p3_print(stdout, "%s%s = ...\n", prefix, command);
        else
            p3_print(stdout, "%spassword-file = %s\n", prefix,
                     s->password_file != NULL ? s->password_file : "...");
        return;
    }
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (lines[i].value != NULL)
            p3_print(stdout, "%s%s = %s\n", prefix, lines[i].name, lines[i].value);
    }
}

static void suggest_target(const p3_local_account *a, const p3_settings *s)
{
    size_t count;
    bool has_recipients = false;
    const p3_target *at = p3_target_members(&a->account.target, &count);
    if (count == 0)
        p3_print(stdout, "maildir = ~/Maildir\n");
    for (size_t i = 0; count > 1 && i < count; i++)
        p3_print(stdout, "%s%s%s", i == 0 ? "deliver = " : ", ", p3_target_row_of(at[i].kind)->name,
                 i + 1 < count ? "" : "\n");
    for (size_t i = 0; i < count; i++) {
        const p3_target_row *row = p3_target_row_of(at[i].kind);
        p3_print(stdout, "%s = %s\n", row->name, at[i].where);
        has_recipients = has_recipients || row->has_recipients;
    }
    for (const p3_server_account *m = a->server; m != NULL; m = m->next) {
        p3_settings set = p3_target_secret_settings(&m->secret, s);
        suggest_secret(m->secret.source.prefix, &set);
    }
    if (has_recipients && s->recipient != NULL)
        p3_print(stdout, "recipient = %s\n", s->recipient);
    if (s->gmail_client_id != NULL)
        p3_print(stdout, "gmail-client-id = %s\n", s->gmail_client_id);
    if (s->gmail_client_secret_file != NULL)
        p3_print(stdout, "gmail-client-secret-file = %s\n", s->gmail_client_secret_file);
    if (s->gmail_token_command != NULL)
        p3_print(stdout, "gmail-token-command = ...\n");
}

static void suggest(const p3_doctor *d)
{
    const p3_account *a = &d->m.account->account;
    const pop3_client_options *o = &a->connection;
    p3_settings set;
    p3_packed_settings_view(d->m.account->settings, &set);
    p3_print(stdout, "\nFor the configuration:\n\n[%s]\n", a->user != NULL ? a->user : "account");
    if (o->unix_socket != NULL)
        p3_print(stdout, "socket = %s\n", o->unix_socket);
    if (o->host != NULL)
        p3_print(stdout, "host = %s\n", o->host);
    if (o->port != 0)
        p3_print(stdout, "port = %u\n", o->port);
    p3_print(stdout, "user = %s%s\n", d->is_gmail ? "recent:" : "", a->user != NULL ? a->user : "");
    if (o->security != POP3_SECURITY_TLS)
        p3_print(stdout, "tls = %s\n", o->security == POP3_SECURITY_STLS ? "stls" : "none");
    if (o->security == POP3_SECURITY_PLAIN)
        p3_print(stdout, "allow-plaintext = yes\n");
    if (set.ca_file != NULL)
        p3_print(stdout, "ca-file = %s\n", set.ca_file);
    if (set.server_name != NULL)
        p3_print(stdout, "server-name = %s\n", set.server_name);
    char traits[POP3_TRAITS_TEXT];
    if (pop3_server_traits_write(pop3_client_traits(d->m.client), traits, sizeof traits) > 0)
        p3_print(stdout, "traits = %s\n", traits);
    suggest_secret("", &set);
    suggest_target(d->m.account, &set);
}

int p3_cmd_doctor(p3_arguments *a)
{
    p3_doctor d = {.arguments = a};
    int tokens = EX_OK;
    int target = EX_OK;
    a->tests_server = true;
    a->verify = look_at_certificate;
    a->verify_ctx = &d; /* cppcheck-suppress autoVariables ; nobody asks once this has returned */
    d.result = p3_mailbox_choose(&d.m, a);
    if (d.result == EX_OK)
        tokens = p3_doctor_tokens(d.m.account);
    if (d.result == EX_OK)
        target = p3_doctor_target(d.m.account);
    if (d.result == EX_OK)
        d.result = p3_mailbox_prepare(&d.m, a);
    if (d.result == EX_OK)
        p3_finding(d.m.sandbox.is_whole ? "ok" : "note", "sandbox", "%s", d.m.sandbox.report);
    if (d.result == EX_OK)
        tell_traits(&d);
    if (d.result == EX_OK && connect_to(&d)) {
        pop3_str greeting = pop3_client_greeting(d.m.client);
        server_line("greeting", greeting.data, greeting.len);
        ask_capabilities(&d, false);
        tell_quirks(&d);
        if (!p3_doctor_mechanisms(d.m.account, d.m.client))
            tokens = EX_NOPERM;
        if (tokens != EX_OK)
            d.result = tokens;
        else if (pop3_client_state(d.m.client) == POP3_STATE_AUTHORIZATION)
            log_in(&d);
        if (d.result == EX_OK)
            suggest(&d);
    }
    if (d.result == EX_OK)
        d.result = target;
    return p3_mailbox_close(&d.m, d.result);
}
