#include "deliver/shares.h"

#include <stdlib.h>

#include "deliver/parcel.h"

bool p3_shares_make_room(p3_shares *s, size_t place, p3_delivery *to)
{
    if (s->at == NULL && (s->at = calloc(s->count, sizeof *s->at)) == NULL)
        return false;
    p3_share *share = &s->at[place];
    p3_parcel *grown = p3_grow(share->batch.parcels, &share->room, share->batch.count + 1,
                               sizeof *share->batch.parcels);
    if (grown == NULL)
        return false;
    share->batch.parcels = grown;
    share->batch.to = to;
    return true;
}

void p3_shares_free(p3_share *at, size_t count)
{
    for (size_t i = 0; at != NULL && i < count; i++) {
        for (size_t k = 0; k < at[i].batch.count; k++)
            p3_parcel_clear(&at[i].batch.parcels[k]);
        free(at[i].batch.parcels);
    }
    free(at);
}

void p3_shares_discard(p3_shares *s)
{
    for (size_t i = 0; s->at != NULL && i < s->count; i++) {
        const p3_batch *b = &s->at[i].batch;
        if (b->count > 0 && b->to->class->discard != NULL)
            b->to->class->discard(b->to, b->parcels, b->count);
    }
    p3_shares_free(s->at, s->count);
    s->at = NULL;
    s->filled = 0;
}

void p3_shares_seal(p3_shares *s, p3_batch *batch)
{
    for (size_t i = 0; s->at != NULL && i < s->count; i++) {
        p3_batch *b = &s->at[i].batch;
        if (b->count > 0 && b->to->class->seal != NULL)
            b->to->class->seal(b->to, b);
    }
    batch->spool = s->at;
    s->at = NULL;
    s->filled = 0;
}

void p3_share_deliver(p3_share *share, const p3_batch *whole)
{
    p3_batch *b = &share->batch;
    for (size_t k = 0; k < b->count; k++) {
        const p3_parcel *from = &whole->parcels[b->parcels[k].entry];
        /* One before may have put it aside, as refused for good, under the same name. */
        b->parcels[k].again = from->again || from->problem != NULL;
        b->parcels[k].header = from->header;
        b->parcels[k].body = from->body;
        b->parcels[k].kept = from->kept;
    }
    share->is_tried = true;
    b->to->class->deliver(b);
}
