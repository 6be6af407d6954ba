/* The settings of the configuration file and the command line. settings.ini is their table;
 * tools/generate-settings.py generates the structs, the rows, the help, the completions and the
 * entries of the manual pages from it.
 *
 * Read in this order: row.h, values.h, types.h, this file, config.h. */
#ifndef P3_SETTINGS_SETTINGS_H
#define P3_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "settings/fields.h" /* generated from settings.ini: p3_settings, p3_run_settings, P3_SETTING_... */
#include "settings/types.h"
#include "support/problem.h"

/* All of them; the last one has no name. */
extern const p3_setting p3_all_settings[];

/* The topics of the help, in order; the last one has no name. */
typedef struct p3_setting_topic {
    const char *name;
    const char *title;
} p3_setting_topic;

extern const p3_setting_topic p3_all_topics[];

/* Finds a setting by name, or an option by its letter, at a place; NULL when there is none. */
const p3_setting *p3_setting_find(const char *name, p3_setting_place place);

/* The name that is closest to a wrong one, at a place; NULL when none is close. */
const char *p3_setting_nearest(const char *name, p3_setting_place place);

/* Sets a value in the struct of the setting's scope, or of the one that an alias stands for.
 * Returns false with "NAME: what is wrong", and leaves the value unchanged. */
bool p3_setting_set(p3_settings *account, p3_run_settings *run, const p3_setting *which,
                    const char *value, p3_problem *why);

/* Another target that is set besides this one; or NULL. */
const p3_setting *p3_settings_rival(const p3_settings *s, const p3_setting *which);

/* Returns false, with the problem, when several targets are set and `deliver` is not. The second
 * function sets the problem for two of them. */
bool p3_settings_choose_one(const p3_settings *s, p3_problem *why);
bool p3_settings_say_rivals(const p3_setting *first, const p3_setting *second, p3_problem *why);

/* A target that `deliver` names and that is not set; or NULL. */
const p3_setting *p3_settings_lack(const p3_settings *s);

/* The targets in the order in which they are named: returns their number. The settings own what
 * they point to. */
size_t p3_settings_targets(const p3_settings *s, p3_target out[P3_TARGETS_MOST]);

/* Sets what is not set yet from other settings. Of a group, such as maildir and mbox, nothing is
 * inherited if one of it is set already. False when out of memory. */
bool p3_settings_inherit(p3_settings *s, const p3_settings *from);
bool p3_run_settings_inherit(p3_run_settings *s, const p3_run_settings *from);

/* The reverse: what is set in `over` replaces the settings in `s`, and their groups. False when out
 * of memory. */
bool p3_settings_override(p3_settings *s, const p3_settings *over);

/* A setting of an account that is used as another of the same type, by their ids. */
typedef struct p3_loan {
    size_t as;
    size_t which;
} p3_loan;

/* Makes `to` borrow what is set in `from`: both point to the same memory, so do not free `to`. */
void p3_settings_lend(p3_settings *to, const p3_settings *from, const p3_loan *loans, size_t count);

/* Gives settings that are not set their default values; `is_set` is unchanged. */
void p3_settings_preset(p3_settings *s);
void p3_run_settings_preset(p3_run_settings *s);

/* Frees and wipes the contents, and makes them empty. */
void p3_settings_free(p3_settings *s);
void p3_run_settings_free(p3_run_settings *s);

#endif
