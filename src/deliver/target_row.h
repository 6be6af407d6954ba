/* The properties of a kind of target: its name, which is also its setting and its name in the
 * state, how it is opened, what it needs of the system, and what it promises after a crash. */
#ifndef P3_DELIVER_TARGET_ROW_H
#define P3_DELIVER_TARGET_ROW_H

#include "deliver/delivery.h"
#include "deliver/server_url.h"
#include "deliver/trial.h"

/* The numbers are stored (members of p3_row): never change them. */
typedef enum p3_target_kind {
    P3_TARGET_NONE = 0,
    P3_TARGET_MAILDIR,
    P3_TARGET_MBOX,
    P3_TARGET_COMMAND,
    P3_TARGET_LMTP,
    P3_TARGET_GMAIL,
    P3_TARGET_IMAP,
    P3_TARGET_SMTP,
    P3_TARGET_CALLBACKS, /* only in libpop3-collect */
    P3_TARGET_SEVERAL    /* a list of others, see list_delivery.h; it has no row */
} p3_target_kind;

/* A list has at most one of a kind. */
#define P3_TARGETS_MOST 8

/* A set of members of a list: a bit for each kind. */
typedef uint16_t p3_members;
#define P3_MEMBER(kind) ((p3_members)(1u << (kind)))

/* The syntax of `where`. */
typedef enum p3_target_form {
    P3_TARGET_PATH,    /* a file or directory */
    P3_TARGET_TEXT,    /* a command line */
    P3_TARGET_ADDRESS, /* see server_address.h */
    P3_TARGET_MAILBOX, /* a mail address */
    P3_TARGET_URL      /* see server_url.h */
} p3_target_form;

/* A kind of target. */
typedef struct p3_target_row {
    p3_target_kind kind;
    const char *name;  /* the setting, and the name in the state, see p3_target_text() */
    const char *title; /* for messages */
    p3_target_form form;
    bool (*server)(p3_server_url *out, const char *where); /* P3_TARGET_URL: parses the server */
    const char *example;                                   /* an example of one */
    bool (*is_same)(
        const char *where,
        const char *other); /* whether two texts mean the same; NULL: if they are equal */
    p3_delivery *(*open)(const char *where, const p3_envelope *envelope, p3_problem *why);
    bool (*trial)(const char *where, const p3_envelope *envelope, const p3_trial *t,
                  p3_problem *why);                     /* see trial.h; or NULL */
    void (*tidy)(const char *where, const char *owner); /* or NULL */
    bool (*has)(const char *where, const char *owner);  /* or NULL: never */
    /* What it needs of the system, and the sandbox permits. */
    const char *const
        *directories;    /* directories below `where` in which files are created and moved; open()
                            creates missing ones; ends with NULL; or NULL */
    bool opens_beside;   /* files beside `where`, see p3_outside_open() */
    bool runs;           /* `where` is executed, see p3_spawn_shell() */
    bool spools;         /* temporary files, see p3_outside_spool() */
    bool refuses;        /* it uses the envelope, and its Maildir for refused messages */
    bool has_recipients; /* the recipient is a part of the target */
    char *(*folder)(const char *where, const char *name); /* the place of a folder in a table of
                                                             recipients; NULL: it has no folders */
    bool labels; /* a folder that the table names is a label: a message has several, and is there
                    once */
    /* After a crash it can be asked whether a message is there: each is delivered exactly once.
     * Otherwise an interrupted message is delivered again: at least once. */
    bool is_exact;
    bool crlf;        /* delivered lines end with CRLF */
    bool keeps_names; /* an interrupted message is delivered again under its name: the target is
                         asked for it, or a filter there can recognize it */
} p3_target_row;

#endif
