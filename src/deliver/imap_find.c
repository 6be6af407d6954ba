/* Finds out which of our messages are in a folder.
 *
 * They have their names in a header field. The messages appended last have the highest numbers, so
 * the folder is read from its end: until all names are found, or until a message that this account
 * delivered earlier, because an account searches for left-over messages before it appends any. That
 * does not depend on the server's search. If it takes long, the server is asked to search the rest;
 * if it cannot search a header, the rest is read as far as time permits.
 *
 * A UIDNEXT stored with the intents would say where to stop, but would cost each run a round trip
 * and a transaction before its first message. */
#include "deliver/imap_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "support/clock.h"
#include "support/crash_point.h"
#include "support/pause.h"

/* Messages that are read at a time, besides as many as are searched for. */
#define P3_CHUNK  200
#define P3_BEYOND 2000

/* Milliseconds reserved for what follows after reading a whole folder. */
#define P3_REST_MS 60000

/* Searches of the rest: each may find more than fits into a response. */
#define P3_SEARCHES_MOST 1000

/* How often nothing must have arrived, and the milliseconds in between. */
#define P3_QUIET_LOOKS 2
#define P3_PAUSE_MS    500

typedef struct p3_imap_search {
    p3_left_over *at; /* sorted by name */
    size_t count;
    size_t missing;             /* names not found yet */
    const char *owner;          /* the account's mark */
    bool met_earlier;           /* a message was met that was delivered before all of these */
    uint32_t exists;            /* messages in the folder */
    uint32_t validity;          /* UIDVALIDITY */
    uint32_t next;              /* UIDNEXT; 0: unknown */
    uint32_t numbers[P3_CHUNK]; /* results of a search */
    size_t number_count;
    uint32_t low, high; /* range of the search */
    bool cannot_search; /* of the server */
    bool is_cut;        /* there are more results */
    bool is_there;      /* the folder exists */
} p3_imap_search;

/* A message with this name is in the folder, where it has that number. One that was put there by a
 * retry, on top of later ones, tells nothing of those below. */
static void meet(p3_imap_search *f, const char *name, uint32_t uid, bool retried)
{
    p3_left_over key = {.name = name};
    p3_left_over *found = bsearch(&key, f->at, f->count, sizeof *f->at, p3_left_over_compare);
    bool earlier = found == NULL && !retried && p3_names_carry(name, f->owner);
    if (found != NULL && !found->there) {
        found->there = true;
        found->place = (p3_imap_place){.uid = uid, .validity = uid != 0 ? f->validity : 0};
        f->missing--;
    }
    for (size_t i = 0; earlier && i < f->count; i++) {
        bool same_run;
        bool before = p3_names_earlier(name, f->at[i].name, &same_run);
        earlier = (before || !same_run) && !f->at[i].any_time;
    }
    f->met_earlier = f->met_earlier || earlier;
}

/* The unique number in a response: before or after the octets of the header, which may contain
 * something similar. 0: none. */
static uint32_t uid_of(const char *text)
{
    const char *literal = strchr(text, '{');
    const char *octets = literal != NULL ? strchr(literal, '\n') : NULL;
    const char *uid = strstr(text, "UID ");
    if (uid != NULL && literal != NULL && uid > literal && octets != NULL) {
        size_t len = strtoul(literal + 1, NULL, 10);
        uid = strlen(octets + 1) > len ? strstr(octets + 1 + len, "UID ") : NULL;
    }
    return uid != NULL ? (uint32_t)strtoul(uid + 4, NULL, 10) : 0;
}

/* Ours is the first of such lines: the received message may have others, from an earlier delivery.
 */
static void see_message(void *ctx, const p3_imap_response *r)
{
    static const char field[] = "\n" P3_DELIVERY_FIELD ":";
    char name[300];
    const char *at = strchr(r->text, '\n');
    while (at != NULL && strncasecmp(at, field, sizeof field - 1) != 0)
        at = strchr(at + 1, '\n');
    if (at == NULL)
        return;
    at += sizeof field - 1;
    at += strspn(at, " \t");
    size_t len = strcspn(at, " \t\r\n");
    if (len == 0 || len >= sizeof name)
        return;
    memcpy(name, at, len);
    name[len] = '\0';
    size_t mark = sizeof P3_RETRIED - 1;
    meet(ctx, name, uid_of(r->text), strncmp(at + len, P3_RETRIED, mark) == 0);
}

