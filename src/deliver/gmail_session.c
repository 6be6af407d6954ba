/* Requests to Google's API: the session, its connections, and one request. */
#include "deliver/gmail_session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <pop3/client.h>

#include "confine/outside.h"
#include "confine/runner.h"
#include "deliver/rate_limit.h"
#include "support/clock.h"
#include "support/stop_request.h"
#include "support/erase_text.h"
#include "support/redact.h"
#include "support/pause.h"
#include "web/form.h"
#include "web/json_members.h"

/* Google's quota is 6,000 units for a user and minute; for projects from before May 2026 it is
 * more. We never spend more in a minute than the burst and what is added meanwhile. */
static const p3_quota quota = {.burst = 1000, .a_minute = 4900};

/* A temporarily refused request is repeated after 1, 2, 4 and 8 seconds, plus a random time. If the
 * server asks for more than a minute, the rest is left to another run. */
#define P3_BACKOFF_MS    1000
#define P3_LONGEST_RETRY 60 /* seconds */

struct p3_gmail_session {
    const p3_gmail_options *options;
    char *base; /* https://HOST:PORT */
    char *user; /* encoded for a URL */
    p3_rate_limit *pace;
    pthread_mutex_t mutex; /* protects what follows */
    char *token;
};

struct p3_gmail_connection {
    p3_gmail_session *session;
    p3_http_line *http;
    p3_http_way way;
    char *addresses[2]; /* of the hosts to connect to */
};

/* ---- the session ---- */

static char *make_base(const p3_gmail_options *o)
{
    p3_server_address a;
    char *base = NULL;
    if (!p3_gmail_url_read(&a, o->url))
        return NULL;
    bool v6 = strchr(a.host, ':') != NULL;
    if (asprintf(&base, "https://%s%s%s:%u", v6 ? "[" : "", a.host, v6 ? "]" : "", a.port) < 0)
        return NULL;
    return base;
}

p3_gmail_session *p3_gmail_session_new(const char *user, const p3_gmail_options *options,
                                       p3_problem *why)
{
    p3_gmail_session *s = calloc(1, sizeof *s);
    if (s != NULL) {
        s->options = options;
        s->user = p3_form_encode_text(user);
        s->base = make_base(options);
        s->pace = p3_rate_limit_of(user, quota);
        pthread_mutex_init(&s->mutex, NULL);
    }
    if (s != NULL && s->user != NULL && s->base != NULL && s->pace != NULL)
        return s;
    p3_gmail_session_free(s);
    p3_problem_memory(why);
    return NULL;
}

void p3_gmail_session_free(p3_gmail_session *s)
{
    if (s == NULL)
        return;
    p3_erase_text(s->token);
    free(s->user);
    free(s->base);
    pthread_mutex_destroy(&s->mutex);
    free(s);
}

/* The addresses to connect to, in libcurl's form, if names are looked up outside, and how many are
 * IPv4 and IPv6. NULL: libcurl looks them up itself. False when the name does not exist. */
static bool look_up(const p3_server_address *to, char **out, size_t kinds[2], p3_problem *why)
{
    struct sockaddr_storage found[POP3_RESOLVE_ADDRESSES];
    const char *reason = "";
    char *name = p3_runner_is_there() ? p3_outside_name(to->host) : NULL;
    *out = NULL;
    if (name == NULL)
        return true;
    size_t count = p3_outside_resolve(NULL, name, found, &reason);
    free(name);
    if (count == 0)
        return p3_problem_set(why, EX_TEMPFAIL, "looking up %s: %s", to->host, reason);
    size_t size = strlen(to->host) + 16 + count * (INET6_ADDRSTRLEN + 3);
    char *text = malloc(size);
    if (text == NULL)
        return p3_problem_memory(why);
    size_t used = (size_t)snprintf(text, size, "%s:%u:", to->host, to->port);
    for (size_t i = 0; i < count; i++) {
        char address[INET6_ADDRSTRLEN] = "";
        bool v6 = found[i].ss_family == AF_INET6;
        const void *from = v6 ? (const void *)&((struct sockaddr_in6 *)&found[i])->sin6_addr
                              : (const void *)&((struct sockaddr_in *)&found[i])->sin_addr;
        (void)inet_ntop(found[i].ss_family, from, address, sizeof address);
        kinds[v6]++;
        used += (size_t)snprintf(text + used, size - used, "%s%s%s%s", i > 0 ? "," : "",
                                 v6 ? "[" : "", address, v6 ? "]" : "");
    }
    *out = text;
    return true;
}

/* A name that is not found may not be needed: libcurl reports it if it is. */
static bool look_up_all(p3_gmail_connection *l, p3_problem *why)
{
    bool ok = false;
    size_t kinds[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        const p3_server_address *to = &l->session->options->dialed[i];
        ok = (to->host[0] != '\0' && look_up(to, &l->addresses[i], kinds, why)) || ok;
        l->way.addresses[i] = l->addresses[i];
    }
    l->way.only_ipv6 = kinds[0] == 0 && kinds[1] > 0;
    return ok;
}

p3_gmail_connection *p3_gmail_connection_new(p3_gmail_session *s, p3_problem *why)
{
    p3_gmail_connection *l = calloc(1, sizeof *l);
    if (l == NULL) {
        p3_problem_memory(why);
        return NULL;
    }
    l->session = s;
    l->way = s->options->way;
    l->way.open = p3_outside_read;
    l->way.connect = p3_runner_is_there() ? p3_outside_dial : NULL;
    l->http = p3_http_line_new("delivering to Gmail", why);
    if (l->http != NULL && look_up_all(l, why))
        return l;
    p3_gmail_connection_free(l);
    return NULL;
}

