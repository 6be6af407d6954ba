/* The settings, by name. Both structs begin with flags of what is set, so that one set of functions
 * serves both. */
#include "settings/settings.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "settings/values.h"

_Static_assert(offsetof(p3_settings, is_set) == 0 && offsetof(p3_run_settings, is_set) == 0,
               "is_set is the first field");

static void *field_of(void *fields, const p3_setting *which)
{
    return (char *)fields + which->offset;
}

const p3_setting *p3_setting_find(const char *name, p3_setting_place place)
{
    for (const p3_setting *s = p3_all_settings; s->name != NULL; s++) {
        bool is_letter = s->letter != '\0' && name[0] == s->letter && name[1] == '\0';
        if ((s->place & place) != 0 && (is_letter || strcmp(s->name, name) == 0))
            return s;
    }
    return NULL;
}

const char *p3_setting_nearest(const char *name, p3_setting_place place)
{
    const char *nearest = NULL;
    size_t least = p3_word_reach(name);
    for (const p3_setting *s = p3_all_settings; s->name != NULL; s++) {
        size_t d = (s->place & place) != 0 ? p3_word_distance(name, s->name) : SIZE_MAX;
        if (d < least) {
            least = d;
            nearest = s->name;
        }
    }
    return nearest;
}

/* A field of any type, into which a value is read before the old one is freed. */
typedef union p3_any_field {
    p3_url url;
    p3_proxy_setting proxy;
    p3_traits_setting traits;
    p3_removal_setting removal;
    p3_target target;
    p3_deliver_setting deliver;
    char *text;
    uint64_t number;
} p3_any_field;

const p3_setting *p3_settings_rival(const p3_settings *s, const p3_setting *which)
{
    if (which->scope != P3_SCOPE_ACCOUNT || which->type != P3_TYPE_TARGET)
        return NULL;
    for (const p3_setting *o = p3_all_settings; o->name != NULL; o++) {
        if (o->scope == P3_SCOPE_ACCOUNT && o->type == P3_TYPE_TARGET && o != which &&
            s->is_set[o->id])
            return o;
    }
    return NULL;
}

bool p3_settings_choose_one(const p3_settings *s, p3_problem *why)
{
    for (const p3_setting *o = p3_all_settings; o->name != NULL; o++) {
        bool target = o->scope == P3_SCOPE_ACCOUNT && o->type == P3_TYPE_TARGET;
        const p3_setting *rival = target && s->is_set[o->id] ? p3_settings_rival(s, o) : NULL;
        if (rival != NULL && !s->is_set[P3_SETTING_DELIVER])
            return p3_settings_say_rivals(o, rival, why);
    }
    return true;
}

bool p3_settings_say_rivals(const p3_setting *first, const p3_setting *second, p3_problem *why)
{
    return p3_problem_set(
        why, EX_CONFIG,
        "%s: more than one target: choose one of %s and %s, or set deliver = %s, %s", second->name,
        first->name, second->name, first->name, second->name);
}

/* The setting of a kind of target. */
static const p3_setting *setting_of(p3_target_kind kind)
{
    return p3_setting_find(p3_target_row_of(kind)->name, P3_PLACE_BOTH);
}

const p3_setting *p3_settings_lack(const p3_settings *s)
{
    for (const uint8_t *kind = s->deliver.kinds; *kind != P3_TARGET_NONE; kind++) {
        const p3_setting *which = setting_of(*kind);
        if (!s->is_set[which->id])
            return which;
    }
    return NULL;
}

size_t p3_settings_targets(const p3_settings *s, p3_target out[P3_TARGETS_MOST])
{
    size_t count = 0;
    if (s->is_set[P3_SETTING_DELIVER]) {
        for (const uint8_t *kind = s->deliver.kinds; *kind != P3_TARGET_NONE; kind++) {
            const p3_setting *which = setting_of(*kind);
            if (s->is_set[which->id])
                out[count++] = *(const p3_target *)((const char *)s + which->offset);
        }
        return count;
    }
    for (const p3_setting *o = p3_all_settings; o->name != NULL && count == 0; o++) {
        if (o->scope == P3_SCOPE_ACCOUNT && o->type == P3_TYPE_TARGET && s->is_set[o->id])
            out[count++] = *(const p3_target *)((const char *)s + o->offset);
    }
    return count;
}

static bool set_field(void *fields, const p3_setting *which, const char *value, p3_problem *why)
{
    bool *is_set = fields;
    p3_any_field read = {0};
    p3_problem what;
    if (!p3_type_read(which, value, &read, &what))
        return p3_problem_set(why, what.exit, "%s: %s", which->name, what.text);
    void *field = field_of(fields, which);
    p3_type_clear(which->type, field);
    if (!p3_type_copy(which->type, field, &read)) {
        p3_type_clear(which->type, &read);
        is_set[which->id] = false;
        return p3_problem_memory(why);
    }
    p3_type_clear(which->type, &read);
    is_set[which->id] = true;
    return true;
}

