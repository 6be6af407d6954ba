/* The settings: what the configuration file and the command line both can say. Their table is
 * settings.ini, of which tools/generate-settings.py makes the structs, the rows, the help, the
 * completions and the entries of the manual pages.
 *
 * Read in this order: row.h, values.h, types.h, this file, config.h. */
#ifndef P3_SETTINGS_SETTINGS_H
#define P3_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings/fields.h" /* made of settings.ini: p3_settings, p3_run_settings, P3_SETTING_... */
#include "settings/types.h"
#include "support/problem.h"

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

/* Another target than that of a setting which is set; or NULL. */
const p3_setting *p3_settings_rival(const p3_settings *s, const p3_setting *which);

/* Returns false, and says so, where more than one target is set and nothing says which of them are
 * delivered to. The second says that of two. */
bool p3_settings_choose_one(const p3_settings *s, p3_problem *why);
bool p3_settings_say_rivals(const p3_setting *first, const p3_setting *second, p3_problem *why);

/* A target that is to be delivered to and is not set; or NULL. */
const p3_setting *p3_settings_lack(const p3_settings *s);

/* What is delivered to, in the order in which it is named: returns how many there are. What they
 * point to stays the settings'. */
size_t p3_settings_targets(const p3_settings *s, p3_target out[P3_TARGETS_MOST]);

/* Sets what is not set yet from other settings. Of a group, such as maildir and mbox, nothing is
 * taken over when one of it is there already. False when out of memory. */
bool p3_settings_inherit(p3_settings *s, const p3_settings *from);
bool p3_run_settings_inherit(p3_run_settings *s, const p3_run_settings *from);

/* The other way round: what is set in `over` takes the place of what `s` has, and of all that
 * stands for it. False when out of memory. */
bool p3_settings_override(p3_settings *s, const p3_settings *over);

/* A setting of an account that serves as another of the same type, by their ids. */
typedef struct p3_loan {
    size_t as;
    size_t which;
} p3_loan;

/* Lends `to` what is set in `from`: both point to the same memory then, so do not free `to`. */
void p3_settings_lend(p3_settings *to, const p3_settings *from, const p3_loan *loans, size_t count);

/* Gives what is not set its preset value; `is_set` stays as it is. */
void p3_settings_preset(p3_settings *s);
void p3_run_settings_preset(p3_run_settings *s);

/* Frees what they hold, wipes it, and makes them empty. */
void p3_settings_free(p3_settings *s);
void p3_run_settings_free(p3_run_settings *s);

#endif
