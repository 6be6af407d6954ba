/* One HTTPS request and its answer, by libcurl. */
#include "web/http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "optional/library.h"
#include "system/erase.h"

#define P3_HTTP_CONNECT_MS 20000L
#define P3_HTTP_TOTAL_MS   60000L
#define P3_RETRY_MOST      86400 /* seconds: no server keeps us away for longer */

static struct {
    __typeof__(curl_global_init) *global_init;
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_perform)(CURL *);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    void (*easy_cleanup)(CURL *);
    const char *(*easy_strerror)(CURLcode);
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
} curl;

static const p3_symbol symbols[] = {
    {"curl_global_init", &curl.global_init},      {"curl_easy_init", &curl.easy_init},
    {"curl_easy_setopt", &curl.easy_setopt},      {"curl_easy_perform", &curl.easy_perform},
    {"curl_easy_getinfo", &curl.easy_getinfo},    {"curl_easy_cleanup", &curl.easy_cleanup},
    {"curl_easy_strerror", &curl.easy_strerror},  {"curl_slist_append", &curl.slist_append},
    {"curl_slist_free_all", &curl.slist_free_all}};
static p3_library library = P3_LIBRARY(P3_CURL_SONAME, symbols);
P3_LIBRARY_NOTE(curl_note, "oauth", P3_CURL_SONAME, "OAuth 2.0 tokens over HTTPS");

static bool is_ready;

static void initialize(void)
{
    is_ready = p3_library_load(&library) && curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* Octets of the block that an answer of this length, with its NUL, is in. */
static size_t room_of(size_t len)
{
    size_t room = 4096;
    while (room <= len)
        room *= 2;
    return room;
}

/* Puts the answer into a block of this size: not by realloc(), which leaves a copy unwiped. */
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

/* Takes a piece of the answer. One that is too long, or for which there is no memory, ends it. */
static size_t take_piece(char *data, size_t one, size_t len, void *ctx)
{
    p3_http_answer *a = ctx;
    (void)one;
    if (len > P3_HTTP_MOST - a->len)
        return 0;
    size_t room = room_of(a->len + len);
    if ((a->body == NULL || room != room_of(a->len)) && !move(a, room))
        return 0;
    memcpy(a->body + a->len, data, len);
    a->len += len;
    a->body[a->len] = '\0';
    return len;
}

void p3_http_answer_free(p3_http_answer *a)
{
    if (a->body != NULL)
        p3_erase(a->body, a->len);
    free(a->body);
    *a = (p3_http_answer){0};
}

static void set_way(CURL *c, const p3_http_way *way)
{
    if (way->ca_file != NULL) {
        curl.easy_setopt(c, CURLOPT_CAINFO, way->ca_file);
        curl.easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    if (way->proxy != NULL) {
        curl.easy_setopt(c, CURLOPT_PROXY, way->proxy);
        curl.easy_setopt(c, CURLOPT_NOPROXY, "");
        curl.easy_setopt(c, CURLOPT_PROXYUSERNAME, way->proxy_user);
        curl.easy_setopt(c, CURLOPT_PROXYPASSWORD, way->proxy_password);
    }
}

static void set_bounds(CURL *c)
{
    curl.easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl.easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, P3_HTTP_CONNECT_MS);
    curl.easy_setopt(c, CURLOPT_TIMEOUT_MS, P3_HTTP_TOTAL_MS);
    curl.easy_setopt(c, CURLOPT_MAXFILESIZE, (long)P3_HTTP_MOST);
    curl.easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
    curl.easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl.easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl.easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl.easy_setopt(c, CURLOPT_USERAGENT, "libpop3");
}

static void set_request(CURL *c, const p3_http_request *r)
{
    curl.easy_setopt(c, CURLOPT_URL, r->url);
    if (r->body != NULL) {
        curl.easy_setopt(c, CURLOPT_POST, 1L);
        curl.easy_setopt(c, CURLOPT_POSTFIELDS, r->body);
        curl.easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)strlen(r->body));
    }
    curl.easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L); /* it would carry secrets elsewhere */
    if (r->user != NULL) {
        curl.easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl.easy_setopt(c, CURLOPT_USERNAME, r->user);
        curl.easy_setopt(c, CURLOPT_PASSWORD, r->password != NULL ? r->password : "");
    }
}

