/* What an account's settings say about the recipients of a mailbox that many share. */
#include "cli/multidrop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/file.h"

/* Octets that the table's file may have. */
#define P3_TABLE_MOST (16 * 1024 * 1024)

/* The text of an open file; free() it. */
static char *read_text(int fd, const char *path, p3_problem *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > P3_TABLE_MOST) {
        p3_problem_set(why, EX_CONFIG,
                       "map-recipients: %.300s is no file of at most %d octets: name a file of "
                       "lines ADDRESS -> RECIPIENT",
                       path, P3_TABLE_MOST);
        return NULL;
    }
    size_t len = (size_t)st.st_size;
    char *text = malloc(len + 1);
    if (text == NULL || !p3_read_at(fd, text, len, 0)) {
        p3_problem_errno(why, text == NULL ? ENOMEM : errno, "map-recipients: reading %.300s",
                         path);
        free(text);
        return NULL;
    }
    text[len] = '\0';
    if (strlen(text) == len)
        return text;
    p3_problem_set(why, EX_CONFIG, "map-recipients: there is an octet NUL in %.300s: it is no text",
                   path);
    free(text);
    return NULL;
}

static char *read_file(const char *path, p3_problem *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        p3_problem_errno(why, errno, "map-recipients: reading %.300s", path);
        why->exit = EX_CONFIG;
        return NULL;
    }
    char *text = read_text(fd, path, why);
    (void)close(fd);
    return text;
}

const char *p3_multidrop_postmaster(const p3_settings *s)
{
    return s->postmaster != NULL ? s->postmaster : s->recipient;
}

/* Whether any of the targets has recipients, or else one that has folders. */
static bool any_has(const p3_target *targets, size_t count, bool folders)
{
    bool any = false;
    for (size_t i = 0; i < count && !any; i++) {
        const p3_target_row *row = p3_target_row_of(targets[i].kind);
        any = folders ? row->folder != NULL : row->has_recipients;
    }
    return any;
}

/* Whether the settings go together. */
static bool fit(const p3_settings *s, const p3_target *targets, size_t count, p3_problem *why)
{
    bool recipients = any_has(targets, count, false);
    if (s->recipients_from == NULL)
        return (s->map_recipients == NULL && s->postmaster == NULL) ||
               p3_problem_set(why, EX_CONFIG,
                              "%s needs recipients-from: say which header fields name the "
                              "recipients, such as Delivered-To, X-Original-To",
                              s->map_recipients != NULL ? "map-recipients" : "postmaster");
    if (!recipients && !any_has(targets, count, true))
        return p3_problem_set(why, EX_CONFIG,
                              "recipients-from needs a target with recipients, lmtp or smtp, or "
                              "with folders, maildir or imap");
    if (s->map_recipients == NULL)
        return p3_problem_set(why, EX_CONFIG,
                              "recipients-from needs map-recipients: mail goes only to recipients "
                              "and folders that are named there");
    if (!recipients && s->postmaster != NULL)
        return p3_problem_set(why, EX_CONFIG,
                              "postmaster needs a target with recipients, lmtp or smtp: in a table "
                              "of folders, write * -> folder:NAME for what fits no other line");
    return !recipients || p3_multidrop_postmaster(s) != NULL ||
           p3_problem_set(why, EX_CONFIG,
                          "recipients-from needs postmaster: the recipient of what fits nobody");
}

/* Whether each line is for one of the targets, and its folder may be named so there. */
static bool lines_fit(const p3_recipients *r, const p3_target *targets, size_t count,
                      p3_problem *why)
{
    const char *name;
    bool folders = any_has(targets, count, true);
    unsigned line = p3_recipients_line(r, 0);
    if (line > 0 && !any_has(targets, count, false))
        return p3_problem_set(why, EX_CONFIG,
                              "%.300s, line %u: recipients are for lmtp and smtp; for a folder of "
                              "maildir or imap, write ADDRESS -> folder:NAME",
                              p3_recipients_table(r), line);
    for (size_t i = 1; (name = p3_recipients_folder(r, i)) != NULL; i++) {
        bool ok = folders;
        for (size_t k = 0; k < count && ok; k++) {
            const p3_target_row *row = p3_target_row_of(targets[k].kind);
            char *where = row->folder != NULL ? row->folder(targets[k].where, name) : NULL;
            ok = row->folder == NULL || where != NULL;
            free(where);
        }
        if (!ok)
            return p3_problem_set(why, EX_CONFIG, "%.300s, line %u: %s: folder:%.200s",
                                  p3_recipients_table(r), p3_recipients_line(r, i),
                                  folders ? "there can be no folder of that name"
                                          : "folders are for maildir and imap",
                                  name);
    }
    return true;
}

bool p3_multidrop_make(p3_recipients **out, const p3_settings *s, const p3_target *targets,
                       size_t count, p3_problem *why)
{
    *out = NULL;
    if (!fit(s, targets, count, why))
        return false;
    if (s->recipients_from == NULL)
        return true;
    bool is_file = strstr(s->map_recipients, "->") == NULL;
    char *text = is_file ? read_file(s->map_recipients, why) : NULL;
    if (is_file && text == NULL)
        return false;
    *out = p3_recipients_new(s->recipients_from, is_file ? text : s->map_recipients,
                             is_file ? s->map_recipients : "map-recipients",
                             p3_multidrop_postmaster(s), why);
    free(text);
    if (*out != NULL && lines_fit(*out, targets, count, why))
        return true;
    p3_recipients_free(*out);
    *out = NULL;
    return false;
}
