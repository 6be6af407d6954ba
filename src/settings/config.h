/* The configuration file: settings of the run and defaults first, then a section for each account.
 */
#ifndef P3_SETTINGS_CONFIG_H
#define P3_SETTINGS_CONFIG_H

#include "settings/name_index.h"
#include "settings/settings.h"

/* Maximum octets of an account's name: inih cuts longer names of sections. */
#define P3_ACCOUNT_NAME_MOST 49

typedef struct p3_config {
    char *path;
    p3_run_settings run;
    p3_settings defaults;
    p3_settings *accounts; /* each with the defaults and inherited settings filled in */
    size_t count;
    p3_name_index names; /* of the accounts */
} p3_config;

/* Called for an error: "FILE:LINE: TEXT". */
typedef void (*p3_mistake_fn)(const char *path, int line, const char *text);

/* Reads a file; NULL: the default, $XDG_CONFIG_HOME/pop3/config. `told` is called for every error;
 * returns false with a summary. `must`: a missing file is an error. Free with p3_config_free(). */
bool p3_config_read(p3_config *c, const char *path, bool must, p3_mistake_fn told, p3_problem *why);

/* Finds an account by name. Returns NULL with the closest name. */
p3_settings *p3_config_find(p3_config *c, const char *name, p3_problem *why);

/* Frees the accounts, after the caller has taken what it needs. */
void p3_config_forget_accounts(p3_config *c);

void p3_config_free(p3_config *c);

/* $NAME_HOME/pop3/file, or ~/fallback/pop3/file; NULL when there is no home. free() it. */
char *p3_home_path(const char *variable, const char *fallback, const char *file);

#endif
