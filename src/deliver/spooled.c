/* Shared by targets at a server. */
#include "deliver/spooled.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

bool p3_spooled_init(p3_spooled *s, const p3_delivery_class *class, const char *where,
                     const p3_envelope *envelope)
{
    s->base.class = class;
    s->envelope = envelope;
    s->where = strdup(where);
    return s->where != NULL;
}

bool p3_spooled_begin(p3_spooled *s, const char *name, const char *behind, const p3_recipient *to,
                      size_t to_count, p3_problem *why)
{
    char line[300];
    s->name = name;
    if (s->spool == NULL && (s->spool = p3_spool_new(why)) == NULL)
        return false;
    snprintf(line, sizeof line, P3_DELIVERY_FIELD ": %s%s\n", name, behind != NULL ? behind : "");
    return (p3_spool_begin(s->spool, s->sender != NULL ? s->sender : "", to, to_count) &&
            (behind == NULL || p3_spool_write(s->spool, line, strlen(line)))) ||
           p3_spool_problem(why, s->server);
}

bool p3_spooled_write(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    p3_spooled *s = (p3_spooled *)d;
    return p3_spool_write(s->spool, data, len) || p3_spool_problem(why, s->server);
}

bool p3_spooled_finish(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    p3_spooled *s = (p3_spooled *)d;
    if (!p3_spool_finish(s->spool))
        return p3_spool_problem(why, s->server);
    out->name = s->name;
    out->octets = s->spool->last.length;
    out->sender = s->sender;
    s->sender = NULL;
    s->name = NULL;
    return true;
}

void p3_spooled_abandon(p3_delivery *d)
{
    p3_spooled *s = (p3_spooled *)d;
    if (s->name != NULL && s->spool != NULL && !p3_spool_abandon(s->spool))
        s->spool->length = UINT64_MAX; /* p3_spooled_batch() rejects it */
    s->name = NULL;
    free(s->sender);
    s->sender = NULL;
}

/* All finished messages are in the spool of the current batch, and nothing else is. */
void p3_spooled_discard(p3_delivery *d, const p3_parcel *parcels, size_t count)
{
    p3_spooled *s = (p3_spooled *)d;
    (void)parcels;
    (void)count;
    p3_spooled_abandon(d);
    p3_spool_free(s->spool);
    s->spool = NULL;
}

void p3_spooled_seal(p3_delivery *d, p3_batch *batch)
{
    p3_spooled *s = (p3_spooled *)d;
    batch->spool = s->spool;
    s->spool = NULL;
}

const p3_spool *p3_spooled_batch(p3_batch *b)
{
    const p3_spool *spool = b->spool;
    if (spool != NULL && spool->length != UINT64_MAX && spool->count == b->count)
        return spool;
    p3_problem_set(&b->problem, EX_IOERR, "keeping messages for %s",
                   ((const p3_spooled *)b->to)->server);
    return NULL;
}

void p3_spooled_recorded(p3_delivery *d, p3_batch *batch, bool kept)
{
    (void)d;
    (void)kept;
    if (batch != NULL)
        p3_spool_free(batch->spool);
}

void p3_spooled_clear(p3_spooled *s)
{
    p3_spooled_discard(&s->base, NULL, 0);
    free(s->where);
}
