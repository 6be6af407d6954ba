/* Whom the messages of a mailbox go to that many share. */
#include "deliver/recipients.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "support/field.h"
#include "support/grow.h"

/* RFC 5321 §4.5.3.1: a local part, an @ and a domain. */
#define P3_ADDRESS_MOST 320

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A line of the table. */
typedef struct p3_mapping {
    char *address; /* or "@DOMAIN", or "*" */
    char *recipient;
} p3_mapping;

struct p3_recipients {
    char *postmaster;
    char **fields; /* their names, in order */
    size_t field_count;
    p3_room field_room;
    p3_mapping *table; /* by address */
    size_t count;
    p3_room room;
};

bool p3_recipient_is_usable(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || strchr("<>", text[i]) != NULL)
            return false;
    }
    return len > 0 && len <= P3_ADDRESS_MOST;
}

/* ---- what was set ---- */

/* Takes the blanks around a part of a text off. */
static void trim(const char **at, size_t *len)
{
    while (*len > 0 && is_blank(**at)) {
        ++*at;
        --*len;
    }
    while (*len > 0 && is_blank((*at)[*len - 1]))
        --*len;
}

static bool out_of_memory(p3_problem *why)
{
    return p3_problem_set(why, EX_OSERR, "out of memory");
}

/* RFC 5322 §2.2: printable ASCII without a colon. */
static bool is_field_name(const char *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] <= ' ' || at[i] >= 0x7f || at[i] == ':')
            return false;
    }
    return len > 0;
}

static bool add_field(p3_recipients *r, const char *at, size_t len, p3_problem *why)
{
    trim(&at, &len);
    if (!is_field_name(at, len))
        return p3_problem_set(why, EX_CONFIG,
                              "recipients-from: \"%.*s\" is no name of a header field; expected: "
                              "names such as Delivered-To, with commas between",
                              (int)(len < 100 ? len : 100), at);
    char **fields = p3_grow(r->fields, &r->field_room, r->field_count + 1, sizeof *fields);
    if (fields == NULL)
        return out_of_memory(why);
    r->fields = fields;
    fields[r->field_count] = strndup(at, len);
    return fields[r->field_count++] != NULL || out_of_memory(why);
}

/* What may stand at the left: an address, all of a domain, or all. */
static bool is_pattern(const char *at, size_t len)
{
    size_t domain = len;
    while (domain > 0 && at[domain - 1] != '@')
        domain--;
    return (len == 1 && *at == '*') ||
           (p3_recipient_is_usable(at, len) && domain > 0 && domain < len);
}

/* Takes a line of the table. */
static bool add_mapping(p3_recipients *r, const char *at, size_t len, const char *name,
                        unsigned number, p3_problem *why)
{
    trim(&at, &len);
    if (len == 0 || *at == '#')
        return true;
    const char *arrow = memmem(at, len, "->", 2);
    size_t left = arrow != NULL ? (size_t)(arrow - at) : 0;
    const char *to = at + left + 2;
    size_t right = arrow != NULL ? len - left - 2 : 0;
    trim(&at, &left);
    trim(&to, &right);
    if (!is_pattern(at, left) || !p3_recipient_is_usable(to, right))
        return p3_problem_set(why, EX_CONFIG,
                              "%s, line %u: \"%.*s\" cannot be used; expected: ADDRESS -> "
                              "RECIPIENT, @DOMAIN -> RECIPIENT or * -> RECIPIENT",
                              name, number, (int)(len < 100 ? len : 100), at);
    p3_mapping *table = p3_grow(r->table, &r->room, r->count + 1, sizeof *table);
    if (table == NULL)
        return out_of_memory(why);
    r->table = table;
    p3_mapping *m = &table[r->count++];
    *m = (p3_mapping){.address = strndup(at, left), .recipient = strndup(to, right)};
    return (m->address != NULL && m->recipient != NULL) || out_of_memory(why);
}

static int compare(const void *a, const void *b)
{
    return strcasecmp(((const p3_mapping *)a)->address, ((const p3_mapping *)b)->address);
}

