/* The messages of a batch for a server. */
#include "deliver/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine/outside.h"
#include "support/file.h"
#include "system/nameless.h"

p3_spool *p3_spool_new(p3_problem *why)
{
    p3_spool *s = calloc(1, sizeof *s);
    if (s == NULL) {
        p3_problem_memory(why);
        return NULL;
    }
    s->fd = p3_outside_spool();
    if (s->fd >= 0)
        return s;
    (void)p3_spool_problem(why, "the server");
    free(s);
    return NULL;
}

static const char *advice_on(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EROFS:
    case ENOSPC:
    case EDQUOT:
        return "; set TMPDIR to a directory that has room and can be written";
    default:
        return "";
    }
}

bool p3_spool_problem(p3_problem *why, const char *server)
{
    int error = errno;
    (void)p3_problem_errno(why, error, "keeping messages for %s in %.300s", server,
                           p3_nameless_directory());
    size_t len = strlen(why->text);
    snprintf(why->text + len, sizeof why->text - len, "%s", advice_on(error));
    return false;
}

static bool is_beyond_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80)
        text++;
    return *text != '\0';
}

static void forget_last(p3_spool *s)
{
    free(s->last.to);
    s->last.to = NULL;
}

bool p3_spool_begin(p3_spool *s, const char *sender, const p3_recipient *to, size_t to_count)
{
    forget_last(s);
    s->last = (p3_spool_mail){.fd = s->fd,
                              .offset = s->length,
                              .sender = sender,
                              .to_count = to_count,
                              .is_utf8 = is_beyond_ascii(sender)};
    s->in_body = false;
    s->line_empty = true;
    if (to_count == 0)
        return true;
    s->last.to = malloc(to_count * sizeof *to);
    if (s->last.to == NULL)
        return false;
    for (size_t i = 0; i < to_count; i++) {
        s->last.to[i] = to[i];
        s->last.is_utf8 = s->last.is_utf8 || to[i].is_utf8;
    }
    return true;
}

/* Records what the server must know about the message in advance. Each line end counts as CRLF. */
static void note_octets(p3_spool *s, const char *data, size_t len)
{
    p3_spool_mail *m = &s->last;
    for (size_t i = 0; i < len; i++) {
        m->octets += data[i] == '\n' ? 2 : data[i] != '\r';
        m->is_8bit = m->is_8bit || (unsigned char)data[i] >= 0x80;
        m->is_utf8 = m->is_utf8 || (!s->in_body && (unsigned char)data[i] >= 0x80);
        s->in_body = s->in_body || (data[i] == '\n' && s->line_empty);
        s->line_empty = data[i] == '\n' || (data[i] == '\r' && s->line_empty);
    }
}

bool p3_spool_write(p3_spool *s, const char *data, size_t len)
{
    if (!p3_write_all(s->fd, data, len))
        return false;
    note_octets(s, data, len);
    s->last.length += len;
    return true;
}

bool p3_spool_finish(p3_spool *s)
{
    if (!p3_grow(&s->mails, &s->room, s->count + 1, sizeof *s->mails)) {
        errno = ENOMEM;
        return false;
    }
    s->mails[s->count++] = s->last;
    s->last.to = NULL;
    s->length += s->last.length;
    return true;
}

bool p3_spool_abandon(p3_spool *s)
{
    return ftruncate(s->fd, (off_t)s->length) == 0 && lseek(s->fd, (off_t)s->length, SEEK_SET) >= 0;
}

void p3_spool_free(p3_spool *s)
{
    if (s == NULL)
        return;
    (void)close(s->fd);
    forget_last(s);
    for (size_t i = 0; i < s->count; i++)
        free(s->mails[i].to);
    free(s->mails);
    free(s);
}
