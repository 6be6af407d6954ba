/* Opens delivery targets by their description. */
#include "deliver/delivery.h"

#include <string.h>
#include <sysexits.h>

#include "deliver/mbox_spool.h"

/* A kind of target. */
typedef struct p3_target_kind {
    const char *prefix;
    p3_delivery *(*open)(const char *rest, p3_problem *why);
    void (*tidy)(const char *rest, const char *owner); /* or NULL */
} p3_target_kind;

static const p3_target_kind kinds[] = {
    {"maildir:", p3_maildir_open, p3_maildir_tidy},
    {"mbox:", p3_mbox_open, p3_mbox_tidy},
    {"command:", p3_command_open, NULL},
};

/* The kind of a target, and what is behind its prefix; or NULL. */
static const p3_target_kind *find_kind(const char *target, const char **rest)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t len = strlen(kinds[i].prefix);
        *rest = target + len;
        if (strncmp(target, kinds[i].prefix, len) == 0)
            return &kinds[i];
    }
    return NULL;
}

p3_delivery *p3_delivery_open(const char *target, p3_owner owner, p3_problem *why)
{
    const char *rest;
    const p3_target_kind *kind = find_kind(target, &rest);
    p3_delivery *d = NULL;
    if (kind != NULL)
        d = kind->open(rest, why);
    else
        p3_problem_set(why, EX_CONFIG, "opening %s: unknown kind of delivery", target);
    if (d != NULL)
        d->owner = owner;
    return d;
}

void p3_delivery_tidy(const char *target, p3_owner owner)
{
    const char *rest;
    const p3_target_kind *kind = find_kind(target, &rest);
    if (kind != NULL && kind->tidy != NULL)
        kind->tidy(rest, owner.mark);
}
