/* What is true of a kind of target: the name, which is also its setting and what the state calls
 * it, how it is opened, what it needs of the system, and what it promises after a crash. */
#ifndef P3_DELIVER_TARGET_ROW_H
#define P3_DELIVER_TARGET_ROW_H

#include "deliver/delivery.h"
#include "deliver/server_url.h"
#include "deliver/trial.h"

/* The numbers are stored (p3_row's members): never change them. */
typedef enum p3_target_kind {
    P3_TARGET_NONE = 0,
    P3_TARGET_MAILDIR,
    P3_TARGET_MBOX,
    P3_TARGET_COMMAND,
    P3_TARGET_LMTP,
    P3_TARGET_GMAIL,
    P3_TARGET_IMAP,
    P3_TARGET_SMTP,
    P3_TARGET_CALLBACKS, /* of libpop3-collect alone */
    P3_TARGET_SEVERAL    /* a list of others, see list_delivery.h; it has no row */
} p3_target_kind;

/* A list has one of a kind at most. */
#define P3_TARGETS_MOST 8

/* Which of a list: a bit for each kind. */
typedef uint16_t p3_members;
#define P3_MEMBER(kind) ((p3_members)(1u << (kind)))

/* How `where` is written. */
typedef enum p3_target_form {
    P3_TARGET_PATH,    /* a file or directory */
    P3_TARGET_TEXT,    /* a line */
    P3_TARGET_ADDRESS, /* see server_address.h */
    P3_TARGET_MAILBOX, /* a mail address */
    P3_TARGET_URL      /* see server_url.h */
} p3_target_form;

/* What is true of a kind. */
typedef struct p3_target_row {
    p3_target_kind kind;
    const char *name;  /* the setting; and in the state, see p3_target_text() */
    const char *title; /* for people */
    p3_target_form form;
    bool (*server)(p3_server_url *out, const char *where); /* P3_TARGET_URL: reads its server */
    const char *example;                                   /* and how one is written */
    bool (*is_same)(const char *where, const char *other); /* whether two ways to write it mean one;
                                                              NULL: they don't if they differ */
    p3_delivery *(*open)(const char *where, const p3_envelope *envelope, p3_problem *why);
    bool (*trial)(const char *where, const p3_envelope *envelope, const p3_trial *t,
                  p3_problem *why);                     /* see trial.h; or NULL */
    void (*tidy)(const char *where, const char *owner); /* or NULL */
    bool (*has)(const char *where, const char *owner);  /* or NULL: never */
    /* What it needs of the system, which a sandbox leaves it. */
    const char *const *directories; /* below `where`, where files are made and moved; open() makes
                                       what is missing; ends with NULL; or NULL */
    bool opens_beside;              /* files beside `where`, see p3_outside_open() */
    bool runs;                      /* `where` is run, see p3_spawn_shell() */
    bool spools;                    /* temporary files, see p3_outside_spool() */
    bool refuses;                   /* the envelope, and its Maildir for what is refused */
    bool has_recipients;            /* the recipient is a part of where mail goes */
    char *(*folder)(const char *where, const char *name); /* where a folder of it is that a table of
                                                             recipients names; NULL: it has none */
    bool labels; /* a folder that the table names is a label: a message has several, and is there
                    once */
    /* After a crash it can be asked whether a message is there: each is delivered exactly once. Of
     * others a message that was under way is delivered again: at least once. */
    bool is_exact;
    bool crlf;        /* it takes lines that end with CRLF */
    bool keeps_names; /* a message that was under way comes again under its name: that is how it is
                         asked for, or how a filter there can tell */
} p3_target_row;

#endif
