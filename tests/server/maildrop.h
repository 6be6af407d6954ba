/* The messages of a folder, as one session sees them; and what the process remembers of files
 * between sessions: their sizes on the wire, and which were deleted. */
#ifndef TESTSERVER_MAILDROP_H
#define TESTSERVER_MAILDROP_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNIQUE_ID_MAX = 70 /* RFC 1939 §7 */
};

struct message {
    char *path;
    const char *name; /* inside path */
    char unique_id[UNIQUE_ID_MAX + 1];
    uint64_t octets; /* with CRLF line ends, without dot-stuffing */
    bool deleted;    /* marked in this session */
};

struct maildrop {
    struct message *messages; /* sorted by name */
    size_t n;
    size_t room;
};

/* Shared by all sessions; its functions take the lock themselves. */
struct memory {
    pthread_mutex_t lock;
    void *files; /* a tsearch() tree of struct remembered, by path */
};

bool memory_init(struct memory *memory);
void memory_free(struct memory *memory);

/* Reads the folder, or its cur/ and new/ when it has both. Names that begin with a dot are left
 * out. False: errno says why, and the maildrop is empty. */
bool maildrop_read(struct maildrop *drop, const char *folder, struct memory *memory);
void maildrop_free(struct maildrop *drop);

/* The UPDATE state: removes the marked messages from the folder (unlink_files) or from what later
 * sessions see. False when one of them could not be removed. */
bool maildrop_update(struct maildrop *drop, bool unlink_files, struct memory *memory);

#endif
