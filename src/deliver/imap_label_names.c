/* Names of Gmail's labels in IMAP. */
#include "deliver/imap_label_names.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "deliver/imap_address.h"

/* A name in the API, and in IMAP; NULL: it does not exist there. */
static const struct {
    const char *name;
    const char *imap;
} system_labels[] = {{"INBOX", "\\Inbox"}, {"STARRED", "\\Starred"}, {"IMPORTANT", "\\Important"},
                     {"SENT", "\\Sent"},   {"UNREAD", NULL},         {"SPAM", NULL},
                     {"TRASH", NULL},      {"DRAFT", NULL}};

static bool is_system_label(const char *name, const char **imap)
{
    for (size_t i = 0; i < sizeof system_labels / sizeof *system_labels; i++) {
        *imap = system_labels[i].imap;
        if (strcasecmp(system_labels[i].name, name) == 0)
            return true;
    }
    *imap = NULL;
    return strncasecmp(name, "CATEGORY_", 9) == 0;
}

/* Writes one label. A name that begins with a backslash would be one of Gmail's own. */
static bool write_label(const char *name, char *out, size_t size)
{
    const char *imap;
    char encoded[500];
    char quoted[2 * sizeof encoded + 3];
    if (is_system_label(name, &imap))
        return imap != NULL && (size_t)snprintf(out, size, "%s", imap) < size;
    if (name[0] == '\\' || !p3_imap_encode(name, encoded, sizeof encoded))
        return false;
    p3_imap_quote(encoded, quoted);
    return (size_t)snprintf(out, size, "%s", quoted) < size;
}

bool p3_imap_labels_write(const char *names, char *out, size_t size, p3_problem *why)
{
    char name[300];
    size_t used = 0;
    for (const char *at = names; size > 2; at++) {
        at += strspn(at, " ");
        size_t len = strcspn(at, ",");
        size_t end = len;
        while (end > 0 && at[end - 1] == ' ')
            end--;
        snprintf(name, sizeof name, "%.*s", (int)(end < sizeof name ? end : sizeof name), at);
        out[used] = used == 0 ? '(' : ' ';
        if (end == 0 || end >= sizeof name || used + 2 >= size ||
            !write_label(name, out + used + 1, size - used - 2))
            return p3_problem_set(why, EX_CONFIG,
                                  "labels: \"%.100s\" cannot be a label in IMAP; expected: names "
                                  "such as INBOX, STARRED or Family, with commas between",
                                  name);
        used += strlen(out + used);
        at += len;
        if (*at == '\0')
            break;
    }
    memcpy(out + used, ")", 2);
    return true;
}