void p3_gmail_connection_free(p3_gmail_connection *l)
{
    if (l == NULL)
        return;
    p3_http_line_free(l->http);
    free(l->addresses[0]);
    free(l->addresses[1]);
    free(l);
}

/* ---- the token ---- */

/* A copy of the valid token; `refused` is not valid any more. NULL with the problem. */
static char *find_token(p3_gmail_session *s, const char *refused, p3_problem *why)
{
    char *copy = NULL;
    bool ok = true;
    pthread_mutex_lock(&s->mutex);
    bool is_stale = s->token == NULL || (refused != NULL && strcmp(s->token, refused) == 0);
    if (is_stale)
        ok = s->options->find_token(s->options->token_ctx, &s->token, why);
    if (ok && s->token != NULL && (copy = strdup(s->token)) == NULL)
        p3_problem_memory(why);
    pthread_mutex_unlock(&s->mutex);
    return copy;
}

/* ---- one request ---- */

void p3_gmail_url(const p3_gmail_connection *l, char out[P3_GMAIL_URL], const char *service,
                  const char *rest, ...)
{
    const p3_gmail_session *s = l->session;
    va_list args;
    int used = snprintf(out, P3_GMAIL_URL, "%s%s/gmail/v1/users/%s", s->base, service, s->user);
    va_start(args, rest);
    if (used > 0 && used < P3_GMAIL_URL)
        vsnprintf(out + used, P3_GMAIL_URL - (size_t)used, rest, args);
    va_end(args);
}

void p3_gmail_back_off(p3_gmail_connection *l, int attempt, int64_t least)
{
    unsigned char dice = 0;
    /* Requests that were refused together are not repeated together. */
    if (getentropy(&dice, sizeof dice) != 0)
        dice = 128;
    int64_t wait = ((int64_t)P3_BACKOFF_MS << attempt) + dice * P3_BACKOFF_MS / 256;
    if (wait < least * 1000)
        wait = least * 1000;
    p3_rate_limit_hold(l->session->pace, p3_clock_ms() + wait);
}

/* Sends it once. Unless the result is GOOD, there is a problem. */
static p3_gmail_verdict send_once(p3_gmail_connection *l, const p3_gmail_call *c, const char *token,
                                  p3_http_answer *answer, p3_problem *why)
{
    p3_http_request r = c->request;
    r.bearer = token;
    p3_pause(p3_rate_limit_spend(l->session->pace, c->units, p3_clock_ms()));
    p3_http_end end = p3_http_send_on(l->http, &l->way, &r, c->doing, answer, why);
    bool whole = r.upload == NULL || r.upload->done == p3_http_upload_octets(r.upload);
    if (end == P3_HTTP_ANSWERED) {
        p3_gmail_verdict is = p3_gmail_judge(answer->status, answer->body, answer->len, c->doing,
                                             l->session->options->renewal, why);
        if (is != P3_GMAIL_GOOD)
            p3_redact_secret(why->text, token);
        return is;
    }
    return end == P3_HTTP_LOST && whole ? P3_GMAIL_UNSURE : P3_GMAIL_STOP;
}

/* Reads the answer to a successful request. */
static p3_gmail_verdict read_answer(const p3_gmail_call *c, const p3_http_answer *answer,
                                    json_t **out, p3_problem *why)
{
    *out = p3_members_read(answer->body, answer->len);
    if (*out != NULL)
        return P3_GMAIL_GOOD;
    p3_problem_set(why, EX_PROTOCOL, "%s: Google's answer is not JSON; try again later", c->doing);
    return P3_GMAIL_UNSURE;
}

p3_gmail_verdict p3_gmail_ask(p3_gmail_connection *l, const p3_gmail_call *c, json_t **out,
                              p3_problem *why)
{
    p3_gmail_session *s = l->session;
    p3_gmail_verdict is = P3_GMAIL_STOP;
    bool renewed = false;
    bool redialed = false;
    *out = NULL;
    char *token = find_token(s, NULL, why);
    for (int attempt = 0; token != NULL;) {
        p3_http_answer answer;
        is = send_once(l, c, token, &answer, why);
        int64_t retry = answer.retry_after;
        if (is == P3_GMAIL_BUSY && retry == 0)
            retry = p3_gmail_retry_after(answer.body, answer.len, time(NULL));
        bool answered = answer.status != 0;
        if (is == P3_GMAIL_GOOD)
            is = read_answer(c, &answer, out, why);
        p3_http_answer_free(&answer);
        if (is == P3_GMAIL_TOKEN && !renewed) {
            char *next = find_token(s, token, why);
            p3_erase_text(token);
            token = next;
            renewed = true;
            continue;
        }
        /* The kept connection was closed, or a repeatable request was interrupted. */
        if (!answered && (is == P3_GMAIL_STOP || c->repeats) && !redialed) {
            redialed = true;
            continue;
        }
        if (is != P3_GMAIL_BUSY && !(is == P3_GMAIL_UNSURE && c->repeats && answered))
            break;
        if (++attempt == P3_GMAIL_ATTEMPTS || retry > P3_LONGEST_RETRY || p3_stop_request_is_made())
            break;
        p3_gmail_back_off(l, attempt - 1, retry);
    }
    if (token == NULL)
        is = P3_GMAIL_STOP;
    p3_erase_text(token);
    return is;
}
