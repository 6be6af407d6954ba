/* The server's listing in memory: as many messages as were received, whatever number the server
 * announced. */
#include "cli/listed_messages.h"

#include <stdlib.h>
#include <string.h>

#define P3_TEXT_MOST ((size_t)64 * 1024 * 1024)

static bool add_entry(void *ctx, const pop3_entry *e, pop3_str line)
{
    p3_listed *l = ctx;
    (void)line;
    if (e->uid.len > P3_TEXT_MOST - l->text_len) {
        l->failed = POP3_ERR_LIMIT;
        return false;
    }
    if (!p3_grow(&l->at, &l->room, l->count + 1, sizeof *l->at) ||
        !p3_grow(&l->text, &l->text_room, l->text_len + e->uid.len + 1, 1)) {
        l->failed = POP3_ERR_MEMORY;
        return false;
    }
    if (e->uid.len > 0)
        memcpy(l->text + l->text_len, e->uid.data, e->uid.len);
    p3_listed_message m = {.uid_len = (uint32_t)e->uid.len, .number = e->number};
    if (l->has_uids)
        m.at = l->text_len;
    else
        m.octets = e->octets;
    l->at[l->count++] = m;
    l->text_len += e->uid.len;
    return true;
}

/* Sorts by message number, and equal numbers in the order received, if there are unique-ids. */
static int compare(const void *a, const void *b)
{
    const p3_listed_message *x = a;
    const p3_listed_message *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

/* Most servers count upwards, so there is usually nothing to sort. */
static void put_in_order(p3_listed *l)
{
    size_t kept = 0;
    bool sorted = true;
    for (size_t i = 1; i < l->count; i++)
        sorted = sorted && l->at[i - 1].number < l->at[i].number;
    if (sorted)
        return;
    qsort(l->at, l->count, sizeof *l->at, compare);
    for (size_t i = 0; i < l->count; i++) {
        if (kept == 0 || l->at[i].number != l->at[kept - 1].number)
            l->at[kept++] = l->at[i];
    }
    l->count = kept;
}

static pop3_status finish_listing(p3_listed *l, pop3_status status)
{
    if (l->failed != POP3_OK)
        return l->failed;
    if (status == POP3_OK)
        put_in_order(l);
    return status;
}

pop3_status p3_listed_sizes(p3_listed *l, pop3_client *client)
{
    *l = (p3_listed){0};
    return finish_listing(l, pop3_client_list(client, add_entry, l));
}

pop3_status p3_listed_uids(p3_listed *l, pop3_client *client)
{
    *l = (p3_listed){.has_uids = true};
    return finish_listing(l, pop3_client_uidl(client, add_entry, l));
}

size_t p3_listed_from(const p3_listed *l, uint64_t number)
{
    size_t low = 0;
    size_t high = l->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->at[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t p3_listed_last(const p3_listed *l)
{
    return l->count > 0 ? l->at[l->count - 1].number : 0;
}

uint64_t p3_listed_octets(const p3_listed *l, size_t i)
{
    return l->has_uids ? POP3_OCTETS_UNKNOWN : l->at[i].octets;
}

pop3_str p3_listed_uid(const p3_listed *l, size_t i)
{
    if (!l->has_uids)
        return (pop3_str){"", 0};
    return (pop3_str){.data = l->text + l->at[i].at, .len = l->at[i].uid_len};
}

void p3_listed_free(p3_listed *l)
{
    free(l->at);
    free(l->text);
    *l = (p3_listed){0};
}
