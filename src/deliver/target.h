/* Delivery targets: functions that use the table of kinds. */
#ifndef P3_DELIVER_TARGET_H
#define P3_DELIVER_TARGET_H

#include "deliver/server_address.h"
#include "deliver/target_row.h"

typedef struct p3_target_list p3_target_list;

/* A target. The owner of `where` frees it. */
typedef struct p3_target {
    p3_target_kind kind;
    char *where;                 /* a path, a command line or an address: see the row */
    const p3_envelope *envelope; /* for one that needs it; or NULL */
    union {
        const char *recipient;      /* of a target in the state: the recipient; or NULL */
        const p3_target_list *list; /* P3_TARGET_SEVERAL: the list; the other fields are unused */
    };
} p3_target;

/* Targets that each get every message: at most one of a kind. */
struct p3_target_list {
    size_t count;
    bool crlf; /* delivered lines end with CRLF */
    p3_target at[];
};

/* The targets of a list, or the target itself. None for P3_TARGET_NONE. */
const p3_target *p3_target_members(const p3_target *t, size_t *count);

/* The set of them. */
p3_members p3_target_all(const p3_target *t);

/* The row of a kind; NULL for P3_TARGET_NONE. */
const p3_target_row *p3_target_row_of(p3_target_kind kind);

/* The row with a name of `len` octets; or NULL. */
const p3_target_row *p3_target_row_named(const char *name, size_t len);

/* The text of a target in the state, "maildir:/home/me/Maildir": its form never changes. A target
 * with recipients has a second line, the recipient. Those of a list are separated by empty lines.
 * NULL when out of memory; free() it. */
char *p3_target_text(const p3_target *t);

/* Parses the text of a target, in place: `where` and `recipient` point into it. The kind is
 * P3_TARGET_NONE for one of a later version, or a list. */
p3_target p3_target_of_text(char *text);

/* Parses such a text, of a list or of one: returns their number, at most P3_TARGETS_MOST. */
size_t p3_targets_of_text(char *text, p3_target out[P3_TARGETS_MOST]);

/* Whether an interrupted message is delivered again under its name. */
bool p3_target_keeps_names(const p3_target *t);

/* The target for messages that this one refuses permanently: P3_TARGET_NONE when it refuses none.
 */
p3_target p3_target_for_refused(const p3_target *t);

/* The server that a target connects to. False when there is none. */
bool p3_target_server(const p3_target *t, p3_server_address *out);

/* Whether they are the same, however they are written: a default port may be left out, and host
 * names ignore case. Recipients do not count. */
bool p3_target_equal(const p3_target *a, const p3_target *b);

/* Whether mail goes to the same place as with a target of the state: the same file under another
 * name does, another recipient of the same server does not. */
bool p3_target_is_same_place(const p3_target *old, const p3_target *now);

/* The targets of `now`, a list or not, that are at the same place as one of those. */
p3_members p3_target_known(const p3_target *old, size_t count, const p3_target *now);

/* The number of its folders in the account's table. */
size_t p3_target_folders(const p3_target *t);

/* The place of a target: its own with 0, and from 1 on the folders in its table; free() it. NULL:
 * no more. */
char *p3_target_place(const p3_target *t, size_t i);

/* Opens a target for an account that is locked. Returns NULL with the problem when it cannot be
 * used. */
p3_delivery *p3_target_open(const p3_target *t, p3_owner owner, p3_problem *why);

/* Whether a file at the target carries the owner's mark. An attacker who has taken over a run can
 * write any target into the state, but cannot create such a file there: a target that only the
 * state names is not believed without it. What a crash has left there carries the mark. */
bool p3_target_has(const p3_target *t, p3_owner owner);

/* Removes what earlier runs of this account left at a target, or a power cut brought back, if no
 * intent is left; otherwise settle() does it. The account is locked. What cannot be removed stays
 * until the next run. */
void p3_target_tidy(const p3_target *t, p3_owner owner);

#endif
