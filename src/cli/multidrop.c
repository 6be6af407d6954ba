/* An account's settings for the recipients of a mailbox that many share. */
#include "cli/multidrop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "support/input.h"

/* Maximum octets of the table's file. */
#define P3_TABLE_MOST (16 * 1024 * 1024)

const char *p3_multidrop_postmaster(const p3_settings *s)
{
    return s->postmaster != NULL ? s->postmaster : s->recipient;
}

/* Whether any of the targets has recipients, or, with `folders`, folders. */
static bool any_has(const p3_target *targets, size_t count, bool folders)
{
    bool any = false;
    for (size_t i = 0; i < count && !any; i++) {
        const p3_target_row *row = p3_target_row_of(targets[i].kind);
        any = folders ? row->folder != NULL || row->labels : row->has_recipients;
    }
    return any;
}

/* Whether the settings are consistent. */
static bool settings_fit(const p3_settings *s, const p3_target *targets, size_t count,
                         p3_problem *why)
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
                              "with folders or labels, maildir, imap or gmail");
    if (s->map_recipients == NULL)
        return p3_problem_set(why, EX_CONFIG,
                              "recipients-from needs map-recipients: mail goes only to recipients "
                              "and folders that are named there");
    if (!recipients && s->postmaster != NULL)
        return p3_problem_set(
            why, EX_CONFIG,
            "postmaster needs a target with recipients, lmtp or smtp: in a table "
            "of folders, write * -> folder:NAME for mail that matches no other line");
    return !recipients || p3_multidrop_postmaster(s) != NULL ||
           p3_problem_set(why, EX_CONFIG,
                          "recipients-from needs postmaster: the recipient for unknown addresses");
}

/* Whether each line applies to one of the targets, and its folder name is valid there. */
static bool lines_fit(const p3_recipients *r, const p3_target *targets, size_t count,
                      p3_problem *why)
{
    const char *name;
    bool folders = any_has(targets, count, true);
    unsigned line = p3_recipients_line(r, 0);
    if (line > 0 && !any_has(targets, count, false))
        return p3_problem_set(why, EX_CONFIG,
                              "%.300s, line %u: recipients are for lmtp and smtp; for a folder of "
                              "maildir or imap, or a label of gmail, write ADDRESS -> folder:NAME",
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
                                          : "folders are for maildir, imap and gmail",
                                  name);
    }
    return true;
}

bool p3_multidrop_make(p3_recipients **out, const p3_settings *s, const p3_target *targets,
                       size_t count, p3_problem *why)
{
    *out = NULL;
    if (!settings_fit(s, targets, count, why))
        return false;
    if (s->recipients_from == NULL)
        return true;
    bool is_file = strstr(s->map_recipients, "->") == NULL;
    p3_input in = {0};
    if (is_file && !p3_input_read_text(s->map_recipients, P3_TABLE_MOST, &in)) {
        (void)p3_input_problem(why, errno, "map-recipients: reading", s->map_recipients);
        why->exit = EX_CONFIG; /* the file is only read */
    } else {
        *out = p3_recipients_new(s->recipients_from, is_file ? in.text : s->map_recipients,
                                 is_file ? s->map_recipients : "map-recipients",
                                 p3_multidrop_postmaster(s), why);
    }
    p3_input_free(&in);
    if (*out != NULL && lines_fit(*out, targets, count, why))
        return true;
    p3_recipients_free(*out);
    *out = NULL;
    return false;
}
