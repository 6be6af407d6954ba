/* Reads JSON from a server or a file. */
#include "web/json_members.h"

#include <stdlib.h>
#include <string.h>

#include "system/erase.h"

json_t *p3_members_read(const char *text, size_t len)
{
    json_t *object = text != NULL ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

void p3_members_free(json_t *object)
{
    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        if (json_is_string(value))
            p3_erase((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    }
    json_decref(object);
}

const char *p3_member_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    const char *text = json_string_value(value);
    if (text == NULL || text[0] == '\0')
        return NULL;
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at < ' ' || *at == 127)
            return NULL;
    }
    return text;
}

int64_t p3_member_number(const json_t *object, const char *name, int64_t most)
{
    const json_t *value = json_object_get(object, name);
    double number = json_number_value(value);
    if (json_is_string(value)) {
        char *end;
        const char *text = json_string_value(value);
        number = strtod(text, &end);
        if (end == text || *end != '\0')
            return 0;
    }
    return number >= 0 && number <= (double)most ? (int64_t)number : 0;
}

bool p3_member_lists(const json_t *object, const char *name, const char *text)
{
    const json_t *array = json_object_get(object, name);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *item = json_string_value(json_array_get(array, i));
        if (item != NULL && strcmp(item, text) == 0)
            return true;
    }
    return false;
}
