/* The server's listing in memory: as many messages as were received, whatever number the server
 * announced. */
#ifndef P3_CLI_LISTED_MESSAGES_H
#define P3_CLI_LISTED_MESSAGES_H

#include <pop3/client.h>

#include "support/grow.h"

typedef struct p3_listed_message {
    union {
        uint64_t octets; /* from LIST */
        uint64_t at;     /* from UIDL: offset of the unique-id in the text */
    };
    uint32_t uid_len;
    uint32_t number;
} p3_listed_message;

typedef struct p3_listed {
    p3_listed_message *at; /* sorted by message number, each once */
    size_t count;
    char *text; /* unique-ids, concatenated */
    size_t text_len;
    p3_room room;
    p3_room text_room;
    bool has_uids;      /* the listing is from UIDL */
    pop3_status failed; /* why the listing is incomplete, or POP3_OK */
} p3_listed;

/* Requests the sizes of all messages (LIST), or their unique-ids (UIDL). Of two entries with the
 * same number the first counts. Fails as the command does, with POP3_ERR_MEMORY, and with
 * POP3_ERR_LIMIT for more than 64 MiB of unique-ids. Free with p3_listed_free(), also after a
 * failure. */
pop3_status p3_listed_sizes(p3_listed *l, pop3_client *client);
pop3_status p3_listed_uids(p3_listed *l, pop3_client *client);

/* The index of the first message with this number or a higher one; l->count when there is none. */
size_t p3_listed_from(const p3_listed *l, uint64_t number);

/* The highest message number; 0 when the listing is empty. */
uint32_t p3_listed_last(const p3_listed *l);

/* A message's size; unknown if the listing is from UIDL. */
uint64_t p3_listed_octets(const p3_listed *l, size_t i);

/* A message's unique-id; empty if the listing is from LIST. */
pop3_str p3_listed_uid(const p3_listed *l, size_t i);

void p3_listed_free(p3_listed *l);

#endif
