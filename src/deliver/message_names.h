/* Names for delivered messages that never collide: with those of other programs, hosts and runs,
 * whatever the clock says. */
#ifndef P3_DELIVER_MESSAGE_NAMES_H
#define P3_DELIVER_MESSAGE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deliver/owner.h"

typedef struct p3_names {
    char start[48]; /* time and random number of this run */
    char host[80];  /* as the Maildir specification wants it */
    uint64_t next;
} p3_names;

/* Prepares names. Returns 0, or errno when there is no randomness to be had. */
int p3_names_init(p3_names *n);

/* Names of messages, in memory of their own. */
typedef struct p3_name_list {
    char *text;
    size_t size; /* octets for each: the name, its terminator, and whether it is an earlier run's */
    size_t count;
    uint64_t first; /* its number */
    p3_owner owner; /* whose messages they are */
} p3_name_list;

/* Makes room for so many names, and sets theirs apart: nobody else gets them. Returns false when
 * out of memory. Free with p3_name_list_free(). */
bool p3_name_list_init(p3_name_list *l, p3_names *n, size_t most, p3_owner owner);
void p3_name_list_free(p3_name_list *l);

/* Empties a list: names that are added from now on are other ones. */
void p3_name_list_renew(p3_name_list *l, p3_names *n, size_t most);

/* Writes the next of them: "1700000000.R0123456789abcdefO0123456789abcdefQ7.host", where the owner
 * is behind the O. There must be room. */
void p3_name_list_add(p3_name_list *l, const p3_names *n);

/* Whether a name carries an owner's mark, whatever a reader has put behind it. */
bool p3_names_carry(const char *name, const char *owner);

/* Puts another name in the place of one that was added: of an earlier run, for the same message.
 * One that is longer than names of this run, or empty, is not put there. */
void p3_name_list_set(p3_name_list *l, size_t i, const char *name);

/* Whether that has been done. */
static inline bool p3_name_list_is_kept(const p3_name_list *l, size_t i)
{
    return l->text[(i + 1) * l->size - 1] != '\0';
}

/* Whether a name is one that this host made for an owner, in whichever run. */
bool p3_names_made_for(const char *name, const char *owner);

/* Whether a name was made before another by what they say: by the same run, with a lower number.
 * For names of different runs, `*same_run` is false. */
bool p3_names_earlier(const char *name, const char *than, bool *same_run);

/* Stays valid until the list is freed. */
static inline const char *p3_name_list_at(const p3_name_list *l, size_t i)
{
    return l->text + i * l->size;
}

#endif
