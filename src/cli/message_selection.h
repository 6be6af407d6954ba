/* Which messages a command is about: "3", "5-9" and "5-" on the command line, and what is there of
 * them. Nothing here takes its size from a number of the server's: ranges that end in a number are
 * as long as the command line says, the others as long as the listing that came. */
#ifndef P3_CLI_MESSAGE_SELECTION_H
#define P3_CLI_MESSAGE_SELECTION_H

#include "cli/listed_messages.h"
#include "cli/mailbox.h"

typedef struct p3_range {
    const char *word; /* as it was written */
    uint32_t first;
    uint32_t last;
    bool open; /* "5-": up to the last message that there is */
} p3_range;

typedef struct p3_selection {
    p3_range *ranges; /* in the order in which they were named */
    size_t count;
    bool open;        /* one of them is, or none was named: all messages */
    bool by_listing;  /* `listed` says what there is */
    p3_listed listed; /* when it was asked for */
} p3_selection;

/* Reads the command line after its first word; without numbers it means all messages. False after a
 * mistake, with nothing to free; else free with p3_selection_free(). */
bool p3_selection_read(p3_selection *s, const p3_arguments *a, p3_problem *why);

/* The same where numbers must be given. */
bool p3_selection_read_named(p3_selection *s, const p3_arguments *a, p3_problem *why);

/* Asks the server with LIST, or where that does not work with UIDL, what there is, where a range
 * does not end in a number or where `needs_list`, and checks the ranges. Without it the numbers are
 * taken as they are: the server knows, and STAT may be wrong. Complains and returns an exit status
 * when that does not work, EX_OK when it does. */
int p3_selection_find(p3_selection *s, p3_mailbox_session *m, bool needs_list);

/* A command about a message ended so: complains, and returns the exit status. A number beyond the
 * last message is the caller's mistake, and is told as such. */
int p3_selection_complain(const p3_selection *s, p3_mailbox_session *m, uint32_t number,
                          pop3_status status);

/* The same with the unique-ids (UIDL) as the listing. */
int p3_selection_find_uids(p3_selection *s, p3_mailbox_session *m);

/* Puts the ranges in order, so that each message is walked past once; once they have been checked,
 * as complaints name them as they were written. */
void p3_selection_merge(p3_selection *s);

void p3_selection_free(p3_selection *s);

/* Goes through the messages that are selected, in the order in which they were named. Starts from
 * {.selection = s}. */
typedef struct p3_walk {
    const p3_selection *selection;
    size_t range;    /* the one at hand */
    bool begun;      /* it is */
    uint64_t next;   /* the next number in it, without a listing */
    size_t place;    /* the next entry of the listing */
    uint32_t number; /* of the message at hand, */
    pop3_str uid;    /* its unique-id, when the listing came from UIDL */
} p3_walk;

/* Goes to the next message, or to the first. False when there is none. */
bool p3_walk_next(p3_walk *w);

#endif
