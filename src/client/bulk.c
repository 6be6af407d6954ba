/* Answers collected in memory, and commands for many messages. */
#include "client/blocking.h"
#include "client/error.h"

#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* A growing listing. The public part is first, so that one pointer is both. */
typedef struct p3_growing_listing {
    pop3_listing public;
    size_t cap; /* entries there is room for */
    char *text; /* unique-ids, each terminated; until the end, entries contain offsets into it */
    size_t text_len, text_cap;
    bool failed; /* out of memory */
} p3_growing_listing;

static bool make_room(p3_growing_listing *g, size_t text)
{
    pop3_listing *l = &g->public;
    if (l->count == g->cap) {
        size_t cap = g->cap == 0 ? 64 : g->cap + g->cap / 2;
        pop3_entry *entries = realloc(l->entries, cap * sizeof *entries);
        if (entries == NULL)
            return false;
        l->entries = entries;
        g->cap = cap;
    }
    if (g->text_cap - g->text_len < text) {
        size_t cap = g->text_cap + g->text_cap / 2 + text + 1024;
        char *grown = realloc(g->text, cap);
        if (grown == NULL)
            return false;
        g->text = grown;
        g->text_cap = cap;
    }
    return true;
}

static bool add_entry(void *ctx, const pop3_entry *entry, pop3_str line)
{
    p3_growing_listing *g = ctx;
    (void)line;
    size_t len = entry->uid.len;
    if (!make_room(g, len > 0 ? len + 1 : 0)) {
        g->failed = true;
        return false;
    }
    pop3_entry *to = &g->public.entries[g->public.count++];
    *to = (pop3_entry){.number = entry->number, .octets = entry->octets};
    if (len > 0) {
        memcpy(g->text + g->text_len, entry->uid.data, len);
        g->text[g->text_len + len] = '\0';
        to->uid.len = len;
        g->text_len += len + 1;
    }
    return true;
}

/* The text does not move any more: converts offsets to pointers. */
static void point_at_uids(p3_growing_listing *g)
{
    size_t at = 0;
    for (size_t i = 0; i < g->public.count; i++) {
        pop3_str *uid = &g->public.entries[i].uid;
        if (uid->len > 0) {
            uid->data = g->text + at;
            at += uid->len + 1;
        }
    }
}

static pop3_status collect(pop3_client *c, pop3_listing **out, const char *doing,
                           pop3_status (*list)(pop3_client *, pop3_entry_fn, void *))
{
    if (out == NULL)
        return p3_error_record_status(c, POP3_ERR_ARGUMENT, doing,
                                      "no pointer for the listing was given");
    *out = NULL;
    p3_growing_listing *g = calloc(1, sizeof *g);
    if (g == NULL)
        return p3_error_record_status(c, POP3_ERR_MEMORY, doing, "out of memory");
    pop3_status status = list(c, add_entry, g);
    if (g->failed && status == POP3_ERR_CANCELLED)
        status = p3_error_record_status(c, POP3_ERR_MEMORY, doing, "out of memory for the listing");
    if (status != POP3_OK) {
        pop3_listing_free(&g->public);
        return status;
    }
    point_at_uids(g);
    *out = &g->public;
    return POP3_OK;
}

pop3_status pop3_client_list_all(pop3_client *c, pop3_listing **out)
{
    return collect(c, out, "LIST", pop3_client_list);
}

pop3_status pop3_client_uidl_all(pop3_client *c, pop3_listing **out)
{
    return collect(c, out, "UIDL", pop3_client_uidl);
}

void pop3_listing_free(pop3_listing *listing)
{
    if (listing == NULL)
        return;
    p3_growing_listing *g = (p3_growing_listing *)(void *)listing;
    free(g->public.entries);
    free(g->text);
    free(g);
}

/* A growing message. */
typedef struct p3_growing_message {
    char *data;
    size_t len, cap;
    size_t limit;
    pop3_status failed; /* POP3_ERR_LIMIT or POP3_ERR_MEMORY, or POP3_OK */
} p3_growing_message;

static pop3_sink_result add_octets(void *ctx, const char *data, size_t len)
{
    p3_growing_message *m = ctx;
    if (len > m->limit - m->len) {
        m->failed = POP3_ERR_LIMIT;
        return POP3_SINK_DISCARD;
    }
    if (m->cap - m->len <= len) { /* one more octet for the terminator */
        size_t cap = m->len + len + 1;
        if (cap < m->cap * 2)
            cap = m->cap * 2;
        char *grown = realloc(m->data, cap);
        if (grown == NULL) {
            m->failed = POP3_ERR_MEMORY;
            return POP3_SINK_DISCARD;
        }
        m->data = grown;
        m->cap = cap;
    }
    memcpy(m->data + m->len, data, len);
    m->len += len;
    return POP3_SINK_CONTINUE;
}

