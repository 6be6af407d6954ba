/* What kinds of values settings have, in one table: how a value is read, copied and freed. */
#ifndef P3_SETTINGS_TYPES_H
#define P3_SETTINGS_TYPES_H

#include <pop3/client.h>

#include "settings/url.h"
#include "support/problem.h"
#include "collect/sync.h"

/* The type of a setting, and of its field. */
typedef enum p3_setting_type {
    P3_TYPE_TEXT,   /* char *: a single line */
    P3_TYPE_PATH,   /* char *: a leading ~/ or $CREDENTIALS_DIRECTORY/ has been replaced */
    P3_TYPE_YES_NO, /* bool */
    P3_TYPE_SWITCH, /* bool: an option without a value */
    P3_TYPE_NUMBER, /* uint64_t */
    P3_TYPE_SIZE,   /* uint64_t: octets */
    P3_TYPE_TIME,   /* int64_t: milliseconds */
    P3_TYPE_CHOICE, /* int: one of the row's values */
    P3_TYPE_PORT,   /* uint16_t */
    P3_TYPE_URL,
    P3_TYPE_PROXY,
    P3_TYPE_TRAITS,
    P3_TYPE_REMOVAL,
    P3_TYPE_MAILDIR, /* p3_target_setting, as are the next */
    P3_TYPE_MBOX,
    P3_TYPE_COMMAND
} p3_setting_type;

/* A proxy: its kind, and where it is. */
typedef struct p3_proxy_setting {
    pop3_proxy kind;
    char *host;
    uint16_t port;
} p3_proxy_setting;

/* What is peculiar about the server. */
typedef struct p3_traits_setting {
    pop3_server_traits traits;
    bool forget; /* what was learned does not count */
} p3_traits_setting;

/* When delivered mail is deleted on the server. */
typedef struct p3_removal_setting {
    p3_removal when;
    int64_t after; /* seconds, with P3_REMOVE_AFTER */
} p3_removal_setting;

/* Where mail is delivered. */
typedef struct p3_target_setting {
    p3_setting_type kind; /* P3_TYPE_MAILDIR, P3_TYPE_MBOX or P3_TYPE_COMMAND */
    char *where;          /* a path or a command line */
} p3_target_setting;

struct p3_setting;

/* Reads a value into a field that is zero; `out` stays zero when that fails. Describes what is
 * wrong with the value, without the name of the setting in front. */
bool p3_type_read(const struct p3_setting *which, const char *value, void *out, p3_problem *why);

/* Copies a field. Returns false when out of memory; `to` is then zero. */
bool p3_type_copy(p3_setting_type type, void *to, const void *from);

/* Wipes and frees what a field points to, and makes it zero. */
void p3_type_clear(p3_setting_type type, void *field);

#endif
