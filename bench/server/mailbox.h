/* The mailbox that every account of the benchmark's server has, as the octets that go over the
 * wire. It is rendered once; answering a command is then to point at a part of it. */
#ifndef BENCH_MAILBOX_H
#define BENCH_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct span {
    const char *data;
    size_t len;
} span;

/* An account: the same messages as any other, under unique-ids of its own. */
typedef struct account {
    struct account *next;
    char *name;
    uint32_t mark; /* the first half of its unique-ids */
    span uids;     /* the whole answer to UIDL, empty until it is asked for */
} account;

typedef struct mailbox {
    size_t count; /* messages */
    size_t size;  /* octets of each, as RFC 1939 §11 counts them */
    char *heads;  /* "+OK", a header, an empty line; `count` of them, head_len octets each */
    size_t head_len;
    size_t reply_len; /* of a head, the octets of its status line */
    span body;        /* stuffed, with the line that ends it; all messages share it */
    span listing;     /* the whole answer to LIST */
    account *accounts;
} mailbox;

/* Renders `count` messages of about `size` octets. Exits when out of memory. */
void mailbox_render(mailbox *m, size_t count, size_t size);

/* The head of message `number`, 1 to count, with the status line in front. */
span mailbox_head(const mailbox *m, size_t number);

/* The account of that name, which is made when it is new. */
account *mailbox_account(mailbox *m, const char *name);

/* The whole answer to UIDL. */
span mailbox_uids(const mailbox *m, account *a);

/* Writes the unique-id of message `number` into out, which has room for 32 octets. */
void mailbox_uid(const account *a, size_t number, char *out);

/* A listing without the messages marked in `deleted`; free() its data. `uids` NULL lists sizes. */
span mailbox_listing_without(const mailbox *m, const account *uids, const bool *deleted);

#endif
