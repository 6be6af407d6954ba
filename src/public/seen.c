/* The memory of seen messages: an account's rows in the state, found by their unique-ids. */
#include <pop3/collect.h>

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "public/error.h"
#include "state/state.h"

/* Most octets of an account's name. */
#define P3_ACCOUNT_MOST 1024

/* What is to be saved of a unique-id. */
typedef enum p3_unsaved { P3_SAVED = 0, P3_TO_PUT, P3_TO_FORGET } p3_unsaved;

/* A unique-id; a tree of tsearch(3) has them all, whatever a server chooses them to be. */
typedef struct p3_known {
    struct p3_known *next; /* of all */
    struct p3_known *same; /* another row of the same unique-id, which is not in the tree */
    p3_row row;
    bool seen;
    bool stored; /* the file has it */
    p3_unsaved unsaved;
    char uid[];
} p3_known;

struct pop3_seen {
    p3_state *state;
    int64_t account;
    int64_t next_id;
    void *tree;
    p3_known *first;
};

static int compare(const void *x, const void *y)
{
    const pop3_str *a = &((const p3_known *)x)->row.uid;
    const pop3_str *b = &((const p3_known *)y)->row.uid;
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static p3_known *find_uid(const pop3_seen *m, pop3_str uid)
{
    p3_known key = {.row.uid = uid};
    p3_known *const *found = uid.len > 0 ? tfind(&key, &m->tree, compare) : NULL;
    return found != NULL ? *found : NULL;
}

/* Adds a row, with a copy of its unique-id. NULL when out of memory. */
static p3_known *add_row(pop3_seen *m, const p3_row *row)
{
    p3_known *k = malloc(sizeof *k + row->uid.len);
    if (k == NULL)
        return NULL;
    *k = (p3_known){.row = *row};
    memcpy(k->uid, row->uid.data, row->uid.len);
    k->row.uid.data = k->uid;
    k->row.name = "";
    p3_known *const *node = tsearch(k, &m->tree, compare);
    if (node == NULL) {
        free(k);
        return NULL;
    }
    if (*node != k) {
        k->same = (*node)->same;
        (*node)->same = k;
    }
    k->next = m->first;
    m->first = k;
    return k;
}

/* Rows without a unique-id are known by their headers, which only a visit looks at; those that are
 * under way keep their names, and are left alone. */
static bool load(pop3_seen *m, p3_problem *why)
{
    p3_rows rows;
    if (!p3_state_load(m->state, m->account, &rows, why))
        return false;
    m->next_id = rows.next_id;
    bool ok = true;
    for (size_t i = 0; i < rows.count && ok; i++) {
        const p3_row *row = &rows.at[i];
        if (row->uid.len == 0 || p3_is_intent(row->standing))
            continue;
        p3_known *k = add_row(m, row);
        ok = k != NULL;
        if (ok) {
            k->stored = true;
            k->seen = row->standing == P3_DELIVERED || row->standing == P3_PASSED_OVER;
        }
    }
    p3_rows_free(&rows);
    return ok || p3_problem_set(why, EX_OSERR, "out of memory for what is remembered");
}

static bool open_account(pop3_seen *m, const char *path, const char *account, p3_problem *why)
{
    p3_known_account known = {0};
    m->state = p3_state_open(path, why);
    if (m->state == NULL || !p3_state_account(m->state, account, &known, why))
        return false;
    m->account = known.id;
    p3_known_account_clear(&known);
    return p3_state_lock(m->state, m->account, why) && load(m, why);
}

pop3_collect_status pop3_seen_open(pop3_seen **out, const char *path, const char *account,
                                   pop3_collect_error *error)
{
    p3_problem why = {0};
    *out = NULL;
    if (path == NULL || path[0] == '\0')
        return p3_collect_refuse(error, POP3_COLLECT_ARGUMENT,
                                 "opening a memory: no file was given");
    if (account == NULL || account[0] == '\0' || strlen(account) > P3_ACCOUNT_MOST)
        return p3_collect_refuse(error, POP3_COLLECT_ARGUMENT,
                                 "opening a memory: the account's name is missing or too long");
    pop3_seen *m = calloc(1, sizeof *m);
    if (m == NULL)
        p3_problem_set(&why, EX_OSERR, "opening a memory: out of memory");
    else if (open_account(m, path, account, &why)) {
        *out = m;
        return POP3_COLLECT_OK;
    }
    pop3_seen_close(m);
    return p3_collect_fail(error, &why);
}

bool pop3_seen_contains(const pop3_seen *memory, pop3_str uid)
{
    const p3_known *k = find_uid(memory, uid);
    while (k != NULL && !k->seen)
        k = k->same;
    return k != NULL;
}

pop3_collect_status pop3_seen_add(pop3_seen *memory, pop3_str uid, pop3_collect_error *error)
{
    if (uid.len == 0 || uid.data == NULL || uid.len > POP3_SEEN_UID_SIZE)
        return p3_collect_refuse(error, POP3_COLLECT_ARGUMENT,
                                 "remembering a message: the unique-id is empty or too long");
    if (pop3_seen_contains(memory, uid))
        return POP3_COLLECT_OK;
    p3_known *k = find_uid(memory, uid);
    p3_row row = {.id = k != NULL ? k->row.id : memory->next_id, .uid = uid, .name = ""};
    if (k == NULL) {
        k = add_row(memory, &row);
        memory->next_id += k != NULL;
    }
    if (k == NULL)
        return p3_collect_refuse(error, POP3_COLLECT_SYSTEM,
                                 "remembering a message: out of memory");
    row.uid.data = k->uid;
    row.standing = P3_DELIVERED;
    row.time = time(NULL);
    k->row = row; /* nothing is known of it but its unique-id */
    k->seen = true;
    k->unsaved = P3_TO_PUT;
    return POP3_COLLECT_OK;
}

void pop3_seen_remove(pop3_seen *memory, pop3_str uid)
{
    for (p3_known *k = find_uid(memory, uid); k != NULL; k = k->same) {
        if (k->seen)
            k->unsaved = k->stored ? P3_TO_FORGET : P3_SAVED;
        k->seen = false;
    }
}

void pop3_seen_each(pop3_seen *memory, pop3_seen_fn each, void *ctx)
{
    bool more = true;
    for (const p3_known *k = memory->first; k != NULL && more; k = k->next) {
        if (k->seen)
            more = each(ctx, k->row.uid);
    }
}

/* Writes what is not saved. */
static bool write_all(const pop3_seen *m, p3_problem *why)
{
    for (const p3_known *k = m->first; k != NULL; k = k->next) {
        if (k->unsaved == P3_TO_PUT && !p3_state_put(m->state, m->account, &k->row, why))
            return false;
        if (k->unsaved == P3_TO_FORGET && !p3_state_forget(m->state, m->account, k->row.id, why))
            return false;
    }
    return true;
}

pop3_collect_status pop3_seen_save(pop3_seen *memory, pop3_collect_error *error)
{
    p3_problem why = {0};
    bool any = false;
    for (const p3_known *k = memory->first; k != NULL && !any; k = k->next)
        any = k->unsaved != P3_SAVED;
    if (!any)
        return POP3_COLLECT_OK;
    if (!p3_state_begin(memory->state, &why) || !write_all(memory, &why) ||
        !p3_state_commit(memory->state, &why))
        return p3_collect_fail(error, &why);
    for (p3_known *k = memory->first; k != NULL; k = k->next) {
        if (k->unsaved != P3_SAVED)
            k->stored = k->unsaved == P3_TO_PUT;
        k->unsaved = P3_SAVED;
    }
    return POP3_COLLECT_OK;
}

void pop3_seen_close(pop3_seen *memory)
{
    if (memory == NULL)
        return;
    while (memory->tree != NULL)
        (void)tdelete(*(p3_known **)memory->tree, &memory->tree, compare);
    while (memory->first != NULL) {
        p3_known *k = memory->first;
        memory->first = k->next;
        free(k);
    }
    p3_state_close(memory->state);
    free(memory);
}
