/* Gmail's labels. */
#include "deliver/gmail_labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "web/json_members.h"

enum { P3_UNITS_LIST = 1, P3_UNITS_MAKE = 5 };

#define P3_LABELS_MOST 50                /* of a message */
#define P3_LABELS_TEXT ((size_t)4 << 20) /* octets of Google's list, for up to 10,000 labels */

/* Google's own labels, whose ids are their names. */
static bool is_system_label(const char *name)
{
    static const char *const names[] = {"INBOX", "UNREAD", "STARRED", "IMPORTANT"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return strncmp(name, "CATEGORY_", 9) == 0;
}

/* Labels that only Gmail can set. */
static bool is_reserved_label(const char *name)
{
    return strcasecmp(name, "SENT") == 0 || strcasecmp(name, "DRAFT") == 0 ||
           strcasecmp(name, "CHAT") == 0;
}

/* Adds an id, once. */
static bool add_id(json_t *ids, const char *id)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (strcmp(json_string_value(json_array_get(ids, i)), id) == 0)
            return true;
    }
    return json_array_append_new(ids, json_string(id)) == 0;
}

static const char *find_label(const json_t *answer, const char *name)
{
    const json_t *list = json_object_get(answer, "labels");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *label = json_array_get(list, i);
        const char *is = p3_member_text(label, "name");
        if (is != NULL && strcasecmp(is, name) == 0)
            return p3_member_text(label, "id");
    }
    return NULL;
}

static bool list_labels(p3_gmail_connection *l, json_t **out, p3_problem *why)
{
    char url[P3_GMAIL_URL];
    p3_gmail_url(l, url, "", "/labels");
    const p3_gmail_call call = {.doing = "listing Gmail's labels",
                                .request = {.url = url, .most = P3_LABELS_TEXT},
                                .units = P3_UNITS_LIST,
                                .repeats = true};
    json_decref(*out);
    *out = NULL;
    return p3_gmail_ask(l, &call, out, why) == P3_GMAIL_GOOD;
}

/* Creates a label, and adds its id. If another process has created it meanwhile, that is fine. */
static bool make_label(p3_gmail_connection *l, const char *name, json_t *ids, p3_problem *why)
{
    char url[P3_GMAIL_URL];
    char doing[200];
    json_t *label = json_pack("{s:s, s:s, s:s}", "name", name, "labelListVisibility", "labelShow",
                              "messageListVisibility", "show");
    char *body = label != NULL ? json_dumps(label, JSON_COMPACT) : NULL;
    json_t *answer = NULL;
    p3_gmail_url(l, url, "", "/labels");
    snprintf(doing, sizeof doing, "creating Gmail's label \"%.100s\"", name);
    json_decref(label);
    if (body == NULL) {
        p3_problem_set(why, EX_CONFIG, "%s: it is not UTF-8; see labels", doing);
        why->of_folder = true;
        return false;
    }
    const p3_gmail_call call = {.doing = doing,
                                .request = {.url = url, .body = body, .type = "application/json"},
                                .units = P3_UNITS_MAKE};
    p3_gmail_verdict is = p3_gmail_ask(l, &call, &answer, why);
    free(body);
    if (is == P3_GMAIL_THERE)
        is = list_labels(l, &answer, why) ? P3_GMAIL_GOOD : P3_GMAIL_STOP;
    const char *id = find_label(answer, name);
    if (id == NULL)
        id = p3_member_text(answer, "id");
    why->of_folder = is == P3_GMAIL_LABEL || is == P3_GMAIL_MESSAGE;
    bool ok = is == P3_GMAIL_GOOD && id != NULL && add_id(ids, id);
    if (is == P3_GMAIL_GOOD && !ok)
        p3_problem_set(why, EX_PROTOCOL, "%s: Google's answer has no id of it", doing);
    json_decref(answer);
    return ok;
}

/* Adds the id of a label by its name. `*list` is Google's list, once it has been requested. */
static bool add_label(p3_gmail_connection *l, const char *name, json_t *ids, json_t **list,
                      p3_problem *why)
{
    if (is_reserved_label(name)) {
        p3_problem_set(why, EX_CONFIG,
                       "Gmail's label \"%.100s\": only Gmail itself sets it; see labels", name);
        why->of_folder = true;
        return false;
    }
    if (is_system_label(name))
        return add_id(ids, name) || p3_problem_memory(why);
    if (*list == NULL && !list_labels(l, list, why))
        return false;
    const char *id = find_label(*list, name);
    if (id == NULL)
        return make_label(l, name, ids, why);
    return add_id(ids, id) || p3_problem_memory(why);
}

/* Adds each name of the setting. */
static bool add_labels(p3_gmail_connection *l, const char *labels, json_t *ids, p3_problem *why)
{
    char *copy = strdup(labels);
    char *rest = NULL;
    json_t *list = NULL;
    bool ok = copy != NULL || p3_problem_memory(why);
    size_t count = 0;
    char *name = ok ? strtok_r(copy, ",", &rest) : NULL;
    for (; ok && name != NULL; name = strtok_r(NULL, ",", &rest)) {
        name += strspn(name, " \t");
        size_t len = strlen(name);
        while (len > 0 && strchr(" \t", name[len - 1]) != NULL)
            name[--len] = '\0';
        if (len > 0)
            ok = ++count <= P3_LABELS_MOST
                     ? add_label(l, name, ids, &list, why)
                     : p3_problem_set(why, EX_CONFIG, "there are more than %d labels; see labels",
                                      P3_LABELS_MOST);
    }
    json_decref(list);
    free(copy);
    return ok;
}

char *p3_gmail_metadata(p3_gmail_connection *l, const char *labels, bool is_unread, p3_problem *why)
{
    json_t *ids = json_array();
    json_t *object = ids != NULL ? json_pack("{s:O}", "labelIds", ids) : NULL;
    char *text = NULL;
    bool ok = object != NULL || p3_problem_memory(why);
    ok = ok && add_labels(l, labels, ids, why);
    if (ok && is_unread)
        ok = add_id(ids, "UNREAD") || p3_problem_memory(why);
    if (ok && (text = json_dumps(object, JSON_COMPACT)) == NULL)
        p3_problem_memory(why);
    json_decref(object);
    json_decref(ids);
    return text;
}

bool p3_gmail_try(const char *user, const p3_gmail_options *options, p3_problem *why)
{
    json_t *labels = NULL;
    p3_gmail_session *s = p3_gmail_session_new(user, options, why);
    p3_gmail_connection *l = s != NULL ? p3_gmail_connection_new(s, why) : NULL;
    bool ok = l != NULL && list_labels(l, &labels, why);
    json_decref(labels);
    p3_gmail_connection_free(l);
    p3_gmail_session_free(s);
    return ok;
}
