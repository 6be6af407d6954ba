/* Asks the runner for names. Only the accounts' hosts are looked up. Thousands of accounts may have
 * the same host, so an answer is used for a minute, as in most caches without a TTL. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine/outside.h"
#include "confine/runner.h"
#include "confine/runner_protocol.h"
#include "support/clock.h"
#include "system/descriptor.h"

#define P3_ANSWER_HOLDS_MS 60000

/* The last answer for a name; names with the same hash replace each other. */
typedef struct p3_known_name {
    uint32_t which;
    int64_t until; /* 0: none */
    p3_name_answer answer;
} p3_known_name;

static p3_known_name known[16];
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;

static bool recall(uint32_t which, p3_name_answer *out)
{
    const p3_known_name *k = &known[which % (sizeof known / sizeof *known)];
    (void)pthread_mutex_lock(&known_lock);
    bool holds = k->which == which && p3_clock_ms() < k->until;
    if (holds)
        *out = k->answer;
    (void)pthread_mutex_unlock(&known_lock);
    return holds;
}

static void remember(uint32_t which, const p3_name_answer *answer)
{
    p3_known_name *k = &known[which % (sizeof known / sizeof *known)];
    (void)pthread_mutex_lock(&known_lock);
    *k = (p3_known_name){which, p3_clock_ms() + P3_ANSWER_HOLDS_MS, *answer};
    (void)pthread_mutex_unlock(&known_lock);
}

char *p3_outside_name(const char *host)
{
    unsigned char room[sizeof(struct in6_addr)];
    char name[POP3_HOST_NAME_SIZE];
    if (inet_pton(AF_INET, host, room) == 1 || inet_pton(AF_INET6, host, room) == 1)
        return NULL;
    return pop3_host_to_ascii(host, name) == POP3_OK ? strdup(name) : NULL;
}

/* Finds the name among the duties. */
static bool find_name(const char *host, uint32_t *which)
{
    const p3_runner_duties *d = p3_runner_duties_of();
    for (size_t i = 0; i < d->place_count; i++) {
        if (strcmp(d->places[i].host, host) == 0) {
            *which = (uint32_t)i;
            return true;
        }
    }
    return false;
}

/* Has a name looked up. Returns an errno or 0. */
static int ask_runner(const char *host, p3_name_answer *answer)
{
    p3_name_request r = {.ask = P3_ASK_NAME};
    int ends[2];
    ssize_t n;
    if (!p3_runner_is_there() || !find_name(host, &r.which))
        return EPERM;
    if (recall(r.which, answer))
        return 0;
    if (!p3_descriptor_pipe(ends, true))
        return errno;
    int error = p3_runner_send(&r, sizeof r, &ends[1], 1);
    (void)close(ends[1]);
    while (error == 0 && (n = read(ends[0], answer, sizeof *answer)) != (ssize_t)sizeof *answer) {
        if (n >= 0 || errno != EINTR)
            error = n < 0 ? errno : ECHILD; /* the pipe ended without an answer */
    }
    (void)close(ends[0]);
    if (error == 0 && answer->error == 0 && answer->count > 0)
        remember(r.which, answer);
    return error;
}

size_t p3_outside_resolve(void *ctx, const char *host, struct sockaddr_storage *addresses,
                          const char **why)
{
    p3_name_answer answer;
    (void)ctx;
    int error = ask_runner(host, &answer);
    if (error != 0 || answer.error != 0 || answer.count > POP3_RESOLVE_ADDRESSES) {
        *why = error == EPERM ? "the process outside of the sandbox does not know this name"
               : error != 0   ? "the process outside of the sandbox does not answer"
                              : gai_strerror(answer.error);
        return 0;
    }
    memcpy(addresses, answer.addresses, answer.count * sizeof *addresses);
    return answer.count;
}
