/* What a process outside does for the sandbox: the user's commands, and opening the files of an
 * mbox, or of a state among other files, because the sandbox gives up their directory. */
#include "cli/sandbox_parts.h"

#include "cli/oauth.h"
#include "cli/secret.h"

#include <dirent.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "settings/text.h"
#include "confine/outside.h"

/* ---- commands ---- */

static bool add_command(p3_sandbox *s, const char *command)
{
    if (command == NULL)
        return true;
    char *copy = strdup(command);
    if (copy != NULL)
        s->commands[s->duties.command_count++] = copy;
    return copy != NULL;
}

static bool add_secret(p3_sandbox *s, const p3_secret_source *source)
{
    char *secret = p3_secret_command(source);
    bool ok = add_command(s, secret);
    free(secret);
    return ok;
}

/* The commands for the secret, and with delivery the filter and the target. */
static bool add_commands(p3_sandbox *s, const p3_local_account *a)
{
    size_t count;
    const p3_target *at = p3_target_members(&a->account.target, &count);
    const p3_secret_source *secret;
    bool ok = add_secret(s, &a->secret);
    if (!s->delivers || count == 0)
        return ok;
    for (size_t i = 0; ok && (secret = p3_local_account_target_secret(a, i)) != NULL; i++)
        ok = add_secret(s, secret);
    for (size_t i = 0; ok && i < count; i++) {
        const p3_target_row *row = p3_target_row_of(at[i].kind);
        s->duties.spools = s->duties.spools || row->spools;
        ok = add_command(s, row->runs ? at[i].where : NULL);
    }
    return ok && add_command(s, a->account.filter);
}

/* ---- files ---- */

static bool is_of_state(const char *name, const char *base)
{
    size_t len = strlen(base);
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "history") == 0 ||
           (strncmp(name, base, len) == 0 &&
            (name[len] == '\0' || strchr("-.", name[len]) != NULL));
}

/* The state's directory, if it contains nothing but the state and the shell's history: then files
 * may be created there. Otherwise NULL. The caller frees it. */
static char *state_folder(const char *state)
{
    char *real = realpath(state, NULL);
    char *path = real != NULL ? real : strdup(state);
    char *copy = path != NULL ? strdup(path) : NULL;
    char *folder = copy != NULL ? strdup(dirname(copy)) : NULL;
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    const char *base = slash != NULL ? slash + 1 : path;
    DIR *dir = folder != NULL ? opendir(folder) : NULL;
    const struct dirent *e;
    bool own = dir != NULL;
    while (own && (e = readdir(dir)) != NULL)
        own = is_of_state(e->d_name, base);
    if (dir != NULL)
        (void)closedir(dir);
    free(copy);
    free(path);
    if (own)
        return folder;
    free(folder);
    return NULL;
}

static bool add_file(p3_sandbox *s, p3_duty_file_kind kind, char *path)
{
    p3_duty_file *more =
        path != NULL ? realloc(s->files, (s->duties.file_count + 1) * sizeof *more) : NULL;
    if (more == NULL) {
        free(path);
        return false;
    }
    s->files = more;
    s->files[s->duties.file_count++] = (p3_duty_file){.kind = kind, .path = path};
    return true;
}

static bool add_read(p3_sandbox *s, const char *path)
{
    return path == NULL || add_file(s, P3_BESIDE_READ, strdup(path));
}

/* The netrc file, if a secret is looked up there. */
static bool add_netrc(p3_sandbox *s, const p3_secret_source *secret, const char *path)
{
    const char *home = getenv("HOME");
    if (!p3_secret_may_be_in_netrc(secret))
        return true;
    if (path != NULL)
        return add_read(s, path);
    return home == NULL || add_file(s, P3_BESIDE_READ, p3_text_join(home, "/.netrc", NULL));
}

/* Files that an account reads at each visit; its certificates were read when TLS was prepared. */
static bool add_reads(p3_sandbox *s, const p3_local_account *a)
{
    p3_settings set;
    const p3_secret_source *secret;
    p3_packed_settings_view(a->settings, &set);
    const char *const of_targets[] = {
        set.imap_password_file, set.imap_ca_file,
        set.smtp_password_file, set.smtp_ca_file,
        set.lmtp_ca_file,       a->gmail != NULL ? a->gmail->options.way.ca_file : NULL};
    bool ok = add_read(s, set.password_file) && add_netrc(s, &a->secret, set.netrc);
    for (size_t i = 0; ok && s->delivers && i < sizeof of_targets / sizeof *of_targets; i++)
        ok = add_read(s, of_targets[i]);
    for (size_t i = 0; ok && s->delivers && (secret = p3_local_account_target_secret(a, i)) != NULL;
         i++)
        ok = add_netrc(s, secret, set.netrc);
    return ok;
}

/* A server or proxy; an invalid name or address is refused where it is used. */
static void add_place(p3_sandbox *s, const char *host, uint16_t port)
{
    char *name = host != NULL ? p3_outside_name(host) : NULL;
    if (name == NULL && host != NULL)
        name = strdup(host);
    if (name != NULL)
        s->places[s->duties.place_count++] = (p3_duty_server){name, port};
}

static bool add_target(p3_sandbox *s, const p3_target *t)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    p3_server_address address;
    if (p3_target_server(t, &address)) {
        add_place(s, address.path == NULL ? address.host : NULL, address.port);
        return address.path == NULL || add_file(s, P3_DUTY_FILE_SOCKET, strdup(address.path));
    }
    return row == NULL || !row->opens_beside || add_file(s, P3_DUTY_FILE_MBOX, strdup(t->where));
}

