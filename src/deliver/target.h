/* Where mail is delivered to: what is done by the table of the kinds of targets. */
#ifndef P3_DELIVER_TARGET_H
#define P3_DELIVER_TARGET_H

#include "deliver/server_address.h"
#include "deliver/target_row.h"

typedef struct p3_target_list p3_target_list;

/* A target. Who owns `where` frees it. */
typedef struct p3_target {
    p3_target_kind kind;
    char *where;                 /* a path, a command line or an address: see the row */
    const p3_envelope *envelope; /* for one that needs it; or NULL */
    union {
        const char *recipient;      /* of one that the state has: whose mail it was; or NULL */
        const p3_target_list *list; /* P3_TARGET_SEVERAL: which; it has nothing else */
    };
} p3_target;

/* Targets that each get every message: one of a kind. */
struct p3_target_list {
    size_t count;
    bool crlf; /* lines end with CRLF in what is delivered to them */
    p3_target at[];
};

/* What mail is delivered to: the targets of a list, or the one itself. None for P3_TARGET_NONE. */
const p3_target *p3_target_members(const p3_target *t, size_t *count);

/* Which they are. */
p3_members p3_target_all(const p3_target *t);

/* The row of a kind; NULL for P3_TARGET_NONE. */
const p3_target_row *p3_target_row_of(p3_target_kind kind);

/* The row of a name of `len` octets; or NULL. */
const p3_target_row *p3_target_row_named(const char *name, size_t len);

/* The text that the state has for a target, "maildir:/home/me/Maildir": it never changes. One with
 * recipients has a second line, the recipient. Those of a list have empty lines between. NULL when
 * out of memory; free() it. */
char *p3_target_text(const p3_target *t);

/* Reads the text of a target, in place: `where` and `recipient` point into it. The kind is
 * P3_TARGET_NONE when it is one of a later version, or a list. */
p3_target p3_target_of_text(char *text);

/* Reads such a text, of a list or of one: returns how many there are, P3_TARGETS_MOST at most. */
size_t p3_targets_of_text(char *text, p3_target out[P3_TARGETS_MOST]);

/* Whether a message that was under way comes again under its name. */
bool p3_target_keeps_names(const p3_target *t);

/* Where messages go that a target refuses for good: P3_TARGET_NONE when it refuses none. */
p3_target p3_target_for_refused(const p3_target *t);

/* The server that a target connects to. False when it does not. */
bool p3_target_server(const p3_target *t, p3_server_address *out);

/* Whether they are one, however it is written: a default port may be left out, a host's name has no
 * case. Recipients do not count. */
bool p3_target_equal(const p3_target *a, const p3_target *b);

/* Whether mail goes to the same place as it did to a target that the state has: the same file under
 * another name is; another recipient of the same server is not. */
bool p3_target_is_same_place(const p3_target *old, const p3_target *now);

/* Which targets of `now`, a list or not, are at the same place as one of those. */
p3_members p3_target_known(const p3_target *old, size_t count, const p3_target *now);

/* How many folders of it the account's table names. */
size_t p3_target_folders(const p3_target *t);

/* Where a target is: its own place with 0, and from 1 on the folders that its table names; free()
 * it. NULL: there is none more. */
char *p3_target_place(const p3_target *t, size_t i);

/* Opens a target for an account that is locked. Returns NULL and describes the problem when it
 * cannot be delivered to. */
p3_delivery *p3_target_open(const p3_target *t, p3_owner owner, p3_problem *why);

/* Whether a file there carries the owner's mark. Who has taken over a run can write into the state
 * that the account delivers anywhere, but cannot put such a file there: without one, a target that
 * only the state knows of is not believed. What a crash has left there, carries the mark. */
bool p3_target_has(const p3_target *t, p3_owner owner);

/* Removes what earlier runs of this account left at a target, or a power cut brought back, where no
 * intent is left: settle() does it otherwise. The account is locked. What cannot be removed stays
 * until the next run. */
void p3_target_tidy(const p3_target *t, p3_owner owner);

#endif