bool p3_setting_set(p3_settings *account, p3_run_settings *run, const p3_setting *which,
                    const char *value, p3_problem *why)
{
    if (which->scope == P3_SCOPE_ALIAS) {
        value = which->value != NULL ? which->value : value;
        which = p3_setting_find(which->alias, P3_PLACE_BOTH);
    }
    if (which->scope == P3_SCOPE_RUN)
        return set_field(run, which, value, why);
    return set_field(account, which, value, why);
}

static bool inherit(void *fields, const void *from, p3_setting_scope scope)
{
    bool *ours = fields;
    const bool *theirs = from;
    bool taken[UINT8_MAX + 1] = {false};
    for (const p3_setting *s = p3_all_settings; s->name != NULL; s++) {
        if (s->scope == scope && s->group != 0 && ours[s->id] && s->type != P3_TYPE_DELIVER)
            taken[s->group] = true;
    }
    for (const p3_setting *s = p3_all_settings; s->name != NULL; s++) {
        if (s->scope != scope || s->is_own || ours[s->id] || !theirs[s->id] || taken[s->group])
            continue;
        if (!p3_type_copy(s->type, field_of(fields, s), (const char *)from + s->offset))
            return false;
        ours[s->id] = true;
    }
    return true;
}

bool p3_settings_inherit(p3_settings *s, const p3_settings *from)
{
    return inherit(s, from, P3_SCOPE_ACCOUNT);
}

bool p3_run_settings_inherit(p3_run_settings *s, const p3_run_settings *from)
{
    return inherit(s, from, P3_SCOPE_RUN);
}

bool p3_settings_override(p3_settings *s, const p3_settings *over)
{
    for (const p3_setting *w = p3_all_settings; w->name != NULL; w++) {
        if (w->scope != P3_SCOPE_ACCOUNT || !over->is_set[w->id])
            continue;
        for (const p3_setting *o = p3_all_settings; o->name != NULL; o++) {
            bool same =
                o->scope == P3_SCOPE_ACCOUNT &&
                (o == w || (o->group != 0 && o->group == w->group && w->type != P3_TYPE_DELIVER));
            if (same && s->is_set[o->id] && !over->is_set[o->id]) {
                p3_type_clear(o->type, field_of(s, o));
                s->is_set[o->id] = false;
            }
        }
        p3_type_clear(w->type, field_of(s, w));
        s->is_set[w->id] = p3_type_copy(w->type, field_of(s, w), (const char *)over + w->offset);
        if (!s->is_set[w->id])
            return false;
    }
    return true;
}

static const p3_setting *row_of(size_t id)
{
    const p3_setting *s = p3_all_settings;
    while (s->scope != P3_SCOPE_ACCOUNT || s->id != id)
        s++;
    return s;
}

void p3_settings_lend(p3_settings *to, const p3_settings *from, const p3_loan *loans, size_t count)
{
    for (const p3_loan *l = loans; l < loans + count; l++) {
        const p3_setting *row = row_of(l->which);
        to->is_set[l->as] = from->is_set[l->which];
        if (to->is_set[l->as])
            memcpy(field_of(to, row_of(l->as)), (const char *)from + row->offset,
                   p3_type_size(row->type));
    }
}

static void preset(void *fields, p3_setting_scope scope)
{
    const bool *is_set = fields;
    for (const p3_setting *s = p3_all_settings; s->name != NULL; s++) {
        if (s->scope != scope || is_set[s->id] || s->preset == 0)
            continue;
        void *field = field_of(fields, s);
        if (s->type == P3_TYPE_YES_NO)
            *(bool *)field = true;
        else if (s->type == P3_TYPE_CHOICE)
            *(int *)field = (int)s->preset;
        else
            *(int64_t *)field = s->preset; /* a size or a number has the same representation */
    }
}

void p3_settings_preset(p3_settings *s)
{
    preset(s, P3_SCOPE_ACCOUNT);
}

void p3_run_settings_preset(p3_run_settings *s)
{
    preset(s, P3_SCOPE_RUN);
}

static void clear_fields(void *fields, p3_setting_scope scope)
{
    bool *is_set = fields;
    for (const p3_setting *s = p3_all_settings; s->name != NULL; s++) {
        if (s->scope == scope && is_set[s->id])
            p3_type_clear(s->type, field_of(fields, s));
        if (s->scope == scope)
            is_set[s->id] = false;
    }
}

void p3_settings_free(p3_settings *s)
{
    clear_fields(s, P3_SCOPE_ACCOUNT);
    free(s->name);
    *s = (p3_settings){0};
}

void p3_run_settings_free(p3_run_settings *s)
{
    clear_fields(s, P3_SCOPE_RUN);
    *s = (p3_run_settings){0};
}
