/* Decides which account is visited next. */
#include "collect/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "support/grow.h"

#define P3_NONE UINT32_MAX

/* An account, in at most one queue. */
typedef struct p3_entry {
    uint32_t host;
    uint32_t mailbox;
    uint32_t next; /* the next one in its queue */
} p3_entry;

/* A queue of accounts, linked by `next` of the entries. */
typedef struct p3_entries {
    uint32_t first;
    uint32_t last;
} p3_entries;

typedef struct p3_host {
    p3_entries due;
    uint32_t active;
    uint32_t next; /* in the queue of hosts that may start an account */
    bool queued;   /* it is in that queue */
} p3_host;

typedef struct p3_shared_mailbox {
    p3_entries parked; /* accounts that wait for the mailbox */
    bool busy;
} p3_shared_mailbox;

/* An account that waits for a time. */
typedef struct p3_alarm {
    int64_t when;
    uint32_t which;
} p3_alarm;

struct p3_schedule {
    p3_entry *entries;
    p3_host *hosts;
    p3_shared_mailbox *mailboxes;
    uint32_t first_host; /* the queue of hosts that may start an account */
    uint32_t last_host;
    p3_alarm *alarms; /* a heap: the first is the soonest */
    size_t alarm_count;
    p3_room alarm_room;
    size_t active;
    unsigned jobs;
    unsigned per_host;
};

/* ---- queues ---- */

static void push(p3_schedule *s, p3_entries *q, uint32_t which)
{
    s->entries[which].next = P3_NONE;
    if (q->first == P3_NONE)
        q->first = which;
    else
        s->entries[q->last].next = which;
    q->last = which;
}

static void push_front(p3_schedule *s, p3_entries *q, uint32_t which)
{
    s->entries[which].next = q->first;
    if (q->first == P3_NONE)
        q->last = which;
    q->first = which;
}

static uint32_t pop(p3_schedule *s, p3_entries *q)
{
    uint32_t which = q->first;
    q->first = s->entries[which].next;
    return which;
}

/* Appends a host to the queue, if it may start an account and is not in it. */
static void queue_host(p3_schedule *s, uint32_t h)
{
    p3_host *host = &s->hosts[h];
    if (host->queued || host->due.first == P3_NONE || host->active >= s->per_host)
        return;
    host->queued = true;
    host->next = P3_NONE;
    if (s->first_host == P3_NONE)
        s->first_host = h;
    else
        s->hosts[s->last_host].next = h;
    s->last_host = h;
}

static void make_due(p3_schedule *s, uint32_t which)
{
    uint32_t h = s->entries[which].host;
    push_front(s, &s->hosts[h].due, which);
    queue_host(s, h);
}

/* ---- the heap ---- */

static bool is_sooner(const p3_schedule *s, size_t a, size_t b)
{
    return s->alarms[a].when < s->alarms[b].when;
}

static void swap_alarms(p3_schedule *s, size_t a, size_t b)
{
    p3_alarm kept = s->alarms[a];
    s->alarms[a] = s->alarms[b];
    s->alarms[b] = kept;
}

static bool set_alarm(p3_schedule *s, uint32_t which, int64_t when)
{
    if (!p3_grow(&s->alarms, &s->alarm_room, s->alarm_count + 1, sizeof *s->alarms))
        return false;
    size_t at = s->alarm_count++;
    s->alarms[at] = (p3_alarm){.when = when, .which = which};
    for (; at > 0 && is_sooner(s, at, (at - 1) / 2); at = (at - 1) / 2)
        swap_alarms(s, at, (at - 1) / 2);
    return true;
}

static uint32_t take_alarm(p3_schedule *s)
{
    uint32_t which = s->alarms[0].which;
    s->alarms[0] = s->alarms[--s->alarm_count];
    for (size_t at = 0;;) {
        size_t child = 2 * at + 1;
        if (child + 1 < s->alarm_count && is_sooner(s, child + 1, child))
            child++;
        if (child >= s->alarm_count || !is_sooner(s, child, at))
            return which;
        swap_alarms(s, at, child);
        at = child;
    }
}

/* ---- turns ---- */

bool p3_schedule_take(p3_schedule *s, int64_t now, size_t *which)
{
    while (s->alarm_count > 0 && s->alarms[0].when <= now)
        make_due(s, take_alarm(s));
    while (s->active < s->jobs && s->first_host != P3_NONE) {
        uint32_t h = s->first_host;
        p3_host *host = &s->hosts[h];
        s->first_host = host->next;
        host->queued = false;
        uint32_t i = pop(s, &host->due);
        p3_shared_mailbox *mailbox = &s->mailboxes[s->entries[i].mailbox];
        bool may = !mailbox->busy;
        if (may) {
            mailbox->busy = true;
            host->active++;
            s->active++;
        } else {
            push(s, &mailbox->parked, i);
        }
        queue_host(s, h);
        if (may) {
            *which = i;
            return true;
        }
    }
    return false;
}