static void see_folder(void *ctx, const p3_imap_response *r)
{
    p3_imap_search *f = ctx;
    char *end;
    unsigned long n = strtoul(r->text, &end, 10);
    if (end != r->text && strncasecmp(end, " EXISTS", 7) == 0 && n <= UINT32_MAX)
        f->exists = (uint32_t)n;
    p3_imap_parse_number(r, "UIDNEXT", &f->next);
    p3_imap_parse_number(r, "UIDVALIDITY", &f->validity);
    if (strncasecmp(r->text, "LIST ", 5) == 0)
        f->is_there = true;
}

static void see_search(void *ctx, const p3_imap_response *r)
{
    p3_imap_search *f = ctx;
    if (strncasecmp(r->text, "SEARCH", 6) != 0)
        return;
    f->is_cut = r->is_cut;
    for (const char *at = r->text + 6; *at == ' ';) {
        char *end;
        unsigned long n = strtoul(at, &end, 10);
        bool whole = *end == ' ' || (*end == '\0' && !r->is_cut);
        if (end == at || !whole)
            return;
        if (n >= f->low && n <= f->high) {
            if (f->number_count == P3_CHUNK) {
                f->is_cut = true;
                return;
            }
            f->numbers[f->number_count++] = (uint32_t)n;
        }
        at = end;
    }
}

static bool refuses(const p3_imap_response *answer, p3_problem *why)
{
    p3_problem_set(why, EX_TEMPFAIL,
                   "looking for earlier messages in the folder: the IMAP server refuses: %.400s",
                   answer->text);
    why->of_folder = true; /* the server can be reached */
    return false;
}

static bool loses(p3_imap_session *s, p3_problem *why)
{
    return p3_imap_lose(s, "looking for earlier messages in the folder", why);
}

/* Opens the folder for reading. A missing folder has no messages. */
static bool open_folder(p3_imap_session *s, p3_imap_search *f, int64_t until, p3_problem *why)
{
    char command[1100];
    p3_imap_response answer;
    snprintf(command, sizeof command, "EXAMINE %s", p3_imap_folder(s));
    if (!p3_imap_ask(s, command, until, see_folder, f, &answer))
        return loses(s, why);
    if (p3_imap_is_ok(&answer))
        return true;
    p3_imap_response refusal = answer;
    f->exists = 0;
    snprintf(command, sizeof command, "LIST \"\" %s", p3_imap_folder(s));
    if (!p3_imap_ask(s, command, until, see_folder, f, &answer))
        return loses(s, why);
    return (p3_imap_is_ok(&answer) && !f->is_there) || refuses(&refusal, why);
}

static bool fetch(p3_imap_session *s, p3_imap_search *f, const char *set, int64_t until,
                  p3_problem *why)
{
    char command[12 * P3_CHUNK + 100];
    p3_imap_response answer;
    snprintf(command, sizeof command,
             "FETCH %s (UID BODY.PEEK[HEADER.FIELDS (" P3_DELIVERY_FIELD ")])", set);
    if (!p3_imap_ask(s, command, until, see_message, f, &answer))
        return loses(s, why);
    p3_crash_point("imap-looked");
    return p3_imap_is_ok(&answer) || refuses(&answer, why);
}

/* Reads the folder backwards from `high`, at most `budget` messages; sets `high` to what was not
 * read. */
static bool read_back(p3_imap_session *s, p3_imap_search *f, uint64_t budget, int64_t until,
                      p3_problem *why)
{
    while (f->high > 0 && f->missing > 0 && !f->met_earlier && budget > 0) {
        char set[40];
        uint32_t n = f->high < P3_CHUNK ? f->high : P3_CHUNK;
        snprintf(set, sizeof set, "%u:%u", f->high - n + 1, f->high);
        if (!fetch(s, f, set, until, why))
            return false;
        f->high -= n;
        budget -= n < budget ? n : budget;
    }
    return true;
}

static bool fetch_numbers(p3_imap_session *s, p3_imap_search *f, int64_t until, p3_problem *why)
{
    char set[12 * P3_CHUNK] = "";
    size_t used = 0;
    for (size_t i = 0; i < f->number_count; i++)
        used += (size_t)snprintf(set + used, sizeof set - used, "%s%u", i > 0 ? "," : "",
                                 f->numbers[i]);
    return f->number_count == 0 || fetch(s, f, set, until, why);
}

