/* Accounts that log in with OAuth 2.0 tokens. */
#include "cli/oauth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "confine/runner.h"
#include "deliver/directory.h"
#include "settings/config.h"
#include "settings/text.h"
#include "support/erase_text.h"
#include "support/file.h"
#include "system/erase.h"
#include "token/token.h"

/* Maximum length of a token file's name. */
#define P3_NAME_MOST 200

#define P3_KEY_MOST 4096 /* octets of token-key-file */

/* What the process outside sends before the token, or before the problem's text. */
typedef struct p3_token_head {
    int32_t exit; /* 0: the token follows */
    int32_t error;
    uint32_t len;
} p3_token_head;

bool p3_oauth_is_set(const p3_settings *s)
{
    return s->provider != NULL || s->issuer != NULL;
}

bool p3_oauth_is_used(const p3_secret_source *s)
{
    p3_settings set;
    p3_packed_settings_view(s->settings, &set);
    return p3_oauth_is_set(&set);
}

/* ---- what belongs to an account ---- */

/* The account's key as a file name: separators and leading dots as %XX. */
static bool name_of(const char *key, char *out, size_t size)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@_-+";
    size_t len = 0;
    for (const char *at = key; *at != '\0' && len + 4 < size; at++) {
        bool dot = *at == '.' && at != key;
        if (dot || strchr(plain, *at) != NULL)
            out[len++] = *at;
        else
            len += (size_t)snprintf(out + len, size - len, "%%%02X", (unsigned char)*at);
    }
    out[len] = '\0';
    return len > 0 && len + 4 < size;
}

/* The path of the tokens; creates the directory. */
static char *find_path(const p3_secret_source *s, p3_problem *why)
{
    char name[P3_NAME_MOST];
    char *folder = p3_home_path("XDG_STATE_HOME", ".local/state", "tokens");
    char *path = NULL;
    if (folder == NULL)
        p3_problem_set(why, EX_CONFIG, "finding the token: HOME is not set");
    else if (!name_of(s->account->key, name, sizeof name))
        p3_problem_set(why, EX_CONFIG, "finding the token: user and host together are too long");
    else if (!p3_directory_make(folder))
        p3_problem_errno(why, errno, "creating the directory %s", folder);
    else if ((path = p3_text_join(folder, "/", name, NULL)) == NULL)
        p3_problem_memory(why);
    free(folder);
    return path;
}

bool p3_oauth_proxy(const p3_settings *s, char **out)
{
    static const char *const schemes[] = {[POP3_PROXY_SOCKS5] = "socks5h",
                                          [POP3_PROXY_SOCKS4A] = "socks4a",
                                          [POP3_PROXY_HTTP] = "http"};
    *out = NULL;
    if (s->proxy.kind == POP3_PROXY_NONE)
        return true;
    bool v6 = strchr(s->proxy.host, ':') != NULL;
    if (asprintf(out, "%s://%s%s%s:%u", schemes[s->proxy.kind], v6 ? "[" : "", s->proxy.host,
                 v6 ? "]" : "", s->proxy.port) < 0)
        *out = NULL;
    return *out != NULL;
}

static bool read_key(const p3_settings *s, p3_oauth *out, p3_problem *why)
{
    if (s->token_key_file == NULL)
        return true;
    p3_input in;
    bool ok = p3_secret_read_key(s->token_key_file, P3_KEY_MOST, &in, why);
    out->key = (unsigned char *)in.text;
    out->key_len = in.len;
    if (!ok)
        return false;
    return out->key_len >= P3_SEAL_KEY_LEAST ||
           p3_problem_set(why, EX_CONFIG,
                          "reading the token-key-file %s: it has %zu octets, and at least %zu are "
                          "needed; create one: openssl rand -base64 32",
                          s->token_key_file, out->key_len, P3_SEAL_KEY_LEAST);
}

static bool read_client_secret(const p3_settings *s, p3_oauth *out, p3_problem *why)
{
    p3_secret secret = {0};
    if (s->client_secret_file == NULL)
        return true;
    bool ok = p3_secret_from_file(s->client_secret_file, "client-secret-file", &secret, why);
    out->client_secret = secret.text;
    return ok;
}

static p3_token_place place_of(const char *word)
{
    return word != NULL && strcmp(word, "keyring") == 0 ? P3_TOKENS_KEYRING
           : word != NULL && strcmp(word, "file") == 0  ? P3_TOKENS_FILE
                                                        : P3_TOKENS_AUTO;
}

