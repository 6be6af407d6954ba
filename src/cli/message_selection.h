/* The messages of a subcommand: "3", "5-9" and "5-" on the command line, and which of them exist.
 * No size depends on a number from the server: ranges that end in a number are as long as the
 * command line says, the others as long as the received listing. */
#ifndef P3_CLI_MESSAGE_SELECTION_H
#define P3_CLI_MESSAGE_SELECTION_H

#include "cli/listed_messages.h"
#include "cli/mailbox.h"

typedef struct p3_range {
    const char *word; /* as it was written */
    uint32_t first;
    uint32_t last;
    bool open; /* "5-": up to the last message */
} p3_range;

typedef struct p3_selection {
    p3_range *ranges; /* in the order of the command line */
    size_t count;
    bool open;        /* one of them is open, or none was given: all messages */
    bool by_listing;  /* `listed` has the existing messages */
    p3_listed listed; /* if it was requested */
} p3_selection;

/* Parses the command line after its first word; without numbers all messages are selected. False
 * after an error, with nothing to free; otherwise free with p3_selection_free(). */
bool p3_selection_read(p3_selection *s, const p3_arguments *a, p3_problem *why);

/* The same if numbers are required. */
bool p3_selection_read_named(p3_selection *s, const p3_arguments *a, p3_problem *why);

/* Requests the listing with LIST, or if that fails with UIDL, if a range is open or with
 * `needs_list`, and checks the ranges. Otherwise the numbers are used unchecked: the server knows,
 * and STAT may be wrong. Prints an error and returns an exit status on failure, EX_OK on success.
 */
int p3_selection_find(p3_selection *s, p3_mailbox_session *m, bool needs_list);

/* A command about a message failed: prints an error, and returns the exit status. A number beyond
 * the last message is an error of the user, and reported as such. */
int p3_selection_print_error(const p3_selection *s, p3_mailbox_session *m, uint32_t number,
                             pop3_status status);

/* The same with UIDL as the listing. */
int p3_selection_find_uids(p3_selection *s, p3_mailbox_session *m);

/* Sorts the ranges, so that each message is visited once; after they have been checked, because
 * errors name them as they were written. */
void p3_selection_merge(p3_selection *s);

void p3_selection_free(p3_selection *s);

/* An iteration over the selected messages, in the order of the command line. Starts from
 * {.selection = s}. */
typedef struct p3_walk {
    const p3_selection *selection;
    size_t range;    /* the current range */
    bool begun;      /* the iteration of the range has begun */
    uint64_t next;   /* the next number in it, without a listing */
    size_t place;    /* the next entry of the listing */
    uint32_t number; /* of the current message */
    pop3_str uid;    /* its unique-id, if the listing is from UIDL */
} p3_walk;

/* Advances to the next message, or to the first. False when there is none. */
bool p3_walk_next(p3_walk *w);

#endif