/* Has the server search the rest for the names of one run. */
static bool search_run(p3_imap_session *s, p3_imap_search *f, const char *name, int64_t until,
                       p3_problem *why)
{
    char command[400];
    p3_imap_response answer;
    f->low = 1;
    f->is_cut = true;
    for (int i = 0; f->is_cut && f->low <= f->high && f->missing > 0; i++) {
        f->number_count = 0;
        f->is_cut = false;
        snprintf(command, sizeof command, "SEARCH %u:%u HEADER " P3_DELIVERY_FIELD " %.*s", f->low,
                 f->high, (int)(strcspn(name, "O") % 100), name);
        if (!p3_imap_ask(s, command, until, see_search, f, &answer))
            return loses(s, why);
        f->cannot_search = !p3_imap_is_ok(&answer);
        if (f->cannot_search)
            return true;
        if (!fetch_numbers(s, f, until, why))
            return false;
        if (f->number_count > 0)
            f->low = f->numbers[f->number_count - 1] + 1;
        f->is_cut = f->is_cut && f->number_count > 0 && i < P3_SEARCHES_MOST;
    }
    return true;
}

/* Searches once for each run: the names are sorted. */
static bool search(p3_imap_session *s, p3_imap_search *f, int64_t until, p3_problem *why)
{
    bool ok = true;
    const char *last = NULL;
    for (size_t i = 0; ok && i < f->count && f->missing > 0 && !f->cannot_search; i++) {
        bool same_run = false;
        if (last != NULL)
            (void)p3_names_earlier(f->at[i].name, last, &same_run);
        /* A name from a damaged state may be invalid and must not be sent. */
        if (!same_run && p3_names_carry(f->at[i].name, f->owner))
            ok = search_run(s, f, f->at[i].name, until, why);
        last = f->at[i].name;
    }
    return ok;
}

static bool close_folder(p3_imap_session *s, int64_t until, p3_problem *why)
{
    /* CLOSE removes nothing from a folder that is open for reading (RFC 9051 §6.4.1). */
    return p3_imap_ask(s, "CLOSE", until, NULL, NULL, NULL) || loses(s, why);
}

static bool look_in_folder(p3_imap_session *s, p3_imap_search *f, int64_t until, p3_problem *why)
{
    if (!open_folder(s, f, until, why))
        return false;
    if (f->exists == 0)
        return true;
    f->high = f->exists;
    if (!read_back(s, f, f->count + P3_BEYOND, until, why))
        return false;
    if (f->missing > 0 && !f->met_earlier && f->high > 0 && !search(s, f, until, why))
        return false;
    while (f->cannot_search && f->missing > 0 && !f->met_earlier && f->high > 0 &&
           p3_clock_ms() < until - P3_REST_MS) {
        if (!read_back(s, f, P3_BEYOND, until, why))
            return false;
    }
    return close_folder(s, until, why);
}

/* A server continues with what a killed run had sent. Checks for new messages until none arrive for
 * a while. */
static bool look_at_arrivals(p3_imap_session *s, p3_imap_search *f, int64_t until, p3_problem *why)
{
    for (int quiet = 0; quiet < P3_QUIET_LOOKS && f->missing > 0;) {
        char set[40];
        uint32_t next = f->next;
        uint32_t exists = f->exists;
        p3_pause(P3_PAUSE_MS);
        if (!open_folder(s, f, until, why))
            return false;
        bool moved = f->next != next || f->exists != exists;
        uint32_t most = f->next > next       ? f->next - next
                        : f->exists > exists ? f->exists - exists
                                             : 0;
        uint32_t arrived = most < f->exists ? most : f->exists;
        quiet = moved ? 0 : quiet + 1;
        snprintf(set, sizeof set, "%u:%u", f->exists - arrived + 1, f->exists);
        if (arrived > P3_BEYOND)
            return p3_problem_set(why, EX_TEMPFAIL,
                                  "looking for earlier messages in the folder: "
                                  "it changes too fast; try again later");
        if (arrived > 0 && !fetch(s, f, set, until, why))
            return false;
        if (f->exists > 0 && !close_folder(s, until, why))
            return false;
        if (p3_clock_ms() > until)
            return p3_problem_set(
                why, EX_TEMPFAIL,
                "looking for earlier messages in the folder: it keeps changing; try again later");
    }
    return true;
}

bool p3_imap_find(p3_imap_session *s, const char *owner, p3_left_over *at, size_t count, bool waits,
                  int64_t until, p3_problem *why)
{
    p3_imap_search f = {.at = at, .count = count, .missing = count, .owner = owner};
    qsort(at, count, sizeof *at, p3_left_over_compare);
    return look_in_folder(s, &f, until, why) && (!waits || look_at_arrivals(s, &f, until, why));
}
