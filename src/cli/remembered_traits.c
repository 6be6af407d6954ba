/* What earlier runs of sync learned about an account's server. */
#include "cli/remembered_traits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "settings/config.h"

char *p3_state_path(const p3_arguments *a, bool *usual)
{
    const char *set = a->run.state;
    *usual = set == NULL;
    return set != NULL ? strdup(set) : p3_home_path("XDG_STATE_HOME", ".local/state", "state.db");
}

static bool read_from(p3_remembered *r, const char *path, const char *key)
{
    p3_known_account known = {0};
    p3_state_own_sqlite();
    p3_state *state = p3_state_open_to_look(path, &r->problem);
    bool ok = state != NULL && p3_state_account(state, key, &known, &r->problem) &&
              p3_state_learned(state, known.id, r->at, &r->count, &r->problem) &&
              p3_state_broken(state, known.id, &r->broken, &r->problem);
    p3_known_account_clear(&known);
    p3_state_close(state);
    return ok;
}

void p3_remembered_read(p3_remembered *r, const p3_arguments *a, const p3_account *account)
{
    bool usual;
    *r = (p3_remembered){0};
    char *path = p3_state_path(a, &usual);
    if (path != NULL && access(path, F_OK) == 0 && !read_from(r, path, account->key))
        r->count = 0;
    free(path);
}

static const char *meaning_of(pop3_server_traits trait)
{
    static const struct {
        pop3_trait trait;
        const char *meaning;
    } meanings[] = {
        {POP3_TRAIT_NO_CAPA, "it closes the connection on CAPA, which is not sent"},
        {POP3_TRAIT_NO_LATE_CAPA, "it closes the connection on CAPA after the login"},
        {POP3_TRAIT_NO_APOP, "it greets with a timestamp, and has no APOP secret for this user"},
        {POP3_TRAIT_BINDS_UNIQUE, "it supports channel binding with tls-unique only"},
        {POP3_TRAIT_NO_INITIAL_RESPONSE,
         "it does not accept the first response in the AUTH command"},
        {POP3_TRAIT_ONE_AT_A_TIME, "it does not handle pipelined commands"},
        {POP3_TRAIT_NO_UIDL, "it has no unique-ids: UIDL is not sent"},
        {POP3_TRAIT_NO_TOP, "it does not answer TOP with a message's header"},
    };
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if ((trait.flags & (uint32_t)meanings[i].trait) != 0)
            return meanings[i].meaning;
    }
    return trait.quit_after > 0 ? "it ends a session after more deletions: QUIT is sent before that"
                                : "it is not as other servers are";
}

static void write_date(int64_t seconds, char out[32])
{
    struct tm t;
    time_t when = (time_t)seconds;
    out[0] = '\0';
    if (localtime_r(&when, &t) != NULL)
        (void)strftime(out, 32, "%Y-%m-%d %H:%M", &t);
}

void p3_learned_text(const p3_learned *l, const p3_account *account, char *out, size_t size)
{
    char word[POP3_TRAITS_TEXT];
    char since[32];
    char until[32];
    (void)pop3_server_traits_write(&l->trait, word, sizeof word);
    write_date(l->learned, since);
    write_date(l->expires, until);
    snprintf(out, size, "%s: %s; learned %s, %s %s; by hand: traits = %s", word,
             meaning_of(l->trait), since,
             account->forget_traits ? "does not count now (traits = none), expires" : "expires",
             until, word);
}

void p3_broken_text(const p3_broken *b, const p3_account *account, char *out, size_t size)
{
    char since[32];
    char until[32];
    write_date(b->last, since);
    write_date(b->expires, until);
    snprintf(
        out, size,
        "messages that end the session when they are deleted: %llu; they are deleted after the "
        "others; seen %s, %s %s; remove = never leaves mail on the server",
        (unsigned long long)b->count, since,
        account->forget_traits ? "does not count now (traits = none), expires" : "expires", until);
}

pop3_server_traits p3_remembered_traits(const p3_remembered *r, const p3_account *account)
{
    pop3_server_traits all = account->connection.traits;
    for (size_t i = 0; i < r->count && !account->forget_traits; i++)
        pop3_server_traits_add(&all, r->at[i].trait);
    return all;
}