static bool append(struct curl_slist **list, const char *line)
{
    struct curl_slist *more = curl.slist_append(*list, line);
    if (more != NULL)
        *list = more;
    return more != NULL;
}

static bool set_headers(CURL *c, const p3_http_request *r, struct curl_slist **list)
{
    bool json = r->type != NULL && strcmp(r->type, "application/json") == 0;
    bool ok = append(list, "Accept: application/json");
    if (ok && json)
        ok = append(list, "Content-Type: application/json");
    return ok && curl.easy_setopt(c, CURLOPT_HTTPHEADER, *list) == CURLE_OK;
}

/* The errors that come before anything of the request can have gone out. */
static bool is_before_sending(CURLcode code)
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
    case CURLE_OUT_OF_MEMORY:
        return true;
    default:
        return false;
    }
}

static p3_http_end explain(CURLcode code, const char *details, const char *doing, p3_problem *why)
{
    const char *what = details[0] != '\0' ? details : curl.easy_strerror(code);
    if (code == CURLE_WRITE_ERROR || code == CURLE_FILESIZE_EXCEEDED)
        p3_problem_set(why, EX_PROTOCOL, "%s: the answer is longer than %zu octets", doing,
                       P3_HTTP_MOST);
    else if (code == CURLE_PEER_FAILED_VERIFICATION)
        p3_problem_set(why, EX_UNAVAILABLE,
                       "%s: %s; if the server is the right one, name its authority with "
                       "issuer-ca-file",
                       doing, what);
    else if (code == CURLE_SSL_CACERT_BADFILE)
        p3_problem_set(why, EX_CONFIG, "%s: %s; see issuer-ca-file", doing, what);
    else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        p3_problem_set(why, EX_CONFIG, "%s: %s; the address must begin with https://", doing, what);
    else
        p3_problem_set(why, EX_TEMPFAIL, "%s: %s; try again later", doing, what);
    return is_before_sending(code) ? P3_HTTP_NOT_SENT : P3_HTTP_LOST;
}

p3_http_end p3_http_send(const p3_http_way *way, const p3_http_request *r, const char *doing,
                         p3_http_answer *out, p3_problem *why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char details[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    p3_http_end end = P3_HTTP_NOT_SENT;
    *out = (p3_http_answer){0};
    (void)pthread_once(&once, initialize);
    CURL *c = is_ready ? curl.easy_init() : NULL;
    if (c == NULL) {
        p3_problem_set(why, EX_UNAVAILABLE, "%s: %s cannot be loaded; install libcurl", doing,
                       P3_CURL_SONAME);
        return end;
    }
    set_bounds(c);
    set_way(c, way);
    set_request(c, r);
    curl.easy_setopt(c, CURLOPT_ERRORBUFFER, details);
    curl.easy_setopt(c, CURLOPT_WRITEFUNCTION, take_piece);
    curl.easy_setopt(c, CURLOPT_WRITEDATA, out);
    CURLcode code = set_headers(c, r, &headers) ? curl.easy_perform(c) : CURLE_OUT_OF_MEMORY;
    if (code == CURLE_OK) {
        curl_off_t wait = 0;
        end = P3_HTTP_ANSWERED;
        curl.easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
        curl.easy_getinfo(c, CURLINFO_RETRY_AFTER, &wait);
        out->retry_after = wait < 0 ? 0 : wait > P3_RETRY_MOST ? P3_RETRY_MOST : (int64_t)wait;
    } else {
        end = explain(code, details, doing, why);
        p3_http_answer_free(out);
    }
    curl.easy_cleanup(c);
    curl.slist_free_all(headers);
    return end;
}
