/* The listing: UIDL and LIST. */
#include "collect/lister.h"

#include "collect/failure_text.h"
#include "collect/listing_warnings.h"

static bool listing_failed(const p3_lister *l, const pop3_result *result)
{
    if (result->status != POP3_OK)
        p3_maildrop_lost(l->drop, result->status);
    return result->status != POP3_OK;
}

/* Without UIDL the messages have no unique-ids, and all their headers are requested. */
static bool add_message(const p3_lister *l, const pop3_entry *entry, pop3_str uid)
{
    bool ok = p3_listing_add(&l->drop->box, entry->number, uid);
    if (!ok)
        p3_maildrop_failed_memory(l->drop);
    return ok;
}

static bool take_uid(void *ctx, const pop3_entry *entry, pop3_str line)
{
    (void)line;
    return add_message(ctx, entry, entry->uid);
}

static bool take_number(void *ctx, const pop3_entry *entry, pop3_str line)
{
    p3_lister *l = ctx;
    p3_listing *box = &l->drop->box;
    (void)line;
    if (!add_message(l, entry, (pop3_str){"", 0}))
        return false;
    box->at[box->count - 1].octets = entry->octets;
    return true;
}

static bool take_size(void *ctx, const pop3_entry *entry, pop3_str line)
{
    p3_lister *l = ctx;
    if (l->no_uidl)
        return take_number(ctx, entry, line);
    bool ok = p3_listing_size(&l->drop->box, entry->number, entry->octets);
    if (!ok)
        p3_maildrop_failed_memory(l->drop);
    return ok;
}

/* Whether the session needs LIST. */
static bool needs_sizes(const p3_lister *l)
{
    const p3_account *a = l->drop->account;
    return l->drop->report->options->sizes || p3_maildrop_starts_now(l->drop) || a->max_size > 0 ||
           a->kill_size > 0 || l->no_uidl;
}

static bool knows(const p3_lister *l, p3_standing standing)
{
    const p3_rows *rows = &l->drop->rows;
    size_t i = 0;
    while (i < rows->count && rows->at[i].standing != standing)
        i++;
    return i < rows->count;
}

/* LIST shows messages that UIDL lacks, and reused unique-ids. Together with UIDL it costs no round
 * trip. */
static bool wants_list_with_uidl(const p3_lister *l)
{
    return pop3_client_pipelines(l->drop->client) && !l->trust->frugal && !l->trust->no_sizes;
}

/* After UIDL it costs a round trip, and a command of a server that limits the commands of a
 * session. */
static bool wants_sizes_behind(const p3_lister *l)
{
    const p3_maildrop *d = l->drop;
    bool to_spare =
        !l->trust->frugal && p3_trust_quota(l->trust, d->known.traits.quit_after) == SIZE_MAX;
    bool any = d->box.count > 0;
    if (l->trust->no_sizes)
        return any && needs_sizes(l);
    return to_spare || l->listed_again ||
           (any && (needs_sizes(l) || d->box.numbered || d->box.has_gaps || knows(l, P3_DOUBTED)));
}

static void finish_listing(p3_lister *l)
{
    if (!p3_listing_seal(&l->drop->box)) {
        p3_maildrop_failed_memory(l->drop);
        return;
    }
    l->done = true;
    p3_maildrop_advance(l->drop);
}

static void list_again(p3_lister *l)
{
    p3_listing_free(&l->drop->box);
    p3_lister_begin(l);
}

/* LIST has been answered: messages in only one of the two listings are reported and retrieved. */
static void agree(p3_lister *l)
{
    p3_listing *box = &l->drop->box;
    if (l->no_uidl) {
        finish_listing(l);
        return;
    }
    /* New mail may have arrived in between, on a server that does not lock: the listing is
     * requested once more, so that such mail has its unique-id and is not delivered again later. */
    if (box->count > box->named && !l->listed_again) {
        l->listed_again = true;
        list_again(l);
        return;
    }
    l->told = l->told || p3_warn_of_disagreement(l->drop->report, box);
    if (box->named == 0 && box->count > 0) { /* an empty UIDL counts as refused */
        p3_maildrop_learned(l->drop, POP3_TRAIT_NO_UIDL);
        l->no_uidl = true;
        list_again(l);
    } else if (p3_listing_adopt(box)) {
        finish_listing(l);
    } else {
        p3_maildrop_failed_memory(l->drop);
    }
}

static void sizes_listed(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_lister *l = ctx;
    (void)client;
    if (l->drop->over)
        return;
    if (result->status == POP3_ERR_REFUSED && !needs_sizes(l))
        finish_listing(l);
    else if (!listing_failed(l, result))
        agree(l);
}

static void uids_listed(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_lister *l = ctx;
    if (l->drop->over)
        return;
    /* Some servers have UIDL without announcing it, others announce it and refuse it, so it is
     * tried. A server that refuses it temporarily still has it: without it all headers would be
     * requested. */
    if (result->status == POP3_ERR_REFUSED && !p3_is_for_later(client, result->status)) {
        l->no_uidl = l->uidl_refused = true;
        if (!l->list_with_uidl)
            p3_maildrop_submit(l->drop, POP3_CMD_LIST, take_number, sizes_listed, l);
        return; /* otherwise LIST's answer follows */
    }
    if (listing_failed(l, result))
        return;
    if (!p3_listing_seal(&l->drop->box))
        p3_maildrop_failed_memory(l->drop);
    else if (!l->list_with_uidl && wants_sizes_behind(l))
        p3_maildrop_submit(l->drop, POP3_CMD_LIST, take_size, sizes_listed, l);
    else if (!l->list_with_uidl)
        finish_listing(l);
}

void p3_lister_begin(p3_lister *l)
{
    l->no_uidl =
        l->no_uidl || l->trust->no_uidl || (l->drop->known.traits.flags & POP3_TRAIT_NO_UIDL) != 0;
    if (l->no_uidl) {
        p3_maildrop_submit(l->drop, POP3_CMD_LIST, take_number, sizes_listed, l);
        return;
    }
    l->list_with_uidl = wants_list_with_uidl(l);
    p3_maildrop_submit(l->drop, POP3_CMD_UIDL, take_uid, uids_listed, l);
    if (l->list_with_uidl && !l->drop->over)
        p3_maildrop_submit(l->drop, POP3_CMD_LIST, take_size, sizes_listed, l);
}

bool p3_lister_is_at_uidl(const p3_lister *l)
{
    return !l->done && !l->no_uidl && !l->drop->box.sealed;
}

bool p3_lister_is_at_spare_list(const p3_lister *l)
{
    return !l->done && !l->no_uidl && !l->list_with_uidl && l->drop->box.sealed && !needs_sizes(l);
}
