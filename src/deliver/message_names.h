/* Names for delivered messages that never collide with those of other programs, hosts and runs,
 * whatever the clock says. */
#ifndef P3_DELIVER_MESSAGE_NAMES_H
#define P3_DELIVER_MESSAGE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/owner.h"

typedef struct p3_names {
    char start[48]; /* time and random number of this run */
    char host[80];  /* in the form of the Maildir specification */
    uint64_t next;
} p3_names;

/* Prepares names. Returns 0, or errno when no random numbers are available. */
int p3_names_init(p3_names *n);

/* Names of messages, in memory of their own. */
typedef struct p3_name_list {
    char *text;
    size_t
        size; /* octets for each: the name, its terminator, and whether it is from an earlier run */
    size_t count;
    uint64_t first; /* number of the first */
    p3_owner owner; /* the account of the messages */
} p3_name_list;

/* Reserves `most` names, which are not used otherwise. Returns false when out of memory. Free with
 * p3_name_list_free(). */
bool p3_name_list_init(p3_name_list *l, p3_names *n, size_t most, p3_owner owner);
void p3_name_list_free(p3_name_list *l);

/* Empties a list; names that are added later are new ones. */
void p3_name_list_renew(p3_name_list *l, p3_names *n, size_t most);

/* Adds the next name: "1700000000.R0123456789abcdefO0123456789abcdefQ7.host", with the owner after
 * the O. There must be room. */
void p3_name_list_add(p3_name_list *l, const p3_names *n);

/* Whether a name carries an owner's mark, whatever a reader has appended to it. */
bool p3_names_carry(const char *name, const char *owner);

/* Replaces an added name by the name that an earlier run gave the same message, unless that is
 * longer than names of this run, or empty. */
void p3_name_list_set(p3_name_list *l, size_t i, const char *name);

/* Whether a name was replaced in this way. */
static inline bool p3_name_list_is_kept(const p3_name_list *l, size_t i)
{
    return l->text[(i + 1) * l->size - 1] != '\0';
}

/* Whether this host made a name for an owner, in any run. */
bool p3_names_made_for(const char *name, const char *owner);

/* Whether a name was made before another by the same run: it has a lower number. For names of
 * different runs, `*same_run` is false. */
bool p3_names_earlier(const char *name, const char *than, bool *same_run);

/* Stays valid until the list is freed. */
static inline const char *p3_name_list_at(const p3_name_list *l, size_t i)
{
    return l->text + i * l->size;
}

#endif