bool p3_oauth_read(const p3_secret_source *s, p3_oauth *out, p3_problem *why)
{
    p3_settings set;
    p3_packed_settings_view(s->settings, &set);
    *out = (p3_oauth){0};
    if (!read_client_secret(&set, out, why) || !read_key(&set, out, why))
        return false;
    out->path = find_path(s, why);
    if (out->path == NULL)
        return false;
    if (!p3_oauth_proxy(&set, &out->proxy))
        return p3_problem_memory(why);
    out->account = (p3_token_account){
        .word = s->account->tokens.word,
        .user = s->account->user,
        .provider = set.provider != NULL ? p3_provider_find(set.provider) : NULL,
        .issuer = set.issuer,
        .tenant = set.tenant,
        .scope = set.scope,
        .client_id = set.client_id,
        .client_secret = out->client_secret,
        .grant =
            set.grant != NULL && strcmp(set.grant, "client") == 0 ? P3_GRANT_CLIENT : P3_GRANT_USER,
        .way = {.ca_file = set.issuer_ca_file,
                .proxy = out->proxy,
                .proxy_user = set.proxy_user,
                .proxy_password = set.proxy_password},
        .store = {.path = out->path,
                  .key = {out->key, out->key_len},
                  .place = place_of(set.token_store),
                  .may_ask = isatty(STDERR_FILENO)},
    };
    return true;
}

void p3_oauth_free(p3_oauth *o)
{
    if (o->client_secret != NULL)
        p3_erase(o->client_secret, strlen(o->client_secret));
    if (o->key != NULL)
        p3_erase(o->key, o->key_len);
    free(o->client_secret);
    free(o->key);
    free(o->path);
    free(o->proxy);
    *o = (p3_oauth){0};
}

void p3_oauth_name_settings(const p3_secret_source *s, p3_problem *why)
{
    p3_problem plain = *why;
    if (s->prefix != NULL && (why->exit == EX_CONFIG || why->exit == EX_PROTOCOL))
        p3_problem_set(why, plain.exit, "%.600s (the settings are %sclient-id and its like)",
                       plain.text, s->prefix);
}

/* ---- here, where anything may be done ---- */

static bool find_here(const p3_secret_source *s, p3_token_print refused, char **token,
                      p3_problem *why)
{
    p3_oauth o;
    *token = NULL;
    bool ok = p3_oauth_read(s, &o, why) && p3_token_get(&o.account, refused, token, why);
    p3_oauth_free(&o);
    if (!ok)
        p3_oauth_name_settings(s, why);
    return ok;
}

/* ---- outside ---- */

void p3_oauth_provide(void *ctx, uint32_t which, const p3_provide_hint *refused, int to)
{
    const p3_secret_source *const *sources = ctx;
    p3_token_print print;
    p3_problem why = {0};
    char *token;
    memcpy(print.octets, refused->octets, sizeof print.octets);
    bool ok = find_here(sources[which], print, &token, &why);
    const char *text = ok ? token : why.text;
    p3_token_head head = {
        .exit = ok ? 0 : why.exit, .error = why.error, .len = (uint32_t)strlen(text)};
    if (p3_write_all(to, (const char *)&head, sizeof head))
        (void)p3_write_all(to, text, head.len);
    p3_erase_text(token);
}

/* Reads exactly len octets. */
static bool read_all(int fd, void *out, size_t len)
{
    char *at = out;
    while (len > 0) {
        ssize_t n = read(fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* ---- inside ---- */

static bool find_outside(const p3_secret_source *s, p3_token_print refused, char **token,
                         p3_problem *why)
{
    p3_provide_hint hint;
    p3_token_head head;
    memcpy(hint.octets, refused.octets, sizeof hint.octets);
    *token = NULL;
    int fd = p3_runner_provide(s->outside - 1, &hint);
    if (fd < 0)
        return p3_problem_errno(why, errno, "finding the token: asking the process outside");
    bool came = read_all(fd, &head, sizeof head) && head.len < P3_SECRET_SIZE;
    char *text = came ? calloc(head.len + 1u, 1) : NULL;
    came = text != NULL && read_all(fd, text, head.len);
    (void)close(fd);
    if (came && head.exit == 0) {
        *token = text;
        return true;
    }
    if (came) {
        p3_problem_set(why, head.exit, "%s", text);
        why->error = head.error;
    } else {
        p3_problem_set(why, EX_OSERR, "finding the token: the process outside ended");
    }
    free(text);
    return false;
}

bool p3_oauth_find(const p3_secret_source *s, p3_secret *out, p3_problem *why)
{
    p3_token_print refused = {0};
    char *token;
    if (out->text != NULL)
        refused = p3_token_print_of(out->text);
    bool asks = s->outside != 0 && p3_runner_is_there();
    bool ok = asks ? find_outside(s, refused, &token, why) : find_here(s, refused, &token, why);
    if (out->text != NULL)
        p3_erase(out->text, out->len);
    free(out->text);
    *out = (p3_secret){
        .text = token, .len = ok ? strlen(token) : 0, .is_token = true, .renewable = true};
    return ok;
}
