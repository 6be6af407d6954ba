/* Functions that use the table of delivery targets. */
#include "deliver/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "deliver/recipients.h"
#include "deliver/target_rows.h"

const p3_target_row *p3_target_row_of(p3_target_kind kind)
{
    for (size_t i = 0; i < p3_target_row_count; i++) {
        if (p3_target_rows[i].kind == kind)
            return &p3_target_rows[i];
    }
    return NULL;
}

const p3_target_row *p3_target_row_named(const char *name, size_t len)
{
    for (size_t i = 0; i < p3_target_row_count; i++) {
        if (strlen(p3_target_rows[i].name) == len && memcmp(p3_target_rows[i].name, name, len) == 0)
            return &p3_target_rows[i];
    }
    return NULL;
}

const p3_target *p3_target_members(const p3_target *t, size_t *count)
{
    bool several = t->kind == P3_TARGET_SEVERAL;
    *count = several ? t->list->count : t->kind != P3_TARGET_NONE;
    return several ? t->list->at : t;
}

p3_members p3_target_all(const p3_target *t)
{
    size_t count;
    const p3_target *at = p3_target_members(t, &count);
    p3_members all = 0;
    for (size_t i = 0; i < count; i++)
        all |= P3_MEMBER(at[i].kind);
    return all;
}

size_t p3_target_folders(const p3_target *t)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    size_t count = 0;
    if (row == NULL || row->folder == NULL || t->envelope == NULL || t->envelope->map == NULL)
        return 0;
    while (p3_recipients_folder(t->envelope->map, count + 1) != NULL)
        count++;
    return count;
}

bool p3_target_keeps_names(const p3_target *t)
{
    return t->kind == P3_TARGET_SEVERAL || p3_target_row_of(t->kind)->keeps_names ||
           p3_target_folders(t) > 0;
}

char *p3_target_place(const p3_target *t, size_t i)
{
    if (i == 0)
        return strdup(t->where);
    if (i > p3_target_folders(t))
        return NULL;
    return p3_target_row_of(t->kind)->folder(t->where, p3_recipients_folder(t->envelope->map, i));
}

/* The recipient of a target, if it is a part of the target. */
static const char *recipient_of(const p3_target *t)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    if (row == NULL || !row->has_recipients)
        return NULL;
    return t->envelope != NULL ? t->envelope->recipient : t->recipient;
}

/* Separates the texts of a list, which have no empty lines. */
#define P3_BETWEEN "\n\n"

static char *text_of_one(const p3_target *t)
{
    const char *name = p3_target_row_of(t->kind)->name;
    const char *recipient = recipient_of(t);
    const char *more = recipient != NULL ? recipient : "";
    size_t size = strlen(name) + strlen(t->where) + strlen(more) + 3;
    char *text = malloc(size);
    if (text != NULL)
        snprintf(text, size, "%s:%s%s%s", name, t->where, recipient != NULL ? "\n" : "", more);
    return text;
}

char *p3_target_text(const p3_target *t)
{
    size_t count;
    const p3_target *at = p3_target_members(t, &count);
    char *text = text_of_one(&at[0]);
    for (size_t i = 1; text != NULL && i < count; i++) {
        char *next = text_of_one(&at[i]);
        char *grown =
            next != NULL ? realloc(text, strlen(text) + strlen(next) + sizeof P3_BETWEEN) : NULL;
        if (grown != NULL)
            strcat(strcat(grown, P3_BETWEEN), next);
        else
            free(text);
        text = grown;
        free(next);
    }
    return text;
}

p3_target p3_target_of_text(char *text)
{
    size_t len = strcspn(text, ":");
    const p3_target_row *row = text[len] == ':' ? p3_target_row_named(text, len) : NULL;
    p3_target t = {.where = text};
    if (row == NULL || strstr(text, P3_BETWEEN) != NULL)
        return t;
    t = (p3_target){.kind = row->kind, .where = text + len + 1};
    char *line = row->has_recipients ? strchr(t.where, '\n') : NULL;
    if (line != NULL) {
        *line = '\0';
        t.recipient = line + 1;
    }
    return t;
}

size_t p3_targets_of_text(char *text, p3_target out[P3_TARGETS_MOST])
{
    size_t count = 0;
    while (text != NULL && count < P3_TARGETS_MOST) {
        char *end = strstr(text, P3_BETWEEN);
        if (end != NULL)
            *end = '\0';
        out[count++] = p3_target_of_text(text);
        text = end != NULL ? end + strlen(P3_BETWEEN) : NULL;
    }
    return count;
}

p3_target p3_target_for_refused(const p3_target *t)
{
    const char *path = t->envelope != NULL ? t->envelope->refused : NULL;
    return path != NULL ? (p3_target){.kind = P3_TARGET_MAILDIR, .where = (char *)(uintptr_t)path}
                        : (p3_target){0};
}

bool p3_target_server(const p3_target *t, p3_server_address *out)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    if (row != NULL && row->form == P3_TARGET_ADDRESS)
        return p3_server_address_read(out, t->where);
    p3_server_url url;
    if (row == NULL || row->form != P3_TARGET_URL || !row->server(&url, t->where))
        return false;
    *out = url.server;
    return true;
}

bool p3_target_equal(const p3_target *a, const p3_target *b)
{
    const p3_target_row *row = p3_target_row_of(a->kind);
    return a->kind == b->kind && (row == NULL || strcmp(a->where, b->where) == 0 ||
                                  (row->is_same != NULL && row->is_same(a->where, b->where)));
}

/* Whether two paths are the same file or directory. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat one;
    struct stat other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

bool p3_target_is_same_place(const p3_target *old, const p3_target *now)
{
    const p3_target_row *row = p3_target_row_of(now->kind);
    const char *recipient = recipient_of(now);
    if (row == NULL || old->kind != now->kind)
        return false;
    /* Earlier versions did not record recipients. */
    if (old->recipient != NULL && recipient != NULL && strcmp(old->recipient, recipient) != 0)
        return false;
    return p3_target_equal(old, now) ||
           (row->form == P3_TARGET_PATH && is_same_file(old->where, now->where));
}

p3_members p3_target_known(const p3_target *old, size_t count, const p3_target *now)
{
    size_t members;
    const p3_target *at = p3_target_members(now, &members);
    p3_members known = 0;
    for (size_t i = 0; i < members; i++) {
        for (size_t k = 0; k < count; k++) {
            if (p3_target_is_same_place(&old[k], &at[i]))
                known |= P3_MEMBER(at[i].kind);
        }
    }
    return known;
}

p3_delivery *p3_target_open(const p3_target *t, p3_owner owner, p3_problem *why)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    p3_delivery *d = NULL;
    if (row != NULL)
        d = row->open(t->where, t->envelope, why);
    else
        p3_problem_set(why, EX_CONFIG, "opening %s: unknown kind of delivery", t->where);
    if (d != NULL)
        d->owner = owner;
    return d;
}

bool p3_target_has(const p3_target *t, p3_owner owner)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    return row != NULL && row->has != NULL && row->has(t->where, owner.mark);
}

void p3_target_tidy(const p3_target *t, p3_owner owner)
{
    size_t count;
    const p3_target *at = p3_target_members(t, &count);
    for (size_t i = 0; i < count; i++) {
        const p3_target_row *row = p3_target_row_of(at[i].kind);
        char *where;
        for (size_t k = 0;
             row != NULL && row->tidy != NULL && (where = p3_target_place(&at[i], k)) != NULL;
             k++) {
            row->tidy(where, owner.mark);
            free(where);
        }
    }
}