static bool sort_table(p3_recipients *r, const char *name, p3_problem *why)
{
    if (r->count == 0)
        return p3_problem_set(why, EX_CONFIG, "%s: there is nothing in it", name);
    qsort(r->table, r->count, sizeof *r->table, compare);
    for (size_t i = 1; i < r->count; i++) {
        if (compare(&r->table[i - 1], &r->table[i]) == 0)
            return p3_problem_set(why, EX_CONFIG, "%s: %.320s is there twice", name,
                                  r->table[i].address);
    }
    return true;
}

static bool read_table(p3_recipients *r, const char *table, const char *name, p3_problem *why)
{
    unsigned number = 1;
    for (const char *at = table; *at != '\0';) {
        size_t len = strcspn(at, ",\n");
        if (at[strspn(at, " \t")] == '#') /* to the end of its line, with its commas */
            len = strcspn(at, "\n");
        if (!add_mapping(r, at, len, name, number, why))
            return false;
        number += at[len] == '\n';
        at += len + (at[len] != '\0');
    }
    return sort_table(r, name, why);
}

p3_recipients *p3_recipients_new(const char *fields, const char *table, const char *table_name,
                                 const char *postmaster, p3_problem *why)
{
    p3_recipients *r = calloc(1, sizeof *r);
    bool ok = r != NULL && (r->postmaster = strdup(postmaster)) != NULL;
    ok = ok || out_of_memory(why);
    for (const char *at = fields; ok && at != NULL;) {
        size_t len = strcspn(at, ",");
        ok = add_field(r, at, len, why);
        at = at[len] == ',' ? at + len + 1 : NULL;
    }
    if (ok && read_table(r, table, table_name, why))
        return r;
    p3_recipients_free(r);
    return NULL;
}

void p3_recipients_free(p3_recipients *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->field_count; i++)
        free(r->fields[i]);
    for (size_t i = 0; i < r->count; i++) {
        free(r->table[i].address);
        free(r->table[i].recipient);
    }
    free(r->fields);
    free(r->table);
    free(r->postmaster);
    free(r);
}

/* ---- what a header says ---- */

/* An address of a list that is being read. */
typedef struct p3_reading {
    char text[P3_ADDRESS_MOST + 1];
    size_t used;
    bool is_odd;     /* it is none */
    bool has_ended;  /* a blank came behind it */
    bool is_quoted;  /* between double quotes */
    bool in_angle;   /* between angle brackets */
    unsigned nested; /* in so many comments */
} p3_reading;

static void put(p3_reading *g, char c)
{
    g->is_odd = g->is_odd || g->has_ended || g->used == P3_ADDRESS_MOST;
    if (!g->is_odd)
        g->text[g->used++] = c;
}

/* A character outside of quotes and comments. */
static void take_plain(p3_reading *g, char c)
{
    if (c == '<') { /* what was before it is a name */
        g->is_odd = g->in_angle;
        g->in_angle = true;
        g->has_ended = false;
        g->used = 0;
    } else if (c == '>') {
        g->is_odd = g->is_odd || !g->in_angle;
        g->in_angle = false;
        g->has_ended = true;
    } else if (is_blank(c)) {
        g->has_ended = g->used > 0;
    } else {
        g->is_quoted = c == '"';
        put(g, c);
    }
}

/* Reads the next part of a list into `g`: its text is empty when it is no address. False at the
 * end. */
static bool next_address(const char **at, const char *end, p3_reading *g)
{
    g->used = 0;
    g->nested = 0;
    g->is_odd = g->has_ended = g->is_quoted = g->in_angle = false;
    if (*at == end)
        return false;
    for (; *at < end; ++*at) {
        char c = **at;
        if (g->is_quoted) {
            put(g, c);
            if (c == '\\' && *at + 1 < end)
                put(g, *++*at);
            else
                g->is_quoted = c != '"';
        } else if (c == '(' || (c == ')' && g->nested > 0)) {
            g->nested += c == '(' ? 1 : -1U;
        } else if (c == ',' && g->nested == 0 && !g->in_angle) {
            ++*at;
            break;
        } else if (g->nested == 0) {
            take_plain(g, c);
        }
    }
    g->is_odd = g->is_odd || g->is_quoted || g->in_angle || g->nested > 0 ||
                (g->used > 0 && !p3_recipient_is_usable(g->text, g->used));
    g->text[g->is_odd ? 0 : g->used] = '\0';
    return true;
}

/* ---- who it is ---- */

