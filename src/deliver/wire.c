/* The octets to and from a server that mail is sent to. */
#include "deliver/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "confine/outside.h"
#include "deliver/dial.h"
#include "optional/curl.h"
#include "support/clock.h"
#include "support/stop_request.h"
#include "support/erase_text.h"
#include "support/redact.h"
#include "web/authorities.h"
#include "web/deadline.h"

/* Milliseconds for TLS and the login; the first octet has as long as connecting. */
#define P3_LOGIN_MS  60000L
#define P3_SILENT_MS 30000

struct p3_wire {
    const p3_curl *curl; /* NULL: only the socket is used */
    CURL *easy;
    int fd; /* -1 while there is none */
    const p3_wire_protocol *protocol;
    p3_deadline deadline; /* of the current operation */
    char *secret;         /* the one used for the login; or NULL */
    size_t ahead_used;    /* octets that were received to check whether there are any */
    char ahead[256];
};

/* ---- logging in ---- */

/* libcurl gets a connected socket. */
static curl_socket_t give_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    p3_wire *w = ctx;
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

/* What is observed of the login, which libcurl does not report. */
typedef struct p3_seen_login {
    const p3_wire_protocol *protocol;
    p3_deadline *deadline; /* the server must send something before it, */
    int64_t until;         /* and the login must end before this time of p3_clock_ms() */
    bool heard;            /* the server has sent something */
    bool tried;            /* a secret was sent, or would have been next */
    char said[300];        /* the server's last line */
} p3_seen_login;

static bool has_word(const char *data, size_t len, const char *word)
{
    return word != NULL && memmem(data, len, word, strlen(word)) != NULL;
}

static int see_login(CURL *easy, curl_infotype type, char *data, size_t len, void *ctx)
{
    p3_seen_login *seen = ctx;
    (void)easy;
    if (type == CURLINFO_HEADER_OUT)
        seen->tried = seen->tried || has_word(data, len, seen->protocol->tries[0]) ||
                      has_word(data, len, seen->protocol->tries[1]);
    if (type != CURLINFO_HEADER_IN)
        return 0;
    seen->heard = true;
    seen->deadline->until = seen->until;
    const char *space = seen->protocol->has_tag ? memchr(data, ' ', len) : NULL;
    size_t at = space != NULL ? (size_t)(space - data) + 1 : 0; /* after the tag */
    size_t n = len - at < sizeof seen->said ? len - at : sizeof seen->said - 1;
    for (size_t i = 0; i < n; i++)
        seen->said[i] = (unsigned char)data[at + i] < ' ' ? ' ' : data[at + i];
    while (n > 0 && seen->said[n - 1] == ' ')
        n--;
    seen->said[n] = '\0';
    return 0;
}

/* The address that libcurl connects to instead of the URL's host: one of the socket's family. */
static const char *instead(int fd)
{
    struct sockaddr_storage own = {0};
    socklen_t len = sizeof own;
    bool v6 = getsockname(fd, (struct sockaddr *)&own, &len) == 0 && own.ss_family == AF_INET6;
    return v6 ? "::[::1]:" : "::127.0.0.1:";
}

/* Sets up libcurl. It resolves no names, which it could not in the sandbox. The socket is
 * connected, so the address is not used; but libcurl 7.88 connects the socket once more, and the
 * address must be of its family. An IPv6 address for a name (CURLOPT_RESOLVE) does not work:
 * libcurl 8.22 ignores it if it may not create an IPv6 datagram socket. */
