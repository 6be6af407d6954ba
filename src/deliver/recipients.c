/* The recipients of messages in a mailbox that many share. */
#include "deliver/recipients.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "support/header_field.h"
#include "support/grow.h"

/* RFC 5321 §4.5.3.1: a local part, an @ and a domain. */
#define P3_ADDRESS_MOST 320

/* Octets of a folder's name. */
#define P3_FOLDER_MOST 200

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A line of the table. */
typedef struct p3_mapping {
    char *address;   /* or "@DOMAIN", or "*" */
    char *recipient; /* NULL: it names a folder */
    size_t folder;   /* its number, from 1; 0: it names a recipient */
    unsigned line;
} p3_mapping;

/* A folder in the table. */
typedef struct p3_named_folder {
    char *name;
    unsigned line; /* the first line that names it */
} p3_named_folder;

struct p3_recipients {
    char *postmaster;
    char **fields; /* their names, in order */
    size_t field_count;
    p3_room field_room;
    char *name;        /* of the table */
    p3_mapping *table; /* by address */
    size_t count;
    p3_room room;
    p3_named_folder folders[P3_FOLDERS_MOST];
    size_t folder_count;
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

/* Removes blanks around a part of a text. */
static void trim(const char **at, size_t *len)
{
    while (*len > 0 && is_blank(**at)) {
        ++*at;
        --*len;
    }
    while (*len > 0 && is_blank((*at)[*len - 1]))
        --*len;
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
                              "recipients-from: \"%.*s\" is not the name of a header field; "
                              "expected: names such as Delivered-To, with commas between",
                              (int)(len < 100 ? len : 100), at);
    if (!p3_grow(&r->fields, &r->field_room, r->field_count + 1, sizeof *r->fields))
        return p3_problem_memory(why);
    r->fields[r->field_count] = strndup(at, len);
    return r->fields[r->field_count++] != NULL || p3_problem_memory(why);
}

/* What may be on the left: an address, all of a domain, or all. */
static bool is_pattern(const char *at, size_t len)
{
    size_t domain = len;
    while (domain > 0 && at[domain - 1] != '@')
        domain--;
    return (len == 1 && *at == '*') ||
           (p3_recipient_is_usable(at, len) && domain > 0 && domain < len);
}

/* Whether a text can name a folder: parts separated by slashes, none of which leads elsewhere, and
 * no control characters. */
static bool is_folder_name(const char *at, size_t len)
{
    size_t part = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && at[i] != '/') {
            if ((unsigned char)at[i] < ' ' || at[i] == 0x7f)
                return false;
            continue;
        }
        size_t n = i - part;
        if (n == 0 || (n <= 2 && memcmp(at + part, "..", n) == 0))
            return false;
        part = i + 1;
    }
    return len <= P3_FOLDER_MOST;
}

/* The number of a folder, assigned at its first occurrence; 0: it cannot be named, or there are too
 * many. */
static size_t number_folder(p3_recipients *r, const char *at, size_t len, unsigned line)
{
    p3_named_folder *f = r->folders;
    for (size_t i = 0; i < r->folder_count; i++) {
        if (strlen(f[i].name) == len && memcmp(f[i].name, at, len) == 0)
            return i + 1;
    }
    if (!is_folder_name(at, len) || r->folder_count == P3_FOLDERS_MOST)
        return 0;
    f[r->folder_count] = (p3_named_folder){strndup(at, len), line};
    return f[r->folder_count].name != NULL ? ++r->folder_count : 0;
}

static const char folder_prefix[] = "folder:";

/* Reads the right side of a line. False: it is invalid, or ENOMEM. */
static bool take_right(p3_recipients *r, p3_mapping *m, const char *to, size_t len)
{
    size_t prefix = sizeof folder_prefix - 1;
    if (len < prefix || memcmp(to, folder_prefix, prefix) != 0)
        return p3_recipient_is_usable(to, len) && (m->recipient = strndup(to, len)) != NULL;
    to += prefix;
    len -= prefix;
    trim(&to, &len);
    m->folder = number_folder(r, to, len, m->line);
    return m->folder > 0;
}

static bool is_unusable(const char *at, size_t len, const char *name, unsigned number,
                        p3_problem *why)
{
    char shown[101];
    snprintf(shown, sizeof shown, "%.*s", (int)(len < 100 ? len : 100), at);
    return p3_problem_set(why, EX_CONFIG,
                          "%s, line %u: \"%s\" cannot be used; expected: ADDRESS -> RECIPIENT or "
                          "ADDRESS -> folder:NAME (at most %d folders); an address may be @DOMAIN, "
                          "or *",
                          name, number, shown, P3_FOLDERS_MOST);
}

