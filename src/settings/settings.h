/* The settings: what the configuration file and the command line both can say. Their table is
 * settings.ini, of which tools/generate-settings.py makes the structs, the rows, the help, the
 * completions and the entries of the manual pages.
 *
 * Read in this order: values.h, types.h, this file, config.h. */
#ifndef P3_SETTINGS_SETTINGS_H
#define P3_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings/fields.h" /* made of settings.ini: p3_settings, p3_run_settings, P3_SETTING_... */
#include "settings/types.h"
#include "support/problem.h"

/* Whose setting it is. */
typedef enum p3_setting_scope {
    P3_SCOPE_ACCOUNT, /* an account's: a field of p3_settings */
    P3_SCOPE_RUN,     /* the whole run's: a field of p3_run_settings */
    P3_SCOPE_ALIAS    /* an option that sets another */
} p3_setting_scope;

/* Where it may be set. */
typedef enum p3_setting_place {
    P3_PLACE_FILE = 1,
    P3_PLACE_COMMAND = 2,
    P3_PLACE_BOTH = P3_PLACE_FILE | P3_PLACE_COMMAND
} p3_setting_place;

/* A row of the table. */
typedef struct p3_setting {
    const char *name;
    char letter; /* the short option, or NUL */
    p3_setting_scope scope;
    p3_setting_place place;
    p3_setting_type type;
    uint8_t group;       /* settings of one group stand for each other; 0: none */
    bool is_own;         /* it is not inherited */
    bool is_secret;      /* its value is never shown */
    uint16_t id;         /* index of its flag in `is_set` */
    uint16_t offset;     /* of its field */
    const char *choices; /* words separated by blanks, or NULL */
    const int *values;   /* P3_TYPE_CHOICE: what the words are */
    uint64_t least;
    uint64_t most;        /* 0: no bound */
    int64_t preset;       /* the value of what is not set: yes-no, choice, number, size, time */
    const char *alias;    /* P3_SCOPE_ALIAS: the setting that is set, */
    const char *value;    /* and the value; NULL: the option has one */
    const char *topic;    /* the part of the help that it belongs to */
    const char *argument; /* what stands for its value there; NULL: it has none */
    const char *help;     /* one line */
} p3_setting;

/* All of them, ended by one without a name. */
extern const p3_setting p3_all_settings[];

/* The parts of the help, in their order, ended by one without a name. */
typedef struct p3_setting_topic {
    const char *name;
    const char *title;
} p3_setting_topic;

extern const p3_setting_topic p3_all_topics[];

/* Finds a setting by name, or an option by its letter, at a place; NULL when there is none. */
const p3_setting *p3_setting_find(const char *name, p3_setting_place place);

/* The name that is nearest to a mistaken one, at a place; NULL when none is near. */
const char *p3_setting_nearest(const char *name, p3_setting_place place);

/* Sets a value in the struct of the setting's scope, or of the one that an alias stands for.
 * Returns false, leaves the value as it was, and says "NAME: what is wrong". */
bool p3_setting_set(p3_settings *account, p3_run_settings *run, const p3_setting *which,
                    const char *value, p3_problem *why);

/* Sets what is not set yet from other settings. Of a group, such as maildir and mbox, nothing is
 * taken over when one of it is there already. False when out of memory. */
bool p3_settings_inherit(p3_settings *s, const p3_settings *from);
bool p3_run_settings_inherit(p3_run_settings *s, const p3_run_settings *from);

/* The other way round: what is set in `over` takes the place of what `s` has, and of all that
 * stands for it. False when out of memory. */
bool p3_settings_override(p3_settings *s, const p3_settings *over);

/* Gives what is not set its preset value; `is_set` stays as it is. */
void p3_settings_preset(p3_settings *s);
void p3_run_settings_preset(p3_run_settings *s);

/* Frees what they hold, wipes it, and makes them empty. */
void p3_settings_free(p3_settings *s);
void p3_run_settings_free(p3_run_settings *s);

#endif