static struct curl_slist *set_up(p3_wire *w, const p3_server_url *to, const p3_server_options *o,
                                 p3_seen_login *seen, char *details)
{
    const p3_curl *curl = w->curl;
    CURL *c = w->easy;
    char url[300];
    char schemes[40];
    bool v6 = strchr(to->server.host, ':') != NULL;
    snprintf(url, sizeof url, "%s%s://%s%s%s:%u/", w->protocol->scheme, to->is_tls ? "s" : "",
             v6 ? "[" : "", to->server.host, v6 ? "]" : "", to->server.port);
    struct curl_slist *others = curl->slist_append(NULL, instead(w->fd));
    curl->easy_setopt(c, CURLOPT_URL, url);
    curl->easy_setopt(c, CURLOPT_CONNECT_TO, others);
    snprintf(schemes, sizeof schemes, "%s,%ss", w->protocol->scheme, w->protocol->scheme);
    curl->easy_setopt(c, CURLOPT_PROTOCOLS_STR, schemes);
    curl->easy_setopt(c, CURLOPT_PROXY, "");
    curl->easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl->easy_setopt(c, CURLOPT_CONNECT_ONLY, 1L);
    curl->easy_setopt(c, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl->easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(c, CURLOPT_TIMEOUT_MS, P3_LOGIN_MS);
    curl->easy_setopt(c, CURLOPT_SERVER_RESPONSE_TIMEOUT, P3_LOGIN_MS / 1000);
    p3_deadline_heed(c, &w->deadline);
    curl->easy_setopt(c, CURLOPT_ERRORBUFFER, details);
    curl->easy_setopt(c, CURLOPT_VERBOSE, 1L);
    curl->easy_setopt(c, CURLOPT_DEBUGFUNCTION, see_login);
    curl->easy_setopt(c, CURLOPT_DEBUGDATA, seen);
    curl->easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, give_socket);
    curl->easy_setopt(c, CURLOPT_OPENSOCKETDATA, w);
    curl->easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, is_connected);
    curl->easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    /* No handle connects twice; and libcurl 7.88 frees a session twice when out of memory. */
    curl->easy_setopt(c, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl->easy_setopt(c, CURLOPT_USE_SSL,
                      (long)(o->allow_plaintext ? CURLUSESSL_TRY : CURLUSESSL_ALL));
    p3_authorities_set(c, o->ca_file, p3_outside_read);
    if (to->user[0] != '\0')
        curl->easy_setopt(c, CURLOPT_USERNAME, to->user);
    return others;
}

/* Without a list of mechanisms libcurl prefers CRAM-MD5, which fails if passwords are stored as
 * hashes; TLS protects the password anyway. */
static void set_secret(const p3_wire *w, const p3_server_secret *secret, const char *methods)
{
    if (secret->text == NULL)
        return;
    w->curl->easy_setopt(w->easy, CURLOPT_LOGIN_OPTIONS, methods);
    w->curl->easy_setopt(w->easy, secret->is_token ? CURLOPT_XOAUTH2_BEARER : CURLOPT_PASSWORD,
                         secret->text);
}

/* `renewal`: how to get another token, if it was one. */
static void explain_refusal(const p3_wire *w, const p3_server_url *to, const char *said,
                            const char *renewal, p3_problem *why)
{
    const p3_wire_protocol *p = w->protocol;
    char doing[700];
    snprintf(doing, sizeof doing, "logging in to the %s server %s as %s", p->name, to->server.host,
             to->user);
    if (renewal != NULL)
        p3_problem_set(why, EX_NOPERM,
                       "%s: it refuses the token: %s; get a new one, for this user and for %s; %s",
                       doing, said, p->name, renewal);
    else
        p3_problem_set(why, EX_NOPERM,
                       "%s: it refuses the login: %s; check the user name and the secret "
                       "(%spassword-file and its like)",
                       doing, said, p->setting);
}

/* The deadline has passed. A port for TLS waits for the client's first octets, one for STARTTLS
 * sends first. */
static void explain_silence(const p3_wire *w, const p3_server_url *to, const p3_seen_login *seen,
                            const char *doing, p3_problem *why)
{
    char other[60] = "";
    if (seen->heard || p3_stop_request_is_made()) {
        p3_problem_set(why, EX_TEMPFAIL, "%s: %s", doing,
                       p3_stop_request_is_made() ? p3_stop_request_reason(ECANCELED)
                                                 : "no answer in time");
        return;
    }
    if (!to->is_tls)
        snprintf(other, sizeof other, "; if it is one for TLS, use %ss://", w->protocol->scheme);
    p3_problem_set(why, EX_TEMPFAIL, "%s: no answer for %d seconds; check that port %u is right%s",
                   doing, P3_SILENT_MS / 1000, to->server.port, other);
}

