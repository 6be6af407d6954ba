/* The messages of a subcommand. */
#include "cli/message_selection.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "settings/values.h"
#include "collect/failure_text.h"

/* "3", "5-9" or "5-". */
static bool read_range(p3_range *r, const char *word)
{
    char text[32];
    uint64_t first;
    uint64_t last = UINT32_MAX;
    const char *dash = strchr(word, '-');
    size_t len = dash != NULL ? (size_t)(dash - word) : strlen(word);
    if (len == 0 || len >= sizeof text)
        return false;
    memcpy(text, word, len);
    text[len] = '\0';
    bool open = dash != NULL && dash[1] == '\0';
    if (!p3_value_number(text, 0, UINT32_MAX, &first) || first == 0)
        return false;
    if (dash == NULL)
        last = first;
    else if (!open && !p3_value_number(dash + 1, 0, UINT32_MAX, &last))
        return false;
    *r = (p3_range){word, (uint32_t)first, (uint32_t)last, open};
    return first <= last;
}

bool p3_selection_read(p3_selection *s, const p3_arguments *a, p3_problem *why)
{
    size_t named = a->count > 1 ? (size_t)a->count - 1 : 0;
    *s = (p3_selection){.ranges = calloc(named + 1, sizeof *s->ranges)};
    if (s->ranges == NULL)
        return p3_problem_memory(why);
    for (size_t i = 0; i < named; i++) {
        p3_range *r = &s->ranges[s->count++];
        if (!read_range(r, a->rest[i + 1])) {
            p3_selection_free(s);
            return p3_problem_set(why, EX_USAGE,
                                  "%s is not a message number; give numbers such as 3, 5-9 or 5-",
                                  a->rest[i + 1]);
        }
        s->open = s->open || r->open;
    }
    if (named == 0) {
        s->open = true;
        s->ranges[s->count++] = (p3_range){NULL, 1, UINT32_MAX, true};
    }
    return true;
}

bool p3_selection_read_named(p3_selection *s, const p3_arguments *a, p3_problem *why)
{
    if (a->count > 1)
        return p3_selection_read(s, a, why);
    return p3_problem_set(why, EX_USAGE, "which messages? Give their numbers, such as 3 or 5-9");
}

/* Whether the named messages exist. */
static int check_numbers(const p3_selection *s, uint64_t most)
{
    p3_problem why;
    for (size_t i = 0; i < s->count; i++) {
        const p3_range *r = &s->ranges[i];
        if (r->word == NULL || (r->first <= most && (r->open || r->last <= most)))
            continue;
        p3_problem_set(&why, EX_USAGE, "%s is not a message number: there are %llu messages",
                       r->word, (unsigned long long)most);
        return p3_print_problem(NULL, &why);
    }
    return EX_OK;
}

/* LIST ended with `status`: UIDL also shows which messages exist, without sizes. Uses another
 * connection if LIST ended this one. */
static int find_without_sizes(p3_selection *s, p3_mailbox_session *m, pop3_status status)
{
    p3_problem why;
    int result = EX_OK;
    p3_describe_failure(m->client, status, &why);
    bool has_uids = (m->options.traits.flags & POP3_TRAIT_NO_UIDL) == 0;
    if (status == POP3_ERR_MEMORY || !has_uids)
        return p3_print_problem(m->account->account.name, &why);
    p3_listed_free(&s->listed);
    if (status != POP3_ERR_REFUSED)
        result = p3_mailbox_reconnect(m, *pop3_client_traits(m->client), true);
    if (result == EX_OK && p3_listed_uids(&s->listed, m->client) == POP3_OK)
        return EX_OK;
    return p3_print_problem(m->account->account.name, &why);
}

int p3_selection_find(p3_selection *s, p3_mailbox_session *m, bool needs_list)
{
    s->by_listing = needs_list || s->open;
    if (!s->by_listing)
        return EX_OK;
    pop3_status status = p3_listed_sizes(&s->listed, m->client);
    int result = status != POP3_OK ? find_without_sizes(s, m, status) : EX_OK;
    return result != EX_OK ? result : check_numbers(s, p3_listed_last(&s->listed));
}

int p3_selection_print_error(const p3_selection *s, p3_mailbox_session *m, uint32_t number,
                             pop3_status status)
{
    p3_problem why;
    p3_problem none;
    pop3_stat drop;
    p3_describe_failure(m->client, status, &why);
    if (status != POP3_ERR_REFUSED || s->by_listing ||
        pop3_client_stat(m->client, &drop) != POP3_OK || number <= drop.count)
        return p3_print_problem(m->account->account.name, &why);
    p3_problem_set(&none, EX_USAGE, "%u is not a message number: there are %llu messages", number,
                   (unsigned long long)drop.count);
    return p3_print_problem(NULL, &none);
}

/* Whether UIDL lacks a named message that STAT counts. Prints an error then. */
static bool lacks_uid(const p3_selection *s, p3_mailbox_session *m)
{
    p3_problem why;
    pop3_stat drop;
    uint32_t most = p3_listed_last(&s->listed);
    size_t i = 0;
    while (i < s->count && (s->ranges[i].open || s->ranges[i].last <= most))
        i++;
    if (i == s->count || pop3_client_stat(m->client, &drop) != POP3_OK ||
        s->ranges[i].last > drop.count)
        return false;
    p3_problem_set(&why, EX_UNAVAILABLE, "UIDL: the server gives message %lu no unique-id",
                   (unsigned long)s->ranges[i].last);
    (void)p3_print_problem(m->account->account.name, &why);
    return true;
}

int p3_selection_find_uids(p3_selection *s, p3_mailbox_session *m)
{
    s->by_listing = true;
    pop3_status status = p3_listed_uids(&s->listed, m->client);
    if (status != POP3_OK)
        return p3_mailbox_print_error(m, status);
    return lacks_uid(s, m) ? EX_UNAVAILABLE : check_numbers(s, p3_listed_last(&s->listed));
}

static int compare(const void *a, const void *b)
{
    uint32_t x = ((const p3_range *)a)->first;
    uint32_t y = ((const p3_range *)b)->first;
    return (x > y) - (x < y);
}

void p3_selection_merge(p3_selection *s)
{
    size_t kept = 0;
    qsort(s->ranges, s->count, sizeof *s->ranges, compare);
    for (size_t i = 0; i < s->count; i++) {
        p3_range *last = kept > 0 ? &s->ranges[kept - 1] : NULL;
        if (last == NULL || s->ranges[i].first > last->last)
            s->ranges[kept++] = s->ranges[i];
        else if (s->ranges[i].last > last->last)
            last->last = s->ranges[i].last;
    }
    s->count = kept;
}

void p3_selection_free(p3_selection *s)
{
    free(s->ranges);
    p3_listed_free(&s->listed);
    *s = (p3_selection){0};
}

/* The next message of the current range. */
static bool next_in(p3_walk *w, const p3_range *r)
{
    const p3_listed *l = &w->selection->listed;
    if (!w->begun) {
        w->next = r->first;
        w->place = p3_listed_from(l, r->first);
        w->begun = true;
    }
    if (!w->selection->by_listing) {
        w->number = (uint32_t)w->next;
        return w->next++ <= r->last;
    }
    if (w->place >= l->count || l->at[w->place].number > r->last)
        return false;
    w->number = l->at[w->place].number;
    w->uid = p3_listed_uid(l, w->place++);
    return true;
}

bool p3_walk_next(p3_walk *w)
{
    for (; w->range < w->selection->count; w->range++, w->begun = false) {
        if (next_in(w, &w->selection->ranges[w->range]))
            return true;
    }
    return false;
}
