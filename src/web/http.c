/* HTTPS requests by libcurl. */
#include "web/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "optional/curl.h"
#include "support/clock.h"
#include "support/stop_request.h"
#include "support/crash_point.h"
#include "support/file.h"
#include "support/input.h"
#include "system/descriptor.h"
#include "system/erase.h"
#include "web/authorities.h"
#include "web/deadline.h"

#define P3_HTTP_CONNECT_MS 20000L
#define P3_HTTP_TOTAL_MS   60000L
/* An upload may take a second longer for this many octets, but must not stall for this many
 * seconds. */
#define P3_HTTP_OCTETS_MS ((uint64_t)16)
#define P3_HTTP_STILL     120L
#define P3_RETRY_MOST     86400 /* seconds: longer waits are not accepted */

struct p3_http_line {
    CURL *curl;
    p3_deadline deadline; /* of the current request */
};

/* An answer that is being received. */
typedef struct p3_coming {
    p3_http_answer *answer;
    size_t most;
    size_t header; /* octets of header lines and trailers, which libcurl does not limit */
} p3_coming;

/* The size of the block for an answer of this length, including its NUL. */
static size_t room_of(size_t len)
{
    size_t room = 4096;
    while (room <= len)
        room *= 2;
    return room;
}

/* Moves the answer to a block of this size: not by realloc(), which leaves a copy unwiped. */
static bool move(p3_http_answer *a, size_t room)
{
    char *more = malloc(room);
    if (more == NULL)
        return false;
    if (a->body != NULL) {
        memcpy(more, a->body, a->len);
        p3_erase(a->body, a->len);
        free(a->body);
    }
    a->body = more;
    return true;
}

/* Adds a piece of the answer. Ends the request when it is too long or when out of memory. */
static size_t take_piece(char *data, size_t one, size_t len, void *ctx)
{
    const p3_coming *coming = ctx;
    p3_http_answer *a = coming->answer;
    (void)one;
    if (len > coming->most - a->len)
        return 0;
    size_t room = room_of(a->len + len);
    if ((a->body == NULL || room != room_of(a->len)) && !move(a, room))
        return 0;
    memcpy(a->body + a->len, data, len);
    a->len += len;
    a->body[a->len] = '\0';
    return len;
}

/* Adds a line of the header, or of the trailers after the body. */
static size_t take_line(char *data, size_t one, size_t len, void *ctx)
{
    p3_coming *coming = ctx;
    (void)data;
    (void)one;
    if (len > P3_HTTP_MOST - coming->header)
        return 0;
    coming->header += len;
    return len;
}

void p3_http_answer_free(p3_http_answer *a)
{
    if (a->body != NULL)
        p3_erase(a->body, a->len);
    free(a->body);
    *a = (p3_http_answer){0};
}

static bool append(struct curl_slist **list, const char *line)
{
    const p3_curl *curl = p3_curl_load();
    struct curl_slist *more = curl->slist_append(*list, line);
    if (more != NULL)
        *list = more;
    return more != NULL;
}

/* The last `c` among `len` octets; or NULL. */
static const char *find_last(const char *text, size_t len, char c)
{
    while (len > 0 && text[len - 1] != c)
        len--;
    return len > 0 ? text + len - 1 : NULL;
}

char *p3_http_environment_proxy(void)
{
    static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    const char *url = NULL;
    for (size_t i = 0; (url == NULL || url[0] == '\0') && i < sizeof names / sizeof *names; i++)
        url = getenv(names[i]);
    if (url == NULL || url[0] == '\0')
        return NULL;
    const char *scheme = strstr(url, "://");
    const char *host = scheme != NULL ? scheme + 3 : url;
    size_t len = strcspn(host, "/?#");
    const char *at = find_last(host, len, '@'); /* after a user name and password */
    if (at != NULL) {
        len -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    const char *colon = find_last(host, len, ':');
    bool has_port = colon != NULL && memchr(colon, ']', len - (size_t)(colon - host)) == NULL;
    const char *port = strncasecmp(url, "https://", 8) == 0 ? ":443" : ":1080";
    char *out = NULL;
    return asprintf(&out, "%.*s%s", (int)len, host, has_port ? "" : port) < 0 ? NULL : out;
}

/* If the process may not create sockets, it may not connect them either: libcurl then gets one that
 * is connecting. */
static curl_socket_t give_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *a)
{
    const p3_http_way *way = ctx;
    struct sockaddr_storage to = {0};
    int fd = p3_descriptor_socket(a->family);
    (void)purpose;
    if (fd >= 0 || errno != EPERM || a->addrlen > sizeof to)
        return fd;
    memcpy(&to, &a->addr, a->addrlen);
    return way->connect(NULL, &to, NULL);
}