static void explain(const p3_wire *w, const p3_server_url *to, CURLcode code, p3_seen_login *seen,
                    const char *details, const char *renewal, p3_problem *why)
{
    const p3_wire_protocol *p = w->protocol;
    const char *what = details[0] != '\0' ? details : w->curl->easy_strerror(code);
    const char *host = to->server.host;
    char doing[400];
    snprintf(doing, sizeof doing, "connecting to the %s server %s", p->name, host);
    p3_redact_secret(seen->said, w->secret);
    if (code == CURLE_LOGIN_DENIED && strstr(seen->said, p->later) != NULL)
        p3_problem_set(why, EX_TEMPFAIL,
                       "logging in to the %s server %s as %s: %s; try again later", p->name, host,
                       to->user, seen->said);
    else if (code == CURLE_LOGIN_DENIED)
        explain_refusal(w, to, seen->tried ? seen->said : "no mechanism that pop3 supports",
                        renewal, why);
    else if (code == CURLE_PEER_FAILED_VERIFICATION)
        p3_authorities_explain(w->easy, doing, what, p->setting, why);
    else if (code == CURLE_ABORTED_BY_CALLBACK ||
             (code == CURLE_SSL_CONNECT_ERROR && !w->deadline.heard &&
              p3_clock_ms() >= p3_stop_request_until(w->deadline.until)))
        explain_silence(w, to, seen, doing, why);
    else if (code == CURLE_SSL_CACERT_BADFILE)
        p3_problem_set(why, EX_CONFIG, "%s: %s; see %sca-file", doing, what, p->setting);
    else if (code == CURLE_USE_SSL_FAILED)
        p3_problem_set(why, EX_UNAVAILABLE,
                       "%s: it offers no STARTTLS; try %ss://, or allow the password to be sent "
                       "unencrypted: %sallow-plaintext",
                       doing, p->scheme, p->setting);
    else if (code == CURLE_SSL_CONNECT_ERROR && to->is_tls && p->starttls != NULL)
        p3_problem_set(why, EX_TEMPFAIL, "%s: %s; if its port is one for STARTTLS, use %s", doing,
                       what, p->starttls);
    else if (strncmp(seen->said, "BYE", 3) == 0 || (!p->has_tag && seen->said[0] >= '4'))
        p3_problem_set(why, EX_TEMPFAIL, "%s: it says %s", doing, seen->said);
    else
        p3_problem_set(why, EX_TEMPFAIL, "%s: %s", doing, what);
}

/* Creates a handle for a new connection. */
static bool begin_handle(p3_wire *w, p3_problem *why)
{
    if (w->easy != NULL)
        p3_deadline_cleanup(w->easy, &w->deadline);
    w->easy = w->curl->easy_init();
    return w->easy != NULL || p3_problem_memory(why);
}