static const char *look_up(const p3_recipients *r, const char *address)
{
    const p3_mapping key = {.address = (char *)(uintptr_t)address};
    const p3_mapping *m = bsearch(&key, r->table, r->count, sizeof *r->table, compare);
    return m != NULL ? m->recipient : NULL;
}

static const char *recipient_of(const p3_recipients *r, const char *address)
{
    const char *sign = strrchr(address, '@');
    const char *to = NULL;
    if (sign != NULL && sign > address) { /* neither "@DOMAIN" nor "*" is anybody's address */
        to = look_up(r, address);
        to = to != NULL ? to : look_up(r, sign);
    }
    to = to != NULL ? to : look_up(r, "*");
    return to != NULL ? to : r->postmaster;
}

p3_recipient p3_recipient_of(const char *address)
{
    const char *at = address;
    while (*at != '\0' && (unsigned char)*at < 0x80)
        at++;
    return (p3_recipient){.address = address, .is_utf8 = *at != '\0'};
}

/* Adds one, unless it is there. False when there are too many. */
static bool add(p3_recipient *out, size_t *count, const char *address)
{
    for (size_t i = 0; i < *count; i++) {
        if (strcasecmp(out[i].address, address) == 0)
            return true;
    }
    if (*count == P3_RECIPIENTS_MOST)
        return false;
    out[(*count)++] = p3_recipient_of(address);
    return true;
}

/* The topmost field of the first name that there is. */
static bool find_source(const p3_recipients *r, const char *header, size_t len, p3_field *f)
{
    for (size_t i = 0; i < r->field_count; i++) {
        for (const char *at = header; p3_field_next(&at, header + len, f);) {
            if (p3_field_is(f, r->fields[i]))
                return true;
        }
    }
    *f = (p3_field){0};
    return false;
}

/* Notes those whom a field names. */
static void note_named(const p3_field *f, p3_recipient *out, size_t count)
{
    p3_reading g;
    for (const char *at = f->value; next_address(&at, f->end, &g);) {
        for (size_t i = 0; i < count; i++)
            out[i].has_been = out[i].has_been || strcasecmp(g.text, out[i].address) == 0;
    }
}

/* Notes those that the message has been delivered to. */
static void find_loops(const char *header, size_t len, const p3_field *source, p3_recipient *out,
                       size_t count)
{
    const char *end = header + len;
    const char *from = header;
    p3_field f;
    for (const char *at = header; from == header && p3_field_next(&at, end, &f);) {
        if (p3_field_is(&f, "Received"))
            from = at;
    }
    while (p3_field_next(&from, end, &f)) {
        if (p3_field_is(&f, "Delivered-To") && f.name != source->name)
            note_named(&f, out, count);
    }
}

size_t p3_recipients_find(const p3_recipients *r, const char *header, size_t len,
                          p3_recipient out[P3_RECIPIENTS_MOST])
{
    p3_field source;
    p3_reading g;
    size_t count = 0;
    bool fits = true;
    if (find_source(r, header, len, &source)) {
        for (const char *at = source.value; fits && next_address(&at, source.end, &g);)
            fits = (g.used == 0 && !g.is_odd) || add(out, &count, recipient_of(r, g.text));
    }
    if (count == 0 || !fits) {
        out[0] = p3_recipient_of(r->postmaster);
        count = 1;
    }
    find_loops(header, len, &source, out, count);
    return count;
}

bool p3_recipients_find_one(const p3_recipients *r, const char *address, const char *header,
                            size_t len, p3_recipient *out)
{
    p3_field source;
    const char *found = strcmp(r->postmaster, address) == 0 ? r->postmaster : NULL;
    for (size_t i = 0; found == NULL && i < r->count; i++) {
        if (strcmp(r->table[i].recipient, address) == 0)
            found = r->table[i].recipient;
    }
    if (found == NULL)
        return false;
    (void)find_source(r, header, len, &source);
    *out = p3_recipient_of(found);
    find_loops(header, len, &source, out, 1);
    return true;
}

size_t p3_recipients_all(const p3_recipients *r, p3_recipient out[P3_RECIPIENTS_MOST])
{
    size_t count = 0;
    bool fits = add(out, &count, r->postmaster);
    for (size_t i = 0; fits && i < r->count; i++)
        fits = add(out, &count, r->table[i].recipient);
    return count;
}