static void set_way(CURL *c, const p3_http_way *way, struct curl_slist **addresses)
{
    const p3_curl *curl = p3_curl_load();
    for (size_t i = 0; i < sizeof way->addresses / sizeof *way->addresses; i++) {
        if (way->addresses[i] != NULL)
            (void)append(addresses, way->addresses[i]); /* otherwise it is looked up */
    }
    curl->easy_setopt(c, CURLOPT_RESOLVE, *addresses);
    /* Otherwise libcurl 8.22 ignores them if it may not create an IPv6 datagram socket. */
    if (way->only_ipv6)
        curl->easy_setopt(c, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_V6);
    if (way->connect != NULL) {
        curl->easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, give_socket);
        curl->easy_setopt(c, CURLOPT_OPENSOCKETDATA, way);
    }
    p3_authorities_set(c, way->ca_file, way->open != NULL ? way->open : p3_input_open);
    if (way->proxy != NULL) {
        curl->easy_setopt(c, CURLOPT_PROXY, way->proxy);
        curl->easy_setopt(c, CURLOPT_NOPROXY, "");
        curl->easy_setopt(c, CURLOPT_PROXYUSERNAME, way->proxy_user);
        curl->easy_setopt(c, CURLOPT_PROXYPASSWORD, way->proxy_password);
    }
}

static void set_bounds(p3_http_line *line, const p3_http_request *r)
{
    const p3_curl *curl = p3_curl_load();
    CURL *c = line->curl;
    uint64_t more = r->upload != NULL ? p3_http_upload_octets(r->upload) / P3_HTTP_OCTETS_MS : 0;
    curl->easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, P3_HTTP_CONNECT_MS);
    curl->easy_setopt(c, CURLOPT_TIMEOUT_MS, P3_HTTP_TOTAL_MS + (long)more);
    line->deadline.until = p3_clock_ms() + P3_HTTP_TOTAL_MS + (int64_t)more;
    p3_deadline_heed(c, &line->deadline);
    if (r->upload != NULL) {
        curl->easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl->easy_setopt(c, CURLOPT_LOW_SPEED_TIME, P3_HTTP_STILL);
    }
    curl->easy_setopt(c, CURLOPT_MAXFILESIZE, (long)(r->most > 0 ? r->most : P3_HTTP_MOST));
    curl->easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
    curl->easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl->easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl->easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl->easy_setopt(c, CURLOPT_USERAGENT, "libpop3");
}

/* ---- uploads ---- */

uint64_t p3_http_upload_octets(const p3_http_upload *u)
{
    return u->head_len + u->length + u->tail_len;
}

/* Fills `out` from a text, as far as it reaches there. */
static size_t copy_text(char *out, size_t room, const char *text, size_t len, uint64_t at)
{
    size_t n = at < len ? len - (size_t)at : 0;
    if (n > room)
        n = room;
    memcpy(out, text + at, n);
    return n;
}

/* Gives libcurl a piece of an upload. */
static size_t give_piece(char *out, size_t one, size_t room, void *ctx)
{
    p3_http_upload *u = ctx;
    uint64_t file_end = u->head_len + u->length;
    size_t n;
    (void)one;
    if (u->done < u->head_len) {
        n = copy_text(out, room, u->head, u->head_len, u->done);
    } else if (u->done < file_end) {
        uint64_t left = file_end - u->done;
        n = left < room ? (size_t)left : room;
        if (!p3_read_at(u->fd, out, n, u->offset + (u->done - u->head_len))) {
            u->error = errno != 0 ? errno : EIO;
            return CURL_READFUNC_ABORT;
        }
        p3_crash_point("upload-content");
    } else {
        n = copy_text(out, room, u->tail, u->tail_len, u->done - file_end);
    }
    u->done += n;
    if (n > 0 && u->done == file_end + u->tail_len)
        p3_crash_point("upload-whole");
    return n;
}

/* ---- the request ---- */

static void set_request(CURL *c, const p3_http_request *r)
{
    const p3_curl *curl = p3_curl_load();
    curl->easy_setopt(c, CURLOPT_URL, r->url);
    if (r->body != NULL) {
        curl->easy_setopt(c, CURLOPT_POST, 1L);
        curl->easy_setopt(c, CURLOPT_POSTFIELDS, r->body);
        curl->easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)strlen(r->body));
    }
    if (r->upload != NULL) { /* without a way back: libcurl cannot send it twice by itself */
        r->upload->done = 0;
        r->upload->error = 0;
        curl->easy_setopt(c, CURLOPT_POST, 1L);
        curl->easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
                          (curl_off_t)p3_http_upload_octets(r->upload));
        curl->easy_setopt(c, CURLOPT_READFUNCTION, give_piece);
        curl->easy_setopt(c, CURLOPT_READDATA, r->upload);
    }
    curl->easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L); /* it would carry secrets elsewhere */
    if (r->user != NULL) {
        curl->easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl->easy_setopt(c, CURLOPT_USERNAME, r->user);
        curl->easy_setopt(c, CURLOPT_PASSWORD, r->password != NULL ? r->password : "");
    }
    if (r->bearer != NULL) {
        curl->easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        curl->easy_setopt(c, CURLOPT_XOAUTH2_BEARER, r->bearer);
    }
}

static bool set_headers(CURL *c, const p3_http_request *r, struct curl_slist **list)
{
    const p3_curl *curl = p3_curl_load();
    char type[200];
    bool ok = append(list, "Accept: application/json");
    snprintf(type, sizeof type, "Content-Type: %s", r->type != NULL ? r->type : "");
    if (ok && r->type != NULL)
        ok = append(list, type);
    return ok && curl->easy_setopt(c, CURLOPT_HTTPHEADER, *list) == CURLE_OK;
}

