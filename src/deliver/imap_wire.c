/* The octets of a connection to an IMAP server. */
#include "deliver/imap_wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "deliver/dial.h"
#include "optional/curl.h"
#include "support/clock.h"
#include "system/erase.h"

/* Milliseconds: to encrypt and log in, and until some of what is sent is taken. */
#define P3_LOGIN_MS 60000L
#define P3_SEND_MS  (5 * 60 * 1000)

/* Octets of one response; a server that says more has lost its way. */
#define P3_RESPONSE_MOST ((size_t)1024 * 1024)

struct p3_imap_wire {
    const p3_curl *curl;
    CURL *easy;
    int fd; /* libcurl's; -1 as long as it has none */
    size_t in_at, in_used, out_used;
    char in[16 * 1024];
    char out[32 * 1024];
};

/* ---- connecting ---- */

/* libcurl gets a socket that is connected. */
static curl_socket_t give_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    p3_imap_wire *w = ctx;
    int fd = w->fd;
    (void)purpose;
    (void)address;
    w->fd = -1; /* it closes it */
    return fd >= 0 ? fd : CURL_SOCKET_BAD;
}

static int is_connected(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    (void)ctx;
    (void)fd;
    (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/* What is seen of the login: libcurl says nothing of it. */
typedef struct p3_seen_login {
    bool tried;     /* a secret was sent, or would have been next */
    char said[300]; /* the server's last line */
} p3_seen_login;

static int see_login(CURL *easy, curl_infotype type, char *data, size_t len, void *ctx)
{
    p3_seen_login *seen = ctx;
    (void)easy;
    if (type == CURLINFO_HEADER_OUT)
        seen->tried = seen->tried || memmem(data, len, " AUTHENTICATE ", 14) != NULL ||
                      memmem(data, len, " LOGIN ", 7) != NULL;
    if (type != CURLINFO_HEADER_IN)
        return 0;
    const char *space = memchr(data, ' ', len);
    size_t at = space != NULL ? (size_t)(space - data) + 1 : 0; /* behind the tag */
    size_t n = len - at < sizeof seen->said ? len - at : sizeof seen->said - 1;
    for (size_t i = 0; i < n; i++)
        seen->said[i] = (unsigned char)data[at + i] < ' ' ? ' ' : data[at + i];
    while (n > 0 && seen->said[n - 1] == ' ')
        n--;
    seen->said[n] = '\0';
    return 0;
}

/* Sets libcurl up. It resolves no name: in the sandbox it could not. The address that it is given
 * instead is never used, as the socket is connected. */
static struct curl_slist *set_up(const p3_imap_wire *w, const p3_imap_address *to,
                                 const p3_imap_options *o, p3_seen_login *seen, char *details)
{
    const p3_curl *curl = w->curl;
    CURL *c = w->easy;
    char url[300];
    char name[300];
    bool v6 = strchr(to->server.host, ':') != NULL;
    snprintf(url, sizeof url, "%s://%s%s%s:%u/", to->is_tls ? "imaps" : "imap", v6 ? "[" : "",
             to->server.host, v6 ? "]" : "", to->server.port);
    snprintf(name, sizeof name, "%s%s%s:%u:127.0.0.1", v6 ? "[" : "", to->server.host,
             v6 ? "]" : "", to->server.port);
    struct curl_slist *names = curl->slist_append(NULL, name);
    curl->easy_setopt(c, CURLOPT_URL, url);
    curl->easy_setopt(c, CURLOPT_RESOLVE, names);
    curl->easy_setopt(c, CURLOPT_PROTOCOLS_STR, "imap,imaps");
    curl->easy_setopt(c, CURLOPT_PROXY, "");
    curl->easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl->easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
    curl->easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(c, CURLOPT_TIMEOUT_MS, P3_LOGIN_MS);
    curl->easy_setopt(c, CURLOPT_SERVER_RESPONSE_TIMEOUT, P3_LOGIN_MS / 1000);
    curl->easy_setopt(c, CURLOPT_ERRORBUFFER, details);
    curl->easy_setopt(c, CURLOPT_VERBOSE, 1L);
    curl->easy_setopt(c, CURLOPT_DEBUGFUNCTION, see_login);
    curl->easy_setopt(c, CURLOPT_DEBUGDATA, seen);
    curl->easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, give_socket);
    curl->easy_setopt(c, CURLOPT_OPENSOCKETDATA, w);
    curl->easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, is_connected);
    curl->easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl->easy_setopt(c, CURLOPT_USE_SSL,
                      (long)(o->allow_plaintext ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    if (o->ca_file != NULL) {
        curl->easy_setopt(c, CURLOPT_CAINFO, o->ca_file);
        curl->easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    curl->easy_setopt(c, CURLOPT_USERNAME, to->user);
    return names;
}

/* Without a list of methods libcurl prefers CRAM-MD5, which fails where passwords are stored as
 * hashes: an encrypted connection protects a password as it is. */
static void set_secret(const p3_imap_wire *w, const p3_imap_secret *secret, const char *methods)
{
    w->curl->easy_setopt(w->easy, CURLOPT_LOGIN_OPTIONS, methods);
    w->curl->easy_setopt(w->easy, secret->is_token ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD,
                         secret->text);
}

static void explain(const p3_imap_wire *w, const p3_imap_address *to, CURLcode code,
                    const p3_seen_login *seen, const char *details, p3_problem *why)
{
    const char *what = details[0] != '\0' ? details : w->curl->easy_strerror(code);
    const char *host = to->server.host;
    if (code == CURLE_LOGIN_DENIED && strstr(seen->said, "[UNAVAILABLE]") != NULL)
        p3_problem_set(why, EX_TEMPFAIL,
                       "logging in to the IMAP server %s as %s: %s; try again later", host,
                       to->user, seen->said);
    else if (code == CURLE_LOGIN_DENIED)
        p3_problem_set(why, EX_NOPERM,
                       "logging in to the IMAP server %s as %s: it refuses the login: %s; see that "
                       "the user is right, and the secret (imap-password-file and its like)",
                       host, to->user, seen->tried ? seen->said : "no method that we know");
    else if (code == CURLE_PEER_FAILED_VERIFICATION)
        p3_problem_set(why, EX_UNAVAILABLE,
                       "connecting to the IMAP server %s: %s; if the server is the right one, name "
                       "its authority with imap-ca-file",
                       host, what);
    else if (code == CURLE_SSL_CACERT_BADFILE)
        p3_problem_set(why, EX_CONFIG, "connecting to the IMAP server %s: %s; see imap-ca-file",
                       host, what);
    else if (code == CURLE_USE_SSL_FAILED)
        p3_problem_set(why, EX_UNAVAILABLE,
                       "connecting to the IMAP server %s: it offers no STARTTLS; try imaps://, or "
                       "allow the password to be read on the way: imap-allow-plaintext",
                       host);
    else if (strncmp(seen->said, "BYE", 3) == 0)
        p3_problem_set(why, EX_TEMPFAIL, "connecting to the IMAP server %s: it says %s", host,
                       seen->said);
    else
        p3_problem_set(why, EX_TEMPFAIL, "connecting to the IMAP server %s: %s", host, what);
}

/* Connects and logs in with a secret. */
static CURLcode connect_with(p3_imap_wire *w, const p3_imap_address *to, const p3_imap_options *o,
                             const p3_imap_secret *secret, const char *methods, p3_problem *why)
{
    char details[CURL_ERROR_SIZE] = "";
    p3_seen_login seen = {0};
    if (w->easy != NULL)
        w->curl->easy_cleanup(w->easy);
    w->easy = w->curl->easy_init();
    w->fd = w->easy != NULL ? p3_dial(&to->server, "IMAP", why) : -1;
    if (w->fd < 0) {
        if (w->easy == NULL)
            p3_problem_set(why, EX_OSERR, "out of memory");
        return CURLE_COULDNT_CONNECT;
    }
    struct curl_slist *names = set_up(w, to, o, &seen, details);
    set_secret(w, secret, methods);
    CURLcode code = w->curl->easy_perform(w->easy);
    if (w->fd >= 0)
        (void)close(w->fd); /* it was not asked for */
    w->fd = -1;
    if (code != CURLE_OK)
        explain(w, to, code, &seen, details, why);
    bool has_none = code == CURLE_LOGIN_DENIED && !seen.tried;
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (code == CURLE_OK)
        w->curl->easy_getinfo(w->easy, CURLINFO_ACTIVESOCKET, &fd);
    w->fd = fd;
    w->curl->easy_setopt(w->easy, CURLOPT_RESOLVE, NULL);
    w->curl->easy_setopt(w->easy, CURLOPT_ERRORBUFFER, NULL);
    w->curl->easy_setopt(w->easy, CURLOPT_VERBOSE, 0L);
    w->curl->slist_free_all(names);
    return has_none ? CURLE_AUTH_ERROR : code;
}

static bool log_in(p3_imap_wire *w, const p3_imap_address *to, const p3_imap_options *o,
                   p3_problem *why)
{
    p3_imap_secret secret = {0};
    CURLcode code = CURLE_LOGIN_DENIED;
    bool again = true;
    for (int attempt = 0; again && attempt < 2; attempt++) {
        if (!o->secret(o->secret_ctx, &secret, why))
            break;
        code = connect_with(w, to, o, &secret,
                            secret.is_token ? "AUTH=OAUTHBEARER;AUTH=XOAUTH2"
                                            : "AUTH=PLAIN;AUTH=SCRAM-SHA-256",
                            why);
        if (code == CURLE_AUTH_ERROR && !secret.is_token) /* any other, and at last LOGIN */
            code = connect_with(w, to, o, &secret, NULL, why);
        again = code == CURLE_LOGIN_DENIED && secret.is_token; /* it may have been withdrawn */
    }
    if (secret.text != NULL)
        p3_erase(secret.text, strlen(secret.text));
    free(secret.text);
    return code == CURLE_OK;
}

p3_imap_wire *p3_imap_wire_open(const p3_imap_address *to, const p3_imap_options *options,
                                p3_problem *why)
{
    p3_imap_wire *w = malloc(sizeof *w);
    if (w == NULL) {
        p3_problem_set(why, EX_OSERR, "out of memory");
        return NULL;
    }
    w->curl = p3_curl_load();
    w->easy = NULL;
    w->fd = -1;
    w->in_at = w->in_used = w->out_used = 0;
    if (w->curl == NULL)
        p3_problem_set(why, EX_UNAVAILABLE,
                       "connecting to the IMAP server: %s cannot be loaded; install libcurl",
                       P3_CURL_SONAME);
    if (w->curl != NULL && log_in(w, to, options, why))
        return w;
    p3_imap_wire_close(w);
    return NULL;
}

void p3_imap_wire_close(p3_imap_wire *w)
{
    if (w == NULL)
        return;
    if (w->easy != NULL)
        w->curl->easy_cleanup(w->easy);
    free(w);
}

/* ---- octets ---- */

static bool fails(CURLcode code)
{
    errno = code == CURLE_OUT_OF_MEMORY ? ENOMEM : ECONNRESET;
    return false;
}

bool p3_imap_flush(p3_imap_wire *w)
{
    int64_t until = p3_clock_ms() + P3_SEND_MS;
    size_t done = 0;
    size_t used = w->out_used;
    w->out_used = 0;
    while (done < used) {
        size_t n = 0;
        CURLcode code = w->curl->easy_send(w->easy, w->out + done, used - done, &n);
        done += n;
        if (code == CURLE_OK && n > 0)
            until = p3_clock_ms() + P3_SEND_MS;
        else if (code != CURLE_OK && code != CURLE_AGAIN)
            return fails(code);
        else if (!p3_dial_wait(w->fd, POLLOUT, until))
            return false;
    }
    return true;
}

bool p3_imap_put(p3_imap_wire *w, const char *data, size_t len)
{
    while (len > 0) {
        size_t n = sizeof w->out - w->out_used < len ? sizeof w->out - w->out_used : len;
        memcpy(w->out + w->out_used, data, n);
        w->out_used += n;
        data += n;
        len -= n;
        if (w->out_used == sizeof w->out && !p3_imap_flush(w))
            return false;
    }
    return true;
}

/* The next octet, or -1 with errno. */
static int next_octet(p3_imap_wire *w, int64_t until)
{
    while (w->in_at == w->in_used) {
        size_t n = 0;
        CURLcode code = w->curl->easy_recv(w->easy, w->in, sizeof w->in, &n);
        if (code == CURLE_OK && n > 0) {
            w->in_used = n;
            w->in_at = 0;
        } else if (code == CURLE_OK) {
            errno = 0;
            return -1;
        } else if (code != CURLE_AGAIN) {
            (void)fails(code);
            return -1;
        } else if (!p3_dial_wait(w->fd, POLLIN, until))
            return -1;
    }
    return (unsigned char)w->in[w->in_at++];
}

/* ---- responses ---- */

/* What is kept of a response as it comes. */
typedef struct p3_gathered {
    p3_imap_response *r;
    size_t kept;
    size_t all;
} p3_gathered;

static bool gather(p3_gathered *g, int c)
{
    if (c < 0)
        return false;
    if (++g->all > P3_RESPONSE_MOST) {
        errno = EPROTO;
        return false;
    }
    if (g->kept + 1 < P3_RESPONSE_TEXT)
        g->r->text[g->kept++] = c != '\0' ? (char)c : ' ';
    else
        g->r->is_cut = true;
    return true;
}

/* Reads a line up to its LF. `*literal` is what it says follows: {N}; -1: nothing. */
static bool read_line(p3_imap_wire *w, p3_gathered *g, int64_t *literal, int64_t until)
{
    int64_t number = -1; /* of the braces that may end the line */
    bool closed = false;
    for (;;) {
        int c = next_octet(w, until);
        if (!gather(g, c))
            return false;
        if (c == '\n')
            break;
        if (c == '{' && !closed) {
            number = 0;
        } else if (c >= '0' && c <= '9' && number >= 0 && !closed) {
            number = number * 10 + (c - '0');
            if (number > (int64_t)P3_RESPONSE_MOST)
                number = (int64_t)P3_RESPONSE_MOST + 1; /* gather() refuses it */
        } else if (c == '}' && number >= 0 && !closed) {
            closed = true;
        } else if (c != '\r' || !closed) {
            number = c == '{' ? 0 : -1;
            closed = false;
        }
    }
    *literal = closed ? number : -1;
    return true;
}

/* Cuts the tag off. False when it is none of ours. */
static bool take_tag(p3_imap_response *r)
{
    char *at = r->text;
    char *end = NULL;
    if (at[0] == '*' && at[1] == ' ') {
        r->kind = P3_IMAP_UNTAGGED;
        end = at + 1;
    } else if (at[0] == '+') {
        r->kind = P3_IMAP_CONTINUE;
        end = at + (at[1] == ' ');
    } else if (at[0] == 'p' && at[1] >= '0' && at[1] <= '9') {
        r->kind = P3_IMAP_TAGGED;
        r->tag = (unsigned)strtoul(at + 1, &end, 10);
        if (*end != ' ')
            return false;
    } else {
        return false;
    }
    memmove(at, end + 1, strlen(end + 1) + 1);
    return true;
}

bool p3_imap_read(p3_imap_wire *w, p3_imap_response *r, int64_t until)
{
    p3_gathered g = {.r = r};
    int64_t literal;
    r->is_cut = false;
    do {
        if (!read_line(w, &g, &literal, until))
            return false;
        for (int64_t i = 0; i < literal; i++) {
            if (!gather(&g, next_octet(w, until)))
                return false;
        }
    } while (literal >= 0);
    r->text[g.kept] = '\0';
    while (g.kept > 0 && (r->text[g.kept - 1] == '\n' || r->text[g.kept - 1] == '\r'))
        r->text[--g.kept] = '\0';
    if (take_tag(r))
        return true;
    errno = EPROTO;
    return false;
}