/* Starts TLS on a connection, and logs in with a secret. */
static CURLcode secure_connection(p3_wire *w, const p3_server_url *to, const p3_server_options *o,
                                  const p3_server_secret *secret, const char *methods,
                                  p3_problem *why)
{
    char details[CURL_ERROR_SIZE] = "";
    int64_t now = p3_clock_ms();
    p3_seen_login seen = {
        .protocol = w->protocol, .deadline = &w->deadline, .until = now + P3_LOGIN_MS};
    w->deadline.until = now + P3_SILENT_MS;
    struct curl_slist *others = set_up(w, to, o, &seen, details);
    set_secret(w, secret, methods);
    CURLcode code = w->curl->easy_perform(w->easy);
    if (w->fd >= 0)
        (void)close(w->fd); /* libcurl did not take it */
    w->fd = -1;
    if (code != CURLE_OK)
        explain(w, to, code, &seen, details, secret->is_token ? o->renewal : NULL, why);
    bool has_none = code == CURLE_LOGIN_DENIED && !seen.tried;
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (code == CURLE_OK)
        w->curl->easy_getinfo(w->easy, CURLINFO_ACTIVESOCKET, &fd);
    w->fd = fd;
    w->curl->easy_setopt(w->easy, CURLOPT_CONNECT_TO, NULL);
    w->curl->easy_setopt(w->easy, CURLOPT_ERRORBUFFER, NULL);
    w->curl->easy_setopt(w->easy, CURLOPT_VERBOSE, 0L);
    w->curl->slist_free_all(others);
    return has_none ? CURLE_AUTH_ERROR : code;
}

/* Connects and logs in with a secret. */
static CURLcode connect_with(p3_wire *w, const p3_server_url *to, const p3_server_options *o,
                             const p3_server_secret *secret, const char *methods, p3_problem *why)
{
    w->fd = begin_handle(w, why) ? p3_dial(&to->server, w->protocol->name, why) : -1;
    return w->fd >= 0 ? secure_connection(w, to, o, secret, methods, why) : CURLE_COULDNT_CONNECT;
}

static bool log_in(p3_wire *w, const p3_server_url *to, const p3_server_options *o, p3_problem *why)
{
    p3_server_secret secret = {0};
    CURLcode code = CURLE_LOGIN_DENIED;
    bool again = true;
    for (int attempt = 0; again && attempt < 2; attempt++) {
        if (to->user[0] != '\0' && !o->secret(o->secret_ctx, &secret, why))
            break;
        p3_erase_text(w->secret);
        w->secret = secret.text != NULL ? strdup(secret.text) : NULL;
        if (secret.text != NULL && w->secret == NULL) {
            p3_problem_memory(why);
            break;
        }
        code = connect_with(
            w, to, o, &secret,
            secret.is_token ? "AUTH=OAUTHBEARER;AUTH=XOAUTH2" : w->protocol->passwords, why);
        if (code == CURLE_AUTH_ERROR &&
            !secret.is_token) /* first any other mechanism, finally LOGIN */
            code = connect_with(w, to, o, &secret, NULL, why);
        again = code == CURLE_LOGIN_DENIED && secret.is_token; /* it may have been withdrawn */
    }
    p3_erase_text(secret.text);
    return code == CURLE_OK;
}

p3_wire *p3_wire_dial(const p3_server_address *to, const char *protocol, p3_problem *why)
{
    p3_wire *w = calloc(1, sizeof *w);
    if (w == NULL) {
        p3_problem_memory(why);
        return NULL;
    }
    w->fd = p3_dial(to, protocol, why);
    if (w->fd >= 0)
        return w;
    free(w);
    return NULL;
}

static bool load(p3_wire *w, const p3_wire_protocol *protocol, p3_problem *why)
{
    w->protocol = protocol;
    w->curl = p3_curl_load();
    return w->curl != NULL ||
           p3_problem_set(why, EX_UNAVAILABLE,
                          "connecting to the %s server: %s cannot be loaded; install libcurl",
                          protocol->name, P3_CURL_SONAME);
}

p3_wire *p3_wire_log_in(const p3_server_url *to, const p3_server_options *options,
                        const p3_wire_protocol *protocol, p3_problem *why)
{
    p3_wire *w = calloc(1, sizeof *w);
    if (w == NULL) {
        p3_problem_memory(why);
        return NULL;
    }
    w->fd = -1;
    if (load(w, protocol, why) && log_in(w, to, options, why))
        return w;
    p3_wire_close(w);
    return NULL;
}

