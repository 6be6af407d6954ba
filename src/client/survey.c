/* What is in the maildrop, in memory: UIDL and LIST asked in one window and put together. Made for
 * maildrops of any size: a message usually costs 8 octets and its unique-id. */
#include "client/blocking.h"
#include "client/report.h"

#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* What is allocated first. Memory that is not written to is not used, and growing from a small
 * start would leave holes behind. */
#define P3_FIRST_ENTRIES ((size_t)32 * 1024)
#define P3_FIRST_UIDS    ((size_t)512 * 1024)

/* One message. */
typedef struct p3_surveyed {
    uint32_t uid;    /* where its unique-id begins in `uids`; it ends where the next one begins */
    uint32_t octets; /* the low half of its size */
} p3_surveyed;

struct pop3_survey {
    p3_surveyed *entries;  /* numbers rise; behind UIDL's are those that only LIST knows */
    uint32_t *numbers;     /* of the entries; NULL while entry i is message i + 1, as is the rule */
    uint32_t *octets_high; /* the high halves of sizes; NULL while no message has 4 GiB */
    size_t count, cap;     /* of the three above */
    char *uids;            /* each terminated */
    size_t uids_len, uids_cap;
};

size_t pop3_survey_count(const pop3_survey *v)
{
    return v->count;
}

static uint32_t number_of(const pop3_survey *v, size_t i)
{
    return v->numbers != NULL ? v->numbers[i] : (uint32_t)i + 1;
}

pop3_entry pop3_survey_entry(const pop3_survey *v, size_t i)
{
    if (i >= v->count)
        return (pop3_entry){0};
    const p3_surveyed *e = &v->entries[i];
    size_t end = i + 1 < v->count ? e[1].uid : v->uids_len;
    uint64_t high = v->octets_high != NULL ? v->octets_high[i] : 0;
    pop3_entry entry = {.number = number_of(v, i), .octets = high << 32 | e->octets};
    if (end > e->uid)
        entry.uid = p3_span(v->uids + e->uid, end - e->uid - 1);
    return entry;
}

static void free_columns(pop3_survey *v)
{
    free(v->entries);
    free(v->numbers);
    free(v->octets_high);
    free(v->uids);
}

void pop3_survey_free(pop3_survey *v)
{
    if (v != NULL)
        free_columns(v);
    free(v);
}

/* Makes `numbers` or `octets_high` as long as the entries. */
static bool fit(uint32_t **column, size_t cap)
{
    uint32_t *grown = realloc(*column, cap * sizeof *grown);
    if (grown != NULL)
        *column = grown;
    return grown != NULL;
}

/* Makes room for one more entry in every column there is. */
static bool make_room(pop3_survey *v)
{
    if (v->count < v->cap)
        return true;
    size_t cap = v->cap == 0 ? P3_FIRST_ENTRIES : v->cap + v->cap / 2;
    if (cap > SIZE_MAX / sizeof *v->entries)
        return false;
    p3_surveyed *entries = realloc(v->entries, cap * sizeof *entries);
    if (entries == NULL)
        return false;
    v->entries = entries;
    if ((v->numbers != NULL && !fit(&v->numbers, cap)) ||
        (v->octets_high != NULL && !fit(&v->octets_high, cap)))
        return false;
    v->cap = cap;
    return true;
}

/* Adds a message without unique-id and size. */
static bool add_message(pop3_survey *v, uint32_t number)
{
    if (!make_room(v))
        return false;
    if (v->numbers == NULL && number != v->count + 1) {
        if (!fit(&v->numbers, v->cap))
            return false;
        for (size_t i = 0; i < v->count; i++)
            v->numbers[i] = (uint32_t)i + 1;
    }
    if (v->numbers != NULL)
        v->numbers[v->count] = number;
    if (v->octets_high != NULL)
        v->octets_high[v->count] = 0;
    v->entries[v->count++] = (p3_surveyed){.uid = (uint32_t)v->uids_len};
    return true;
}

static bool set_octets(pop3_survey *v, size_t i, uint64_t octets)
{
    uint32_t high = (uint32_t)(octets >> 32);
    if (high != 0 && v->octets_high == NULL) {
        if (!fit(&v->octets_high, v->cap))
            return false;
        memset(v->octets_high, 0, v->count * sizeof *v->octets_high);
    }
    if (v->octets_high != NULL)
        v->octets_high[i] = high;
    v->entries[i].octets = (uint32_t)octets;
    return true;
}

/* Adds a message with its unique-id. */
static pop3_status add_named(pop3_survey *v, uint32_t number, pop3_str uid)
{
    if (uid.len >= UINT32_MAX - v->uids_len)
        return POP3_ERR_LIMIT;
    if (v->uids_cap - v->uids_len <= uid.len) {
        size_t cap = v->uids_cap + v->uids_cap / 2 + uid.len + P3_FIRST_UIDS;
        char *uids = realloc(v->uids, cap);
        if (uids == NULL)
            return POP3_ERR_MEMORY;
        v->uids = uids;
        v->uids_cap = cap;
    }
    if (!add_message(v, number))
        return POP3_ERR_MEMORY;
    memcpy(v->uids + v->uids_len, uid.data, uid.len);
    v->uids_len += uid.len;
    v->uids[v->uids_len++] = '\0';
    return POP3_OK;
}

