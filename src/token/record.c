/* The record of an account's tokens, and its form in JSON. */
#include "token/record.h"

#include <stdlib.h>
#include <string.h>

#include "system/erase.h"
#include "web/json_members.h"

/* The members: JSON names, offsets in the record, and types. */
typedef struct p3_member {
    const char *name;
    size_t offset;
    enum { P3_MEMBER_TEXT, P3_MEMBER_NUMBER, P3_MEMBER_FLAG } kind;
} p3_member;

#define P3_AT(field) offsetof(p3_token_record, field)

static const p3_member members[] = {
    {"client_id", P3_AT(client.id), P3_MEMBER_TEXT},
    {"client_secret", P3_AT(client.secret), P3_MEMBER_TEXT},
    {"token_endpoint", P3_AT(client.endpoint), P3_MEMBER_TEXT},
    {"revocation_endpoint", P3_AT(client.revocation), P3_MEMBER_TEXT},
    {"basic", P3_AT(client.basic), P3_MEMBER_FLAG},
    {"access_token", P3_AT(tokens.access), P3_MEMBER_TEXT},
    {"refresh_token", P3_AT(tokens.refresh), P3_MEMBER_TEXT},
    {"scope", P3_AT(tokens.scope), P3_MEMBER_TEXT},
    {"obtained", P3_AT(tokens.obtained), P3_MEMBER_NUMBER},
    {"expires", P3_AT(tokens.expires), P3_MEMBER_NUMBER},
    {"failures", P3_AT(trouble.failures), P3_MEMBER_NUMBER},
    {"until", P3_AT(trouble.until), P3_MEMBER_NUMBER},
    {"asked", P3_AT(trouble.asked), P3_MEMBER_NUMBER},
    {"refusal", P3_AT(trouble.refusal), P3_MEMBER_TEXT},
};

#define P3_MEMBERS (sizeof members / sizeof *members)

static void *field(const p3_token_record *r, const p3_member *m)
{
    return (char *)(uintptr_t)r + m->offset;
}

static json_t *value_of(const p3_token_record *r, const p3_member *m)
{
    switch (m->kind) {
    case P3_MEMBER_TEXT: {
        const char *text = *(char **)field(r, m);
        return text != NULL ? json_string(text) : json_null();
    }
    case P3_MEMBER_NUMBER:
        return json_integer(*(int64_t *)field(r, m));
    default:
        return json_boolean(*(bool *)field(r, m));
    }
}

char *p3_token_record_write(const p3_token_record *r)
{
    json_t *object = json_object();
    bool ok = object != NULL;
    for (size_t i = 0; ok && i < P3_MEMBERS; i++)
        ok = json_object_set_new(object, members[i].name, value_of(r, &members[i])) == 0;
    char *text = ok ? json_dumps(object, JSON_COMPACT) : NULL;
    p3_members_free(object);
    return text;
}

bool p3_token_record_read(p3_token_record *out, const char *text, size_t len)
{
    json_t *object = p3_members_read(text, len);
    bool ok = object != NULL;
    *out = (p3_token_record){0};
    for (size_t i = 0; ok && i < P3_MEMBERS; i++) {
        const p3_member *m = &members[i];
        if (m->kind == P3_MEMBER_TEXT)
            ok = p3_token_replace(field(out, m), p3_member_text(object, m->name));
        else if (m->kind == P3_MEMBER_NUMBER)
            *(int64_t *)field(out, m) = p3_member_number(object, m->name, INT64_MAX / 4);
        else
            *(bool *)field(out, m) = json_is_true(json_object_get(object, m->name));
    }
    p3_members_free(object);
    if (!ok)
        p3_token_record_clear(out);
    return ok;
}

void p3_token_record_clear(p3_token_record *r)
{
    for (size_t i = 0; i < P3_MEMBERS; i++) {
        if (members[i].kind == P3_MEMBER_TEXT)
            (void)p3_token_replace(field(r, &members[i]), NULL);
    }
    *r = (p3_token_record){0};
}

bool p3_token_replace(char **to, const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    if (text != NULL && copy == NULL)
        return false;
    if (*to != NULL)
        p3_erase(*to, strlen(*to));
    free(*to);
    *to = copy;
    return true;
}