/* To libcurl it is the beginning of an HTTPS request that stops after TLS. */
bool p3_wire_encrypt(p3_wire *w, const p3_server_address *to, const char *ca_file,
                     const p3_wire_protocol *protocol, p3_problem *why)
{
    p3_server_url url = {.server = *to, .is_tls = true};
    p3_server_options options = {.ca_file = ca_file};
    p3_server_secret none = {0};
    return load(w, protocol, why) && begin_handle(w, why) &&
           secure_connection(w, &url, &options, &none, NULL, why) == CURLE_OK;
}

void p3_wire_close(p3_wire *w)
{
    if (w == NULL)
        return;
    if (w->easy != NULL)
        p3_deadline_cleanup(w->easy, &w->deadline); /* and its socket */
    else if (w->fd >= 0)
        (void)close(w->fd);
    p3_erase_text(w->secret);
    free(w);
}

void p3_wire_hide(const p3_wire *w, char *text)
{
    p3_redact_secret(text, w->secret);
}

/* ---- octets ---- */

/* Sends or receives what is possible now. -1 with errno, EAGAIN when nothing is. */
static ssize_t send_octets(p3_wire *w, const char *data, size_t len)
{
    size_t n = 0;
    if (w->curl == NULL)
        return send(w->fd, data, len, MSG_NOSIGNAL);
    CURLcode code = w->curl->easy_send(w->easy, data, len, &n);
    if (n > 0)
        return (ssize_t)n;
    errno = code == CURLE_OK || code == CURLE_AGAIN ? EAGAIN
            : code == CURLE_OUT_OF_MEMORY           ? ENOMEM
                                                    : ECONNRESET;
    return -1;
}

static ssize_t receive_octets(p3_wire *w, char *out, size_t room)
{
    size_t n = 0;
    if (w->curl == NULL)
        return recv(w->fd, out, room, 0);
    CURLcode code = w->curl->easy_recv(w->easy, out, room, &n);
    if (code == CURLE_OK)
        return (ssize_t)n;
    errno = code == CURLE_AGAIN ? EAGAIN : code == CURLE_OUT_OF_MEMORY ? ENOMEM : ECONNRESET;
    return -1;
}

/* Whether a failed operation can be repeated, after waiting. */
static bool waits(const p3_wire *w, short events, int64_t until)
{
    return errno == EINTR ||
           ((errno == EAGAIN || errno == EWOULDBLOCK) && p3_dial_wait(w->fd, events, until));
}

bool p3_wire_send(p3_wire *w, const char *data, size_t len, int64_t until)
{
    w->deadline.until = until;
    for (size_t done = 0; done < len;) {
        ssize_t n = send_octets(w, data + done, len - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || !waits(w, POLLOUT, until))
            return false;
    }
    return true;
}

ssize_t p3_wire_receive(p3_wire *w, char *out, size_t room, int64_t until)
{
    size_t ahead = w->ahead_used < room ? w->ahead_used : room;
    if (ahead > 0) {
        memcpy(out, w->ahead, ahead);
        w->ahead_used -= ahead;
        memmove(w->ahead, w->ahead + ahead, w->ahead_used);
        return (ssize_t)ahead;
    }
    w->deadline.until = until;
    while (p3_clock_ms() < until) { /* also if there is always something to read */
        ssize_t n = receive_octets(w, out, room);
        if (n >= 0 || !waits(w, POLLIN, until))
            return n;
    }
    errno = ETIMEDOUT;
    return -1;
}

/* What arrives may belong to TLS itself: it must be received to know. */
bool p3_wire_has_spoken(p3_wire *w)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    if (w->ahead_used > 0 || w->curl == NULL)
        return w->ahead_used > 0 || poll(&p, 1, 0) > 0;
    ssize_t n = receive_octets(w, w->ahead, sizeof w->ahead);
    w->ahead_used = n > 0 ? (size_t)n : 0;
    return n >= 0 || errno != EAGAIN;
}

void p3_wire_say(p3_wire *w, const char *data, size_t len)
{
    if (send_octets(w, data, len) < 0)
        errno = 0; /* the server closed it */
}