/* Reads a line of the table. */
static bool add_mapping(p3_recipients *r, const char *at, size_t len, const char *name,
                        unsigned number, p3_problem *why)
{
    trim(&at, &len);
    if (len == 0 || *at == '#')
        return true;
    size_t all = len;
    const char *arrow = memmem(at, len, "->", 2);
    size_t left = arrow != NULL ? (size_t)(arrow - at) : 0;
    const char *to = at + left + 2;
    size_t right = arrow != NULL ? len - left - 2 : 0;
    trim(&at, &left);
    trim(&to, &right);
    p3_mapping m = {.line = number};
    errno = 0;
    if (!is_pattern(at, left) || !take_right(r, &m, to, right))
        return errno == ENOMEM ? p3_problem_memory(why) : is_unusable(at, all, name, number, why);
    m.address = strndup(at, left);
    if (m.address == NULL || !p3_grow(&r->table, &r->room, r->count + 1, sizeof *r->table)) {
        free(m.address);
        free(m.recipient);
        return p3_problem_memory(why);
    }
    r->table[r->count++] = m;
    return true;
}

/* By address, recipients before folders. */
static int compare(const void *a, const void *b)
{
    const p3_mapping *x = a;
    const p3_mapping *y = b;
    int order = strcasecmp(x->address, y->address);
    return order != 0 ? order : (x->folder > 0) - (y->folder > 0);
}

static bool sort_table(p3_recipients *r, const char *name, p3_problem *why)
{
    if (r->count == 0)
        return p3_problem_set(why, EX_CONFIG, "%s: it is empty", name);
    qsort(r->table, r->count, sizeof *r->table, compare);
    for (size_t i = 1; i < r->count; i++) {
        if (compare(&r->table[i - 1], &r->table[i]) == 0)
            return p3_problem_set(why, EX_CONFIG, "%s: %.320s is there twice, in lines %u and %u",
                                  name, r->table[i].address, r->table[i - 1].line,
                                  r->table[i].line);
    }
    return true;
}

