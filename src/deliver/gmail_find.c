/* Finds out whether a message is in Gmail. */
#include "deliver/gmail_find.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "deliver/delivery.h"
#include "support/file.h"
#include "support/fingerprint.h"
#include "web/form.h"
#include "web/json_members.h"

enum { P3_UNITS_SEARCH = 5, P3_UNITS_GET = 20 };

#define P3_FOUND_MOST 100 /* messages with the same Message-ID that are checked */

/* Makes a Message-ID from the name for a message that has none, so that it can be found. */
static void make_id(const char *name, char *out, size_t size)
{
    size_t len = strspn(name, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.");
    const char *queue = strchr(name, 'Q'); /* the host after it may be anything */
    if (queue != NULL && len > (size_t)(queue - name))
        len = (size_t)(queue - name) + 1 + strspn(queue + 1, "0123456789");
    snprintf(out, size, "%.*s@pop3.invalid", (int)(len < 200 ? len : 200), name);
}

/* Whether Gmail can search for it: rfc822msgid: does not accept quotes. */
static bool is_searchable(const char *id, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (id[i] <= ' ' || id[i] == 0x7f || strchr("\"(){}<>", id[i]) != NULL)
            return false;
    }
    return len > 0;
}

static void make_mark(const char *name, const p3_fingerprint *print, char *out, size_t size)
{
    size_t used = (size_t)snprintf(out, size, "%.350s ", name);
    for (size_t i = 0; i < sizeof print->octets; i++)
        used += (size_t)snprintf(out + used, size - used, "%02x", print->octets[i]);
}

bool p3_gmail_identify(p3_gmail_identity *out, int fd, uint64_t offset, uint64_t length,
                       const char *name, const p3_fingerprint *print, p3_problem *why)
{
    size_t len = 0;
    size_t size = length < P3_HEADER_MOST ? (size_t)length : P3_HEADER_MOST;
    char *text = malloc(size + 1);
    p3_header h = {0};
    *out = (p3_gmail_identity){0};
    make_mark(name, print, out->mark, sizeof out->mark);
    if (text == NULL)
        return p3_problem_memory(why);
    if (!p3_read_at(fd, text, size, offset)) {
        free(text);
        return p3_problem_errno(why, errno, "reading a message that waits for Gmail");
    }
    (void)p3_header_take(&h, text, size);
    free(text);
    const char *value = h.data != NULL ? p3_header_field(h.data, h.len, "Message-ID", &len) : NULL;
    out->is_ours = value == NULL || len == 0;
    if (out->is_ours) {
        make_id(name, out->id, sizeof out->id);
    } else {
        const char *open = memchr(value, '<', len);
        const char *close = open != NULL ? memchr(open, '>', len - (size_t)(open - value)) : NULL;
        const char *id = close != NULL ? open + 1 : value;
        len = close != NULL ? (size_t)(close - id) : len;
        if (len < sizeof out->id && is_searchable(id, len))
            memcpy(out->id, id, len);
    }
    bool failed = h.failed;
    p3_header_free(&h);
    return !failed || p3_problem_memory(why);
}

/* Whether it is a message id of Google's form, because it becomes part of a URL. */
static bool is_id(const char *id)
{
    size_t len = id != NULL ? strlen(id) : 0;
    return len > 0 && len < 65 &&
           strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == len;
}

/* Whether a message in an answer has the mark. */
static bool carries(const json_t *answer, const char *mark)
{
    const json_t *headers = json_object_get(json_object_get(answer, "payload"), "headers");
    for (size_t i = 0; i < json_array_size(headers); i++) {
        const json_t *header = json_array_get(headers, i);
        const char *field = p3_member_text(header, "name");
        const char *value = p3_member_text(header, "value");
        if (field != NULL && value != NULL && strcasecmp(field, P3_DELIVERY_FIELD) == 0 &&
            strcmp(value, mark) == 0)
            return true;
    }
    return false;
}

/* Checks a message with the Message-ID. */
static p3_gmail_verdict look_at(p3_gmail_connection *l, const char *id, const char *mark,
                                bool *there, p3_problem *why)
{
    char url[P3_GMAIL_URL];
    json_t *answer = NULL;
    p3_gmail_url(l, url, "", "/messages/%s?format=metadata&metadataHeaders=%s", id,
                 P3_DELIVERY_FIELD);
    const p3_gmail_call call = {.doing = "looking at a message in Gmail",
                                .request = {.url = url},
                                .units = P3_UNITS_GET,
                                .repeats = true};
    p3_gmail_verdict is = p3_gmail_ask(l, &call, &answer, why);
    if (is == P3_GMAIL_MISSING)
        is = P3_GMAIL_GOOD; /* it was removed meanwhile */
    *there = is == P3_GMAIL_GOOD && carries(answer, mark);
    json_decref(answer);
    return is;
}

p3_gmail_verdict p3_gmail_find(p3_gmail_connection *l, const p3_gmail_identity *who, bool *there,
                               p3_problem *why)
{
    char url[P3_GMAIL_URL];
    json_t *answer = NULL;
    char *encoded = p3_form_encode_text(who->id);
    *there = false;
    if (encoded == NULL) {
        p3_problem_memory(why);
        return P3_GMAIL_STOP;
    }
    p3_gmail_url(l, url, "", "/messages?q=rfc822msgid%%3A%s&includeSpamTrash=true&maxResults=%d",
                 encoded, P3_FOUND_MOST);
    free(encoded);
    const p3_gmail_call call = {.doing = "searching Gmail for a message of an earlier run",
                                .request = {.url = url},
                                .units = P3_UNITS_SEARCH,
                                .repeats = true};
    p3_gmail_verdict is = p3_gmail_ask(l, &call, &answer, why);
    const json_t *list = json_object_get(answer, "messages");
    for (size_t i = 0;
         is == P3_GMAIL_GOOD && !*there && i < json_array_size(list) && i < P3_FOUND_MOST; i++) {
        const char *found = p3_member_text(json_array_get(list, i), "id");
        if (is_id(found))
            is = look_at(l, found, who->mark, there, why);
    }
    json_decref(answer);
    return is;
}
