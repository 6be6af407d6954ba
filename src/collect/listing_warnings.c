/* Warnings about a listing, for the user. */
#include "collect/listing_warnings.h"

#include <inttypes.h>
#include <stdio.h>

/* The most numbers that a warning names. */
#define P3_NAMED_MOST 8

/* Message numbers as text: "2, 5 and 7 more". */
typedef struct p3_numbers {
    char text[P3_NAMED_MOST * 12 + 40];
    size_t len;
    size_t count;
} p3_numbers;

static void add_number(p3_numbers *n, uint32_t number)
{
    if (n->count++ < P3_NAMED_MOST)
        n->len += (size_t)snprintf(n->text + n->len, sizeof n->text - n->len, "%s%" PRIu32,
                                   n->len > 0 ? ", " : "", number);
}

static void warn_of_numbers(const p3_report *r, p3_numbers *n, const char *what, const char *done)
{
    char text[300];
    if (n->count == 0)
        return;
    if (n->count > P3_NAMED_MOST)
        (void)snprintf(n->text + n->len, sizeof n->text - n->len, " and %zu more",
                       n->count - P3_NAMED_MOST);
    snprintf(text, sizeof text, "%s: %s; %s", what, n->text, done);
    p3_report_tell(r, P3_NOTICE_WARNING, NULL, text, NULL);
}

bool p3_warn_of_disagreement(const p3_report *r, const p3_listing *box)
{
    p3_numbers by_list = {0};
    p3_numbers by_uidl = {0};
    for (size_t i = 0; i < box->count; i++) {
        if (i >= box->named || !box->at[i].sized)
            add_number(i >= box->named ? &by_list : &by_uidl, box->at[i].number);
    }
    by_list.count = box->nameless_most;
    warn_of_numbers(r, &by_list, "the server's UIDL lacks messages that its LIST has",
                    by_list.count > P3_NAMELESS_MOST
                        ? "the first 1000 are retrieved, and identified by their headers"
                        : "they are retrieved, and identified by their headers");
    warn_of_numbers(r, &by_uidl, "the server's LIST lacks messages that its UIDL has",
                    "they are retrieved anyway");
    return by_list.count + by_uidl.count > 0;
}

/* In a new mailbox with few messages, unique-ids may be equal to the numbers by chance. */
#define P3_NUMBERED_LEAST 3

void p3_warn_of_uids(const p3_report *r, const p3_listing *box, const p3_plan *plan)
{
    if (box->numbered && box->count >= P3_NUMBERED_LEAST)
        p3_report_tell(r, P3_NOTICE_WARNING, NULL,
                       "the server's unique-ids are message numbers, which are reused when mail is "
                       "deleted; messages are identified by size and header",
                       NULL);
    if (plan->twice > 0)
        p3_report_tell(r, P3_NOTICE_WARNING, NULL,
                       "the server's unique-ids are not unique: some occur more than once; those "
                       "messages are identified by their headers",
                       NULL);
}
