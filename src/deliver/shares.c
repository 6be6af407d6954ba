#include "deliver/shares.h"

#include <stdlib.h>

#include "deliver/parcel.h"

bool p3_shares_make_room(p3_shares *s, size_t place)
{
    if (s->at == NULL && (s->at = calloc(s->count, sizeof *s->at)) == NULL)
        return false;
    p3_share *share = &s->at[place];
    p3_batch *b = &share->batch;
    b->to = s->parts[place].delivery;
    return p3_grow(&b->parcels, &share->room, b->count + 1, sizeof *b->parcels);
}

/* ---- the message in hand ---- */

bool p3_shares_any_in_hand(const p3_shares *s)
{
    bool any = false;
    for (size_t i = 0; i < s->count && !any; i++)
        any = s->parts[i].in_hand;
    return any;
}

void p3_shares_skip(p3_shares *s, size_t place)
{
    p3_part *p = &s->parts[place];
    if (p->in_hand)
        p->delivery->class->abandon(p->delivery);
    p->in_hand = false;
}

bool p3_shares_note_own(p3_shares *s, const p3_problem *why)
{
    if (s->own == NULL && (s->own = malloc(sizeof *s->own)) != NULL)
        *s->own = *why;
    return s->own != NULL;
}

/* It has ended: it is in a batch, or has been abandoned. */
static void let_go(p3_shares *s)
{
    s->name = NULL;
    free(s->own);
    s->own = NULL;
}

bool p3_shares_finish(p3_shares *s, p3_parcel *out, size_t least,
                      bool (*failed)(p3_shares *s, size_t place, const p3_problem *why),
                      p3_problem *why)
{
    size_t done = 0;
    for (size_t i = 0; i < s->count; i++) {
        p3_part *p = &s->parts[i];
        p3_parcel parcel = {.entry = s->filled, .again = out->again, .fd = -1};
        if (!p->in_hand)
            continue;
        if (!p->delivery->class->finish(p->delivery, &parcel, why)) {
            if (!failed(s, i, why))
                return false;
            continue;
        }
        p->in_hand = false;
        done++;
        s->at[i].batch.parcels[s->at[i].batch.count++] = parcel;
        out->octets = parcel.octets > out->octets ? parcel.octets : out->octets;
    }
    if (done < least)
        return false;
    out->name = s->name;
    out->problem = s->own;
    s->own = NULL;
    s->filled++;
    let_go(s);
    return true;
}

/* What some parts have of it already is in no batch: a spool that has it is refused as a whole. */
void p3_shares_abandon(p3_delivery *d)
{
    p3_shares *s = (p3_shares *)d;
    for (size_t i = 0; i < s->count; i++) {
        p3_batch *b = s->at != NULL ? &s->at[i].batch : NULL;
        p3_shares_skip(s, i);
        if (b != NULL && b->count > 0 && b->parcels[b->count - 1].entry == s->filled)
            p3_parcel_clear(&b->parcels[--b->count]);
    }
    let_go(s);
}

/* ---- batches ---- */

void p3_shares_free(const p3_shares *s, p3_share *at)
{
    for (size_t i = 0; at != NULL && i < s->count; i++) {
        for (size_t k = 0; k < at[i].batch.count; k++)
            p3_parcel_clear(&at[i].batch.parcels[k]);
        free(at[i].batch.parcels);
    }
    free(at);
}

/* All finished messages are in the shares. */
void p3_shares_discard(p3_delivery *d, const p3_parcel *parcels, size_t count)
{
    p3_shares *s = (p3_shares *)d;
    (void)parcels;
    (void)count;
    for (size_t i = 0; s->at != NULL && i < s->count; i++) {
        const p3_batch *b = &s->at[i].batch;
        if (b->count > 0 && b->to->class->discard != NULL)
            b->to->class->discard(b->to, b->parcels, b->count);
    }
    p3_shares_free(s, s->at);
    s->at = NULL;
    s->filled = 0;
}

/* The shares become the batch's spool. */
void p3_shares_seal(p3_delivery *d, p3_batch *batch)
{
    p3_shares *s = (p3_shares *)d;
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
        /* An earlier target may have put it into the quarantine under the same name. */
        b->parcels[k].again = from->again || from->problem != NULL;
        b->parcels[k].header = from->header;
        b->parcels[k].body = from->body;
        b->parcels[k].kept = from->kept;
    }
    share->is_tried = true;
    b->to->class->deliver(b);
}

void p3_shares_close(p3_shares *s)
{
    p3_shares_abandon(&s->base);
    p3_shares_discard(&s->base, NULL, 0);
    for (size_t i = s->count; i > 0; i--) {
        p3_delivery *d = s->parts[i - 1].delivery;
        if (d != NULL)
            d->class->close(d);
    }
}
