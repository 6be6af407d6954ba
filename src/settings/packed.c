/* Settings of an account in compact form, while the account waits. */
#include "settings/packed.h"

#include <stdlib.h>
#include <string.h>

/* The ids of the settings that are set, in the order of the table, followed by their fields. */
struct p3_packed_settings {
    char *name;
    unsigned char count;
    unsigned char data[];
};

_Static_assert(sizeof((p3_settings){0}.is_set) <= UINT8_MAX, "an id is an octet");

/* The next setting that is set, from `s` on; NULL: none. */
static const p3_setting *next_set(const p3_settings *set, const p3_setting *s)
{
    while (s->name != NULL && (s->scope != P3_SCOPE_ACCOUNT || !set->is_set[s->id]))
        s++;
    return s->name != NULL ? s : NULL;
}

p3_packed_settings *p3_settings_pack(p3_settings *set)
{
    size_t count = 0;
    size_t octets = 0;
    for (const p3_setting *s = p3_all_settings; (s = next_set(set, s)) != NULL; s++) {
        count++;
        octets += p3_type_size(s->type);
    }
    p3_packed_settings *p = malloc(sizeof *p + count + octets);
    if (p == NULL)
        return NULL;
    *p = (p3_packed_settings){.name = set->name, .count = (unsigned char)count};
    unsigned char *id = p->data;
    unsigned char *field = p->data + count;
    for (const p3_setting *s = p3_all_settings; (s = next_set(set, s)) != NULL; s++) {
        *id++ = (unsigned char)s->id;
        memcpy(field, (const char *)set + s->offset, p3_type_size(s->type));
        field += p3_type_size(s->type);
    }
    *set = (p3_settings){0};
    return p;
}

static void unpack(const p3_packed_settings *p, p3_settings *out)
{
    *out = (p3_settings){.name = p->name};
    const unsigned char *id = p->data;
    const unsigned char *field = p->data + p->count;
    for (const p3_setting *s = p3_all_settings; id < p->data + p->count && s->name != NULL; s++) {
        if (s->scope != P3_SCOPE_ACCOUNT || s->id != *id)
            continue;
        out->is_set[s->id] = true;
        memcpy((char *)out + s->offset, field, p3_type_size(s->type));
        field += p3_type_size(s->type);
        id++;
    }
}

void p3_packed_settings_view(const p3_packed_settings *p, p3_settings *out)
{
    *out = (p3_settings){0};
    if (p != NULL)
        unpack(p, out);
    p3_settings_preset(out);
}

void p3_packed_settings_release(p3_packed_settings *p)
{
    free(p);
}

void p3_packed_settings_free(p3_packed_settings *p)
{
    p3_settings set;
    if (p == NULL)
        return;
    unpack(p, &set);
    free(p);
    p3_settings_free(&set);
}