static bool read_table(p3_recipients *r, const char *table, const char *name, p3_problem *why)
{
    unsigned number = 1;
    for (const char *at = table; *at != '\0';) {
        size_t len = strcspn(at, ",\n");
        if (at[strspn(at, " \t")] == '#') /* a comment to the end of the line, including commas */
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
    bool ok = r != NULL && (postmaster == NULL || (r->postmaster = strdup(postmaster)) != NULL) &&
              (r->name = strdup(table_name)) != NULL;
    ok = ok || p3_problem_memory(why);
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
    for (size_t i = 0; i < r->folder_count; i++)
        free(r->folders[i].name);
    free(r->fields);
    free(r->table);
    free(r->name);
    free(r->postmaster);
    free(r);
}

/* ---- what a header says ---- */

/* An address of a list that is being parsed. */
typedef struct p3_address_parse {
    char text[P3_ADDRESS_MOST + 1];
    size_t used;
    bool is_odd;     /* it is invalid */
    bool has_ended;  /* a blank followed it */
    bool is_quoted;  /* between double quotes */
    bool in_angle;   /* between angle brackets */
    unsigned nested; /* depth of comments */
} p3_address_parse;

static void put_octet(p3_address_parse *g, char c)
{
    g->is_odd = g->is_odd || g->has_ended || g->used == P3_ADDRESS_MOST;
    if (!g->is_odd)
        g->text[g->used++] = c;
}

/* A character outside of quotes and comments. */
static void take_plain(p3_address_parse *g, char c)
{
    if (c == '<') { /* what preceded it is a display name */
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
        put_octet(g, c);
    }
}

/* Parses the next part of a list into `g`: its text is empty when it is not an address. False at
 * the end. */
static bool next_address(const char **at, const char *end, p3_address_parse *g)
{
    g->used = 0;
    g->nested = 0;
    g->is_odd = g->has_ended = g->is_quoted = g->in_angle = false;
    if (*at == end)
        return false;
    for (; *at < end; ++*at) {
        char c = **at;
        if (g->is_quoted) {
            put_octet(g, c);
            if (c == '\\' && *at + 1 < end)
                put_octet(g, *++*at);
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

/* The line for exactly this address, with a folder or a recipient. */
static const p3_mapping *look_up(const p3_recipients *r, const char *address, bool folder)
{
    const p3_mapping key = {.address = (char *)(uintptr_t)address, .folder = folder};
    return bsearch(&key, r->table, r->count, sizeof *r->table, compare);
}

/* The most specific line for an address; NULL: none matches. */
static const p3_mapping *mapping_of(const p3_recipients *r, const char *address, bool folder)
{
    const char *sign = strrchr(address, '@');
    const p3_mapping *m = NULL;
    if (sign != NULL && sign > address) { /* neither "@DOMAIN" nor "*" is an address */
        m = look_up(r, address, folder);
        m = m != NULL ? m : look_up(r, sign, folder);
    }
    return m != NULL ? m : look_up(r, "*", folder);
}

/* The line of the next address in a field; NULL: none matches. False at the end. */
static bool next_mapping(const p3_recipients *r, const char **at, const char *end, bool folder,
                         const p3_mapping **out)
{
    p3_address_parse g;
    bool more;
    do
        more = next_address(at, end, &g);
    while (more && g.used == 0 && !g.is_odd);
    if (more)
        *out = mapping_of(r, g.text, folder);
    return more;
}

p3_recipient p3_recipient_of(const char *address)
{
    const char *at = address;
    while (*at != '\0' && (unsigned char)*at < 0x80)
        at++;
    return (p3_recipient){.address = address, .is_utf8 = *at != '\0'};
}

/* The recipient of a line, or the postmaster if there is none. */
static p3_recipient recipient_of(const p3_recipients *r, const p3_mapping *m)
{
    p3_recipient to = p3_recipient_of(m != NULL ? m->recipient : r->postmaster);
    to.line = m != NULL ? m->line : 0;
    return to;
}

/* Lines of the table with different results. NULL stands for the postmaster, and for the target's
 * own folder. */
typedef struct p3_lines {
    const p3_mapping *at[P3_RECIPIENTS_MOST];
    size_t count;
} p3_lines;

static size_t folder_of(const p3_mapping *m)
{
    return m != NULL ? m->folder : 0;
}

static bool lead_alike(const p3_recipients *r, const p3_mapping *a, const p3_mapping *b)
{
    return folder_of(a) == folder_of(b) &&
           (folder_of(a) > 0 || r->postmaster == NULL ||
            strcasecmp(recipient_of(r, a).address, recipient_of(r, b).address) == 0);
}

/* Adds one, unless it is there. False when there are too many. */
static bool add_recipient(const p3_recipients *r, p3_lines *lines, const p3_mapping *m)
{
    for (size_t i = 0; i < lines->count; i++) {
        if (lead_alike(r, lines->at[i], m))
            return true;
    }
    if (lines->count == P3_RECIPIENTS_MOST)
        return false;
    lines->at[lines->count++] = m;
    return true;
}

/* The topmost field of the first name that occurs. */
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

/* Marks the recipients that a field names. */
static void note_named(const p3_field *f, p3_recipient *out, size_t count)
{
    p3_address_parse g;
    for (const char *at = f->value; next_address(&at, f->end, &g);) {
        for (size_t i = 0; i < count; i++)
            out[i].has_been = out[i].has_been || strcasecmp(g.text, out[i].address) == 0;
    }
}

/* Marks the recipients to which the message has been delivered. */
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

/* The lines for the addresses in the relevant field, at least one. */
static void find_lines(const p3_recipients *r, const char *header, size_t len, bool folder,
                       p3_field *source, p3_lines *lines)
{
    const p3_mapping *m;
    bool fits = find_source(r, header, len, source);
    lines->count = 0;
    for (const char *at = source->value; fits && next_mapping(r, &at, source->end, folder, &m);)
        fits = add_recipient(r, lines, m);
    if (lines->count == 0 || !fits) {
        lines->at[0] = NULL;
        lines->count = 1;
    }
}

size_t p3_recipients_find(const p3_recipients *r, const char *header, size_t len,
                          p3_recipient out[P3_RECIPIENTS_MOST])
{
    p3_field source;
    p3_lines lines;
    find_lines(r, header, len, false, &source, &lines);
    for (size_t i = 0; i < lines.count; i++)
        out[i] = recipient_of(r, lines.at[i]);
    find_loops(header, len, &source, out, lines.count);
    return lines.count;
}

bool p3_recipients_find_one(const p3_recipients *r, const char *address, const char *header,
                            size_t len, p3_recipient *out)
{
    p3_field source;
    bool found = strcmp(r->postmaster, address) == 0;
    *out = recipient_of(r, NULL);
    for (size_t i = 0; !found && i < r->count; i++) {
        found = r->table[i].folder == 0 && strcmp(r->table[i].recipient, address) == 0;
        if (found)
            *out = recipient_of(r, &r->table[i]);
    }
    if (!found)
        return false;
    (void)find_source(r, header, len, &source);
    find_loops(header, len, &source, out, 1);
    return true;
}

size_t p3_recipients_all(const p3_recipients *r, p3_recipient out[P3_RECIPIENTS_MOST])
{
    p3_lines lines = {0};
    bool fits = add_recipient(r, &lines, NULL);
    for (size_t i = 0; fits && i < r->count; i++)
        fits = r->table[i].folder > 0 || add_recipient(r, &lines, &r->table[i]);
    for (size_t i = 0; i < lines.count; i++)
        out[i] = recipient_of(r, lines.at[i]);
    return lines.count;
}

size_t p3_recipients_folders(const p3_recipients *r, const char *header, size_t len,
                             size_t out[P3_RECIPIENTS_MOST])
{
    p3_field source;
    p3_lines lines;
    find_lines(r, header, len, true, &source, &lines);
    for (size_t i = 0; i < lines.count; i++)
        out[i] = folder_of(lines.at[i]);
    return lines.count;
}

const char *p3_recipients_folder(const p3_recipients *r, size_t i)
{
    return i > 0 && i <= r->folder_count ? r->folders[i - 1].name : NULL;
}

unsigned p3_recipients_line(const p3_recipients *r, size_t i)
{
    unsigned line = i > 0 && i <= r->folder_count ? r->folders[i - 1].line : 0;
    for (size_t k = 0; i == 0 && k < r->count; k++) {
        if (r->table[k].folder == 0 && (line == 0 || r->table[k].line < line))
            line = r->table[k].line;
    }
    return line;
}

const char *p3_recipients_table(const p3_recipients *r)
{
    return r->name;
}