/* The state by its given name, and by the one that SQLite derives from it. */
static bool add_state(p3_sandbox *s)
{
    char *copy = strdup(s->state);
    char *folder = copy != NULL ? realpath(dirname(copy), NULL) : NULL;
    const char *slash = strrchr(s->state, '/');
    char *real = realpath(s->state, NULL);
    bool ok = copy != NULL && add_file(s, P3_DUTY_FILE_STATE, strdup(s->state));
    if (ok && folder != NULL)
        ok = add_file(s, P3_DUTY_FILE_STATE,
                      p3_text_join(strcmp(folder, "/") == 0 ? "" : folder, "/",
                                   slash != NULL ? slash + 1 : s->state, NULL));
    if (ok && real != NULL)
        ok = add_file(s, P3_DUTY_FILE_STATE, strdup(real));
    free(real);
    free(folder);
    free(copy);
    return ok;
}

/* ---- servers ---- */

/* The server of an account, or its proxy. */
static bool add_server(p3_sandbox *s, const pop3_client_options *o)
{
    uint16_t usual = o->security == POP3_SECURITY_TLS ? POP3_TLS_PORT : POP3_PORT;
    if (o->unix_socket != NULL)
        return add_file(s, P3_DUTY_FILE_SOCKET, strdup(o->unix_socket));
    s->duties.sources = s->duties.sources || o->local_address != NULL;
    if (o->proxy != POP3_PROXY_NONE)
        add_place(s, o->proxy_host, o->proxy_port);
    else
        add_place(s, o->host, o->port != 0 ? o->port : usual);
    return true;
}

/* Has the accounts' names looked up outside, and their sockets connected there. */
static void connect_outside(const p3_sandbox *s)
{
    for (size_t i = 0; i < s->chosen->count; i++) {
        pop3_client_options *o = &s->chosen->at[i].account.connection;
        o->resolve = p3_outside_resolve;
        o->connect = p3_outside_dial;
    }
}

/* ---- tokens ---- */

/* Has tokens obtained outside, where the provider can be reached. */
static void add_token(p3_sandbox *s, p3_secret_source *source)
{
    if (!p3_oauth_is_used(source))
        return;
    s->tokens[s->duties.provide_count++] = source;
    source->outside = (uint32_t)s->duties.provide_count;
}

/* Tokens for a target, and with Gmail the name of its server. */
static void add_target_token(p3_sandbox *s, p3_local_account *a)
{
    p3_secret_source *source;
    for (size_t i = 0; s->delivers && a->gmail != NULL && i < 2; i++)
        add_place(s, a->gmail->options.dialed[i].host, a->gmail->options.dialed[i].port);
    for (size_t i = 0; s->delivers && (source = p3_local_account_target_secret(a, i)) != NULL; i++)
        add_token(s, source);
}

static bool add_targets(p3_sandbox *s, const p3_target *t)
{
    size_t count;
    bool ok = true;
    const p3_target *at = p3_target_members(t, &count);
    for (size_t i = 0; ok && i < count; i++)
        ok = add_target(s, &at[i]);
    return ok;
}

/* The number of the accounts' further targets. */
static size_t count_more(const p3_chosen *chosen)
{
    size_t more = 0;
    for (size_t i = 0; i < chosen->count; i++) {
        size_t count;
        (void)p3_target_members(&chosen->at[i].account.target, &count);
        more += count > 1 ? count - 1 : 0;
    }
    return more;
}

bool p3_sandbox_gather(p3_sandbox *s, const p3_target *more, size_t count)
{
    /* Determined once: a Maildir that is created later may be beside the state. */
    s->state_folder = s->state != NULL ? state_folder(s->state) : NULL;
    bool ok = s->state == NULL || s->state_folder != NULL || add_state(s);
    size_t most = s->chosen->count + count_more(s->chosen);
    s->commands = calloc(4 * most + 1, sizeof *s->commands);
    s->places = calloc(3 * most + count + 1, sizeof *s->places);
    s->tokens = calloc(2 * most + 1, sizeof *s->tokens);
    ok = ok && s->commands != NULL && s->places != NULL && s->tokens != NULL;
    for (size_t i = 0; ok && i < s->chosen->count; i++) {
        p3_local_account *a = &s->chosen->at[i];
        if (a->account.unusable == NULL)
            ok = add_commands(s, a) && add_reads(s, a) &&
                 (!s->delivers || add_targets(s, &a->account.target));
        if (ok && a->account.unusable == NULL)
            ok = add_server(s, &a->account.connection);
        if (ok && a->account.unusable == NULL)
            add_token(s, &a->secret);
        if (ok && a->account.unusable == NULL)
            add_target_token(s, a);
    }
    for (size_t i = 0; ok && i < count; i++)
        ok = add_target(s, &more[i]);
    return ok;
}

/* ---- the runner ---- */

bool p3_sandbox_start_runner(p3_sandbox *s)
{
    s->duties.commands = (const char *const *)s->commands;
    s->duties.places = s->places;
    s->duties.files = s->files;
    s->duties.provide = p3_oauth_provide;
    s->duties.provide_ctx = s->tokens;
    bool ok = p3_runner_start(&s->duties);
    if (ok)
        connect_outside(s);
    return ok;
}

void p3_sandbox_stop_runner(p3_sandbox *s)
{
    p3_runner_stop();
    while (s->duties.command_count > 0)
        free(s->commands[--s->duties.command_count]);
    while (s->duties.file_count > 0)
        free((char *)(uintptr_t)s->files[--s->duties.file_count].path);
    while (s->duties.place_count > 0)
        free(s->places[--s->duties.place_count].host);
    free(s->commands);
    free(s->places);
    free(s->tokens);
    s->tokens = NULL;
    s->duties.provide_count = 0;
    free(s->files);
    free(s->state_folder);
    s->state_folder = NULL;
    s->commands = NULL;
    s->places = NULL;
    s->files = NULL;
}