/* A place in a survey, to be sorted by its message's number. */
typedef struct p3_place {
    uint32_t number;
    uint32_t index;
} p3_place;

static int compare_places(const void *a, const void *b)
{
    const p3_place *x = a;
    const p3_place *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

/* Sorts what UIDL has listed. No RFC says that it comes in order; no server is known where it does
 * not, so this need not be cheap, only bearable. */
static pop3_status sort(pop3_survey *v)
{
    p3_place *places = calloc(v->count, sizeof *places);
    pop3_survey sorted = {0};
    if (places == NULL)
        return POP3_ERR_MEMORY;
    for (size_t i = 0; i < v->count; i++)
        places[i] = (p3_place){number_of(v, i), (uint32_t)i};
    qsort(places, v->count, sizeof *places, compare_places);
    pop3_status status = POP3_OK;
    for (size_t i = 0; i < v->count && status == POP3_OK; i++)
        status = add_named(&sorted, places[i].number, pop3_survey_entry(v, places[i].index).uid);
    free(places);
    pop3_survey unsorted = *v;
    *v = sorted;
    free_columns(status == POP3_OK ? &unsorted : &sorted);
    if (status != POP3_OK)
        *v = unsorted;
    return status;
}

/* A survey under way. */
typedef struct p3_surveying {
    pop3_survey *survey;
    size_t named;       /* entries that UIDL made */
    bool unsorted;      /* their numbers do not rise */
    size_t expected;    /* where LIST's next entry belongs when both are in the same order */
    pop3_status failed; /* why it was given up, or POP3_OK */
    pop3_status ended;  /* the first command's failure, or POP3_OK */
} p3_surveying;

static bool take_uid(void *ctx, const pop3_entry *entry, pop3_str line)
{
    p3_surveying *s = ctx;
    pop3_survey *v = s->survey;
    (void)line;
    if (v->count > 0 && number_of(v, v->count - 1) > entry->number)
        s->unsorted = true;
    s->failed = add_named(v, entry->number, entry->uid);
    s->named = v->count;
    return s->failed == POP3_OK;
}

/* The entry that UIDL made for a message; s->named when it made none. */
static size_t find(const p3_surveying *s, uint32_t number)
{
    const pop3_survey *v = s->survey;
    if (s->expected < s->named && number_of(v, s->expected) == number)
        return s->expected;
    size_t low = 0;
    size_t high = s->named;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (number_of(v, middle) < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->named && number_of(v, low) == number ? low : s->named;
}

static bool take_octets(void *ctx, const pop3_entry *entry, pop3_str line)
{
    p3_surveying *s = ctx;
    pop3_survey *v = s->survey;
    (void)line;
    size_t i = find(s, entry->number);
    bool known = i < s->named;
    if (!known)
        i = v->count;
    if ((!known && !add_message(v, entry->number)) || !set_octets(v, i, entry->octets))
        s->failed = POP3_ERR_MEMORY;
    s->expected = i + 1;
    return s->failed == POP3_OK;
}

static void command_over(void *ctx, pop3_client *c, const pop3_result *result)
{
    p3_surveying *s = ctx;
    (void)c;
    if (s->ended == POP3_OK)
        s->ended = result->status;
    if (result->command == POP3_CMD_UIDL && s->unsorted && s->failed == POP3_OK)
        s->failed = sort(s->survey);
}

static pop3_status ask(pop3_client *c, p3_surveying *s, pop3_command_kind kind, pop3_entry_fn entry)
{
    pop3_command command = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    command.kind = kind;
    handlers.entry = entry;
    handlers.done = command_over;
    handlers.ctx = s;
    return pop3_client_submit(c, &command, &handlers);
}

/* Asks for both and waits. `s` must live until both are over. */
static pop3_status ask_both(pop3_client *c, p3_surveying *s)
{
    pop3_status status = ask(c, s, POP3_CMD_UIDL, take_uid);
    if (status == POP3_OK)
        status = ask(c, s, POP3_CMD_LIST, take_octets);
    if (status != POP3_OK)
        p3_report_error(c, status, "UIDL and LIST",
                        c->phase == P3_PHASE_NONE ? "there is no connection"
                                                  : pop3_status_message(status));
    pop3_status run = c->phase == P3_PHASE_NONE ? POP3_OK : pop3_client_run(c);
    if (status != POP3_OK)
        return status;
    if (s->failed == POP3_OK)
        return run != POP3_OK ? run : s->ended;
    if (run != POP3_OK)
        return run;
    return p3_report_error(c, s->failed, "UIDL and LIST",
                           s->failed == POP3_ERR_LIMIT ? "the unique-ids have 4 GiB"
                                                       : "out of memory for the survey");
}

pop3_status pop3_client_survey(pop3_client *c, pop3_survey **out)
{
    if (out == NULL)
        return p3_report_error(c, POP3_ERR_ARGUMENT, "UIDL and LIST", "nowhere to put the survey");
    *out = NULL;
    pop3_status status = p3_call_begin(c);
    if (status != POP3_OK)
        return status;
    p3_surveying s = {.survey = calloc(1, sizeof *s.survey)};
    if (s.survey == NULL)
        return p3_report_error(c, POP3_ERR_MEMORY, "UIDL and LIST", "out of memory");
    status = ask_both(c, &s);
    if (status != POP3_OK) {
        pop3_survey_free(s.survey);
        return status;
    }
    *out = s.survey;
    return POP3_OK;
}
