/* The types of settings, in one table: how a value is parsed, copied and freed. */
#ifndef P3_SETTINGS_TYPES_H
#define P3_SETTINGS_TYPES_H

#include <pop3/client.h>

#include "settings/row.h"
#include "deliver/imap_options.h"
#include "settings/url.h"
#include "support/problem.h"
#include "collect/sync.h"
#include "deliver/gmail_options.h"

/* A proxy: its kind, and where it is. */
typedef struct p3_proxy_setting {
    pop3_proxy kind;
    char *host;
    uint16_t port;
} p3_proxy_setting;

/* Traits of the server. */
typedef struct p3_traits_setting {
    pop3_server_traits traits;
    bool forget; /* learned traits do not count */
} p3_traits_setting;

/* When delivered mail is deleted on the server. */
typedef struct p3_removal_setting {
    p3_removal when;
    int64_t after; /* seconds, with P3_REMOVE_AFTER */
} p3_removal_setting;

/* The targets that get the mail, of those that are set. */
typedef struct p3_deliver_setting {
    uint8_t kinds[P3_TARGETS_MOST]; /* p3_target_kind, up to P3_TARGET_NONE */
    int line;                       /* in the configuration, or 0 */
} p3_deliver_setting;

/* Parses a value into a field, which is zero; `out` remains zero on failure. The problem says what
 * is wrong with the value, without the name of the setting. */
bool p3_type_read(const p3_setting *which, const char *value, void *out, p3_problem *why);

/* Copies a field. Returns false when out of memory; `to` is then zero. */
bool p3_type_copy(p3_setting_type type, void *to, const void *from);

/* Octets of a field. */
size_t p3_type_size(p3_setting_type type);

/* Wipes and frees what a field points to, and makes it zero. */
void p3_type_clear(p3_setting_type type, void *field);

#endif