pop3_status pop3_client_retr_memory(pop3_client *c, uint32_t number, size_t limit, char **data,
                                    size_t *len)
{
    char doing[32];
    p3_describe_command(POP3_CMD_RETR, number, doing, sizeof doing);
    if (data == NULL || len == NULL)
        return p3_error_record_status(c, POP3_ERR_ARGUMENT, doing,
                                      "no pointer for the message was given");
    *data = NULL;
    *len = 0;
    p3_growing_message m = {.limit = limit == 0 ? (size_t)64 * 1024 * 1024 : limit};
    if (m.limit > SIZE_MAX / 4)
        m.limit = SIZE_MAX / 4;
    m.data = malloc(m.cap = 4096);
    if (m.data == NULL)
        return p3_error_record_status(c, POP3_ERR_MEMORY, doing, "out of memory");
    pop3_status status = pop3_client_retr(c, number, add_octets, &m);
    if (status == POP3_ERR_CANCELLED && m.failed != POP3_OK)
        status = p3_error_record_status(c, m.failed, doing,
                                        m.failed == POP3_ERR_LIMIT
                                            ? "the message is larger than the caller's limit"
                                            : "out of memory for the message");
    if (status != POP3_OK) {
        free(m.data);
        return status;
    }
    m.data[m.len] = '\0';
    *data = m.data;
    *len = m.len;
    return POP3_OK;
}

/* The most commands in flight: with one of the engine's own they fill its queue when that has the
 * size of the largest window. */
#define P3_MOST 4095

/* Many RETRs or TOPs: as many as fit into a window are submitted at any time, so that waiting ones
 * refill it when it is half empty. */
typedef struct p3_many {
    pop3_command command; /* except its number */
    const uint32_t *numbers;
    size_t count;
    size_t next;        /* index of the first one not submitted */
    pop3_status failed; /* why no more are submitted, or POP3_OK */
    pop3_handlers theirs;
    pop3_handlers ours;
} p3_many;

static void submit_next(p3_many *m, pop3_client *c)
{
    if (m->next == m->count || m->failed != POP3_OK)
        return;
    m->command.number = m->numbers[m->next];
    m->failed = pop3_client_submit(c, &m->command, &m->ours);
    if (m->failed == POP3_OK)
        m->next++;
}

static pop3_sink_result many_sink(void *ctx, const char *data, size_t len)
{
    p3_many *m = ctx;
    return m->theirs.sink(m->theirs.ctx, data, len);
}

static void many_done(void *ctx, pop3_client *c, const pop3_result *result)
{
    p3_many *m = ctx;
    if (m->theirs.done != NULL)
        m->theirs.done(m->theirs.ctx, c, result);
    submit_next(m, c);
}

/* Why many commands cannot be submitted, or NULL. */
static const char *many_refused(p3_many *m, const pop3_handlers *handlers)
{
    if ((m->numbers == NULL && m->count > 0) || !p3_handlers_import(&m->theirs, handlers))
        return "no message numbers, or handlers of an unknown size";
    for (size_t i = 0; i < m->count; i++) {
        if (m->numbers[i] == 0)
            return "message numbers begin at 1";
    }
    return NULL;
}

static pop3_status perform_many(pop3_client *c, p3_many *m, const pop3_handlers *handlers)
{
    const char *doing = pop3_command_name(m->command.kind);
    pop3_status status = p3_call_begin(c, doing);
    if (status != POP3_OK)
        return status;
    if (c->phase == P3_PHASE_NONE)
        return p3_error_record_status(c, POP3_ERR_STATE, doing, "there is no connection");
    const char *why = many_refused(m, handlers);
    if (why != NULL)
        return p3_error_record_status(c, POP3_ERR_ARGUMENT, doing, why);
    m->ours.sink = m->theirs.sink != NULL ? many_sink : NULL;
    m->ours.done = many_done;
    m->ours.ctx = m;
    size_t window =
        c->options.engine.max_in_flight != 0 ? c->options.engine.max_in_flight : P3_MOST;
    while (m->next < m->count && m->next < window && m->failed == POP3_OK)
        submit_next(m, c);
    status = pop3_client_run(c);
    if (status != POP3_OK)
        return status;
    if (m->failed != POP3_OK)
        return p3_error_record_status(c, m->failed, doing, pop3_status_message(m->failed));
    return POP3_OK;
}

pop3_status pop3_client_retr_many(pop3_client *c, const uint32_t *numbers, size_t count,
                                  const pop3_handlers *handlers)
{
    p3_many m = {.command = POP3_COMMAND_INIT,
                 .numbers = numbers,
                 .count = count,
                 .ours = POP3_HANDLERS_INIT};
    m.command.kind = POP3_CMD_RETR;
    return perform_many(c, &m, handlers);
}

pop3_status pop3_client_top_many(pop3_client *c, const uint32_t *numbers, size_t count,
                                 uint32_t lines, const pop3_handlers *handlers)
{
    p3_many m = {.command = POP3_COMMAND_INIT,
                 .numbers = numbers,
                 .count = count,
                 .ours = POP3_HANDLERS_INIT};
    m.command.kind = POP3_CMD_TOP;
    m.command.lines = lines;
    return perform_many(c, &m, handlers);
}