/* A proxy that opens no way to the server. */
static bool is_refused_by_proxy(CURL *c)
{
    long status = 0;
    return p3_curl_load()->easy_getinfo(c, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK &&
           status != 0 && status / 100 != 2;
}

/* The errors that come before anything of the request can have gone out. CURLE_OUT_OF_MEMORY is
 * none: that is also what a header line of the answer leads to that is too long. */
static bool is_before_sending(CURL *c, CURLcode code)
{
    switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return true;
    default:
        return is_refused_by_proxy(c);
    }
}

static p3_http_end explain(CURL *c, CURLcode code, const char *details, const char *doing,
                           size_t most, p3_problem *why)
{
    const p3_curl *curl = p3_curl_load();
    const char *what = details[0] != '\0' ? details : curl->easy_strerror(code);
    if (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED)
        p3_problem_set(why, EX_PROTOCOL, "%s: the answer is longer than %zu octets", doing, most);
    else if (code == CURLE_PEER_FAILED_VERIFICATION)
        p3_authorities_explain(c, doing, what, "issuer-", why);
    else if (code == CURLE_SSL_CACERT_BADFILE)
        p3_problem_set(why, EX_CONFIG, "%s: %s; see issuer-ca-file", doing, what);
    else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        p3_problem_set(why, EX_CONFIG, "%s: %s; the address must begin with https://", doing, what);
    else
        p3_problem_set(why, EX_TEMPFAIL, "%s: %s; try again later", doing,
                       code != CURLE_ABORTED_BY_CALLBACK ? what
                       : p3_stop_request_is_made()       ? p3_stop_request_reason(ECANCELED)
                                                         : "the server took too long");
    return is_before_sending(c, code) ? P3_HTTP_NOT_SENT : P3_HTTP_LOST;
}

p3_http_line *p3_http_line_new(const char *doing, p3_problem *why)
{
    const p3_curl *curl = p3_curl_load();
    p3_http_line *line = calloc(1, sizeof *line);
    if (line != NULL && curl != NULL)
        line->curl = curl->easy_init();
    if (line != NULL && line->curl != NULL)
        return line;
    free(line);
    p3_problem_set(why, EX_UNAVAILABLE, "%s: %s cannot be loaded; install libcurl", doing,
                   P3_CURL_SONAME);
    return NULL;
}

p3_http_end p3_http_send_on(p3_http_line *line, const p3_http_way *way, const p3_http_request *r,
                            const char *doing, p3_http_answer *out, p3_problem *why)
{
    const p3_curl *curl = p3_curl_load();
    CURL *c = line->curl;
    char details[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    struct curl_slist *addresses = NULL;
    p3_coming coming = {.answer = out, .most = r->most > 0 ? r->most : P3_HTTP_MOST};
    p3_http_end end = P3_HTTP_ANSWERED;
    *out = (p3_http_answer){0};
    curl->easy_reset(c); /* the connection stays */
    set_bounds(line, r);
    set_way(c, way, &addresses);
    set_request(c, r);
    curl->easy_setopt(c, CURLOPT_ERRORBUFFER, details);
    curl->easy_setopt(c, CURLOPT_WRITEFUNCTION, take_piece);
    curl->easy_setopt(c, CURLOPT_WRITEDATA, &coming);
    curl->easy_setopt(c, CURLOPT_HEADERFUNCTION, take_line);
    curl->easy_setopt(c, CURLOPT_HEADERDATA, &coming);
    CURLcode code = set_headers(c, r, &headers) ? curl->easy_perform(c) : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK) {
        curl_off_t wait = 0;
        curl->easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
        curl->easy_getinfo(c, CURLINFO_RETRY_AFTER, &wait);
        out->retry_after = wait < 0 ? 0 : wait > P3_RETRY_MOST ? P3_RETRY_MOST : (int64_t)wait;
    } else {
        end = explain(c, code, details, doing, coming.most, why);
        if (r->upload != NULL && r->upload->error != 0)
            p3_problem_errno(why, r->upload->error, "%s: reading the message to send", doing);
        p3_http_answer_free(out);
    }
    curl->easy_reset(c); /* the pointers into this call, and the token, are no longer its own */
    curl->slist_free_all(headers);
    curl->slist_free_all(addresses);
    return end;
}

void p3_http_line_free(p3_http_line *line)
{
    if (line != NULL)
        p3_deadline_cleanup(line->curl, &line->deadline);
    free(line);
}

p3_http_end p3_http_send(const p3_http_way *way, const p3_http_request *r, const char *doing,
                         p3_http_answer *out, p3_problem *why)
{
    p3_http_line *line = p3_http_line_new(doing, why);
    *out = (p3_http_answer){0};
    p3_http_end end =
        line != NULL ? p3_http_send_on(line, way, r, doing, out, why) : P3_HTTP_NOT_SENT;
    p3_http_line_free(line);
    return end;
}