static void end_turn(p3_schedule *s, size_t which)
{
    const p3_entry *e = &s->entries[which];
    p3_shared_mailbox *mailbox = &s->mailboxes[e->mailbox];
    s->active--;
    s->hosts[e->host].active--;
    mailbox->busy = false;
    if (mailbox->parked.first != P3_NONE)
        make_due(s, pop(s, &mailbox->parked));
    queue_host(s, e->host);
}

bool p3_schedule_again(p3_schedule *s, size_t which, int64_t when)
{
    if (when > 0 && !set_alarm(s, (uint32_t)which, when)) {
        end_turn(s, which);
        return false;
    }
    end_turn(s, which);
    if (when <= 0)
        make_due(s, (uint32_t)which);
    return true;
}

void p3_schedule_finish(p3_schedule *s, size_t which)
{
    end_turn(s, which);
}

int64_t p3_schedule_next(const p3_schedule *s)
{
    return s->active < s->jobs && s->alarm_count > 0 ? s->alarms[0].when : INT64_MAX;
}

size_t p3_schedule_active(const p3_schedule *s)
{
    return s->active;
}

/* ---- hosts and mailboxes ---- */

static const char *host_of(const p3_account *a)
{
    const pop3_client_options *o = &a->connection;
    const char *host = o->unix_socket != NULL ? o->unix_socket : o->host;
    return host != NULL ? host : "";
}

static int compare_hosts(const void *x, const void *y)
{
    return strcasecmp(host_of(**(const p3_account *const *const *)x),
                      host_of(**(const p3_account *const *const *)y));
}

static const char *key_of(const p3_account *a)
{
    return a->key != NULL ? a->key : ""; /* an account that cannot be used */
}

static int compare_mailboxes(const void *x, const void *y)
{
    return strcmp(key_of(**(const p3_account *const *const *)x),
                  key_of(**(const p3_account *const *const *)y));
}

/* Numbers the hosts and mailboxes of the accounts. Returns false when out of memory. */
static bool number_them(p3_schedule *s, const p3_account *const *accounts, size_t count)
{
    const p3_account *const **order = malloc((count + 1) * sizeof *order);
    uint32_t n = 0;
    if (order == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        order[i] = &accounts[i];
    qsort(order, count, sizeof *order, compare_hosts);
    for (size_t i = 0; i < count; i++) {
        n += i > 0 && compare_hosts(&order[i - 1], &order[i]) != 0;
        s->entries[order[i] - accounts].host = n;
    }
    n = 0;
    qsort(order, count, sizeof *order, compare_mailboxes);
    for (size_t i = 0; i < count; i++) {
        n += i > 0 && compare_mailboxes(&order[i - 1], &order[i]) != 0;
        s->entries[order[i] - accounts].mailbox = n;
    }
    free(order);
    return true;
}

p3_schedule *p3_schedule_new(const p3_account *const *accounts, size_t count, unsigned jobs,
                             unsigned per_host)
{
    p3_schedule *s = calloc(1, sizeof *s);
    if (s == NULL || count >= P3_NONE)
        goto failed;
    s->jobs = jobs;
    s->per_host = per_host;
    s->first_host = P3_NONE;
    s->entries = calloc(count + 1, sizeof *s->entries);
    s->hosts = calloc(count + 1, sizeof *s->hosts);
    s->mailboxes = calloc(count + 1, sizeof *s->mailboxes);
    if (s->entries == NULL || s->hosts == NULL || s->mailboxes == NULL ||
        !number_them(s, accounts, count))
        goto failed;
    for (size_t i = 0; i < count; i++) {
        s->hosts[i].due.first = P3_NONE;
        s->mailboxes[i].parked.first = P3_NONE;
    }
    for (uint32_t i = 0; i < count; i++) {
        push(s, &s->hosts[s->entries[i].host].due, i);
        queue_host(s, s->entries[i].host);
    }
    return s;
failed:
    p3_schedule_free(s);
    return NULL;
}

void p3_schedule_free(p3_schedule *s)
{
    if (s == NULL)
        return;
    free(s->entries);
    free(s->hosts);
    free(s->mailboxes);
    free(s->alarms);
    free(s);
}
