/* Delivers refused messages again. */
#include "deliver/retry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/directory.h"
#include "deliver/folders.h"
#include "deliver/parcel.h"
#include "deliver/quarantine.h"
#include "support/crash_point.h"
#include "support/grow.h"

/* Messages that are delivered together. */
#define P3_RETRY_MOST 100

/* The note and the name are within this many octets. */
#define P3_RETRY_LINES 2048

/* A message in the Maildir. */
typedef struct p3_kept {
    char *file; /* its name there */
    char *name; /* the same without what a reader has appended */
    char *sent; /* the name under which it was, and is, delivered */
    char *note;
    char *recipient; /* the only recipient that lacks it; or NULL */
    bool in_new;     /* otherwise in cur */
    off_t text;      /* offset of the message itself */
} p3_kept;

typedef struct p3_keeping {
    const p3_retry *how;
    int new;
    int cur;
    p3_kept *at;
    size_t count;
    p3_room room;
} p3_keeping;

/* ---- what is there ---- */

/* The end of the line at `at`, after its LF; or NULL. */
static const char *end_of_line(const char *at)
{
    const char *lf = strchr(at, '\n');
    return lf != NULL ? lf + 1 : NULL;
}

/* The value of the field at `*at`, if it has this name, and advances `*at`; or NULL: `*failed` when
 * out of memory. */
static char *read_field(const char **at, const char *name, bool *failed)
{
    size_t len = strlen(name);
    const char *end = end_of_line(*at);
    if (end == NULL || strncmp(*at, name, len) != 0 || strncmp(*at + len, ": ", 2) != 0)
        return NULL;
    char *value = strndup(*at + len + 2, (size_t)(end - *at) - len - 3);
    *failed = *failed || value == NULL;
    *at = end;
    return value;
}

/* Reads the note before a message. False when it is not a refused message, or when `*failed`. The
 * note must be ours: the message's own header follows it. */
static bool read_note(int fd, p3_kept *m, bool *failed)
{
    char text[P3_RETRY_LINES];
    ssize_t n;
    do
        n = pread(fd, text, sizeof text - 1, 0);
    while (n < 0 && errno == EINTR);
    text[n > 0 ? n : 0] = '\0';
    const char *at = text;
    m->note = read_field(&at, P3_QUARANTINE_FIELD, failed);
    if (m->note == NULL)
        return false;
    size_t len = p3_quarantine_name(m->name);
    if (m->name[len] != '\0')
        m->recipient = read_field(&at, P3_QUARANTINE_RECIPIENT, failed);
    m->sent = strndup(m->name, len);
    *failed = *failed || m->sent == NULL;
    free(read_field(&at, P3_DELIVERY_FIELD, failed)); /* the target adds its own again */
    m->text = at - text;
    return !*failed;
}

static void forget_kept(p3_kept *m)
{
    free(m->file);
    free(m->name);
    free(m->sent);
    free(m->note);
    free(m->recipient);
    *m = (p3_kept){0};
}

/* Checks a file. False when out of memory; other files are left alone. */
static bool look_at(p3_keeping *k, int folder, const char *file)
{
    p3_kept m = {.file = strdup(file),
                 .name = strndup(file, strcspn(file, ":;!,")),
                 .in_new = folder == k->new};
    if (m.file == NULL || m.name == NULL ||
        !p3_grow(&k->at, &k->room, k->count + 1, sizeof *k->at)) {
        forget_kept(&m);
        return false;
    }
    bool ours =
        file[0] != '.' && (!k->how->is_shared || p3_names_carry(m.name, k->how->owner.mark));
    int fd = ours ? openat(folder, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    struct stat st;
    bool failed = false;
    ours = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && read_note(fd, &m, &failed);
    if (fd >= 0)
        (void)close(fd);
    if (ours)
        k->at[k->count++] = m;
    else
        forget_kept(&m);
    return !failed;
}

static bool look_into(p3_keeping *k, int folder, p3_problem *why)
{
    int fd = dup(folder);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *e = NULL;
    bool ok = true;
    if (dir == NULL) {
        int error = errno;
        if (fd >= 0)
            (void)close(fd);
        return p3_problem_errno(why, error, "reading %s", k->how->maildir);
    }
    while (ok && (errno = 0, e = readdir(dir)) != NULL)
        ok = look_at(k, folder, e->d_name) || p3_problem_memory(why);
    if (ok && errno != 0)
        ok = p3_problem_errno(why, errno, "reading %s", k->how->maildir);
    (void)closedir(dir);
    return ok;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const p3_kept *)a)->name, ((const p3_kept *)b)->name);
}

/* A message may be met twice, if a reader moves it from new/ to cur/ meanwhile. */
static void leave_one_of_each(p3_keeping *k)
{
    size_t left = 0;
    if (k->count > 0)
        qsort(k->at, k->count, sizeof *k->at, compare);
    for (size_t i = 0; i < k->count; i++) {
        if (left > 0 && strcmp(k->at[left - 1].name, k->at[i].name) == 0) {
            forget_kept(&k->at[left - 1]);
            k->at[left - 1] = k->at[i];
        } else {
            k->at[left++] = k->at[i];
        }
    }
    k->count = left;
}

/* A missing Maildir has no messages. */
static bool gather_kept(p3_keeping *k, p3_problem *why)
{
    k->new = p3_directory_open(k->how->maildir, "/new");
    k->cur = k->new >= 0 ? p3_directory_open(k->how->maildir, "/cur") : -1;
    if (k->cur < 0)
        return errno == ENOENT || p3_problem_errno(why, errno, "reading %s", k->how->maildir);
    bool ok = look_into(k, k->new, why) && look_into(k, k->cur, why);
    leave_one_of_each(k);
    return ok;
}

/* ---- delivering it ---- */

static void tell_kept(const p3_keeping *k, const p3_kept *m, bool delivered,
                      const p3_problem *problem)
{
    p3_retried what = {
        .name = m->name, .note = m->note, .delivered = delivered, .problem = problem};
    k->how->tell(k->how->ctx, &what);
}

/* Removes a message that the target has, with a report if needed. */
static void take_away(const p3_keeping *k, const p3_kept *m, const p3_problem *problem)
{
    p3_problem why;
    if (unlinkat(m->in_new ? k->new : k->cur, m->file, 0) == 0 || errno == ENOENT) {
        tell_kept(k, m, true, problem);
        return;
    }
    p3_problem_errno(&why, errno, "it is delivered: removing it from %.300s", k->how->maildir);
    tell_kept(k, m, true, &why);
}

/* The name under which a message is delivered again. A message kept for one recipient is, for a
 * target without recipients, a message of its own. */
static const char *name_of(const p3_delivery *d, const p3_kept *m)
{
    return d->class->address != NULL ? m->sent : m->name;
}

/* Writes one message. */
static bool write_message(const p3_keeping *k, p3_message *to, const p3_kept *m, p3_parcel *out)
{
    char piece[16 * 1024];
    int fd = openat(m->in_new ? k->new : k->cur, m->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    bool ok = fd >= 0;
    ssize_t n = 0;
    p3_message_begin_for(to, name_of(to->delivery, m), m->recipient);
    for (off_t at = m->text; ok; at += n) {
        n = pread(fd, piece, sizeof piece, at);
        if (n < 0 && errno == EINTR)
            n = 0;
        else if (n <= 0)
            break;
        else
            ok = p3_message_take(to, piece, (size_t)n);
    }
    if (fd < 0 || n < 0)
        ok = p3_problem_errno(&to->why, errno, "reading %.300s", k->how->maildir);
    ok = ok && p3_message_finish(to, out);
    if (!ok)
        p3_message_abandon(to);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

/* Handles the result of a batch. Returns false when the target failed. */
static bool note_batch(const p3_keeping *k, p3_batch *b, p3_problem *why)
{
    const p3_problem *stopped = b->problem.exit != 0 ? &b->problem : &b->stopped;
    if (b->noted.exit != 0)
        k->how->tell(k->how->ctx, &(p3_retried){.problem = &b->noted});
    for (size_t i = 0; i < b->count; i++) {
        p3_parcel *p = &b->parcels[i];
        const p3_kept *m = &k->at[p->entry];
        if (p->delivered && b->problem.exit == 0)
            take_away(k, m, p->problem);
        else
            tell_kept(k, m, false, p->problem);
    }
    if (stopped->exit != 0)
        *why = *stopped;
    return stopped->exit == 0;
}

/* Delivers messages of the Maildir, up to `end`, together. */
static bool deliver_some(const p3_keeping *k, p3_message *to, const bool *there, size_t *next,
                         p3_problem *why)
{
    p3_delivery *d = to->delivery;
    p3_parcel parcels[P3_RETRY_MOST];
    p3_batch batch = {.to = d, .parcels = parcels};
    size_t most = d->class->alone ? 1 : P3_RETRY_MOST;
    for (; *next < k->count && batch.count < most; ++*next) {
        if (there[*next])
            continue;
        p3_parcel *p = &parcels[batch.count];
        *p = (p3_parcel){.entry = *next, .again = true, .fd = -1};
        if (write_message(k, to, &k->at[*next], p))
            batch.count++;
        else
            tell_kept(k, &k->at[*next], false, &to->why);
    }
    if (batch.count == 0)
        return true;
    if (d->class->seal != NULL)
        d->class->seal(d, &batch);
    d->class->deliver(&batch);
    p3_crash_point("retry-delivered");
    bool ok = note_batch(k, &batch, why);
    for (size_t i = 0; i < batch.count; i++)
        p3_parcel_clear(&parcels[i]);
    /* After this, the target has no evidence that it has them. */
    if (fsync(k->new) != 0 || fsync(k->cur) != 0)
        ok = ok && p3_problem_errno(why, errno, "syncing %s", k->how->maildir);
    p3_crash_point("retry-removed");
    if (d->class->recorded != NULL)
        d->class->recorded(d, &batch, batch.problem.exit == 0);
    return ok;
}

static bool is_kept(const p3_keeping *k, const char *name)
{
    const p3_kept key = {.name = (char *)(uintptr_t)name};
    return bsearch(&key, k->at, k->count, sizeof *k->at, compare) != NULL;
}

/* Asks the target which messages it has from a retry that was killed; removes those. */
static bool settle(const p3_keeping *k, p3_delivery *d, bool *there, p3_problem *why)
{
    size_t count = k->count;
    p3_left_over *left = calloc(count + k->how->intent_count, sizeof *left);
    if (left == NULL)
        return p3_problem_memory(why);
    for (size_t i = 0; i < k->count; i++)
        left[i] = (p3_left_over){.name = name_of(d, &k->at[i]), .row = i, .any_time = true};
    for (size_t i = 0; i < k->how->intent_count; i++) {
        if (!is_kept(k, k->how->intents[i]))
            left[count++] = (p3_left_over){.name = k->how->intents[i], .row = k->count};
    }
    bool ok = p3_delivery_settle(d, left, count, why);
    for (size_t i = 0; ok && i < count; i++) {
        if (left[i].row < k->count)
            there[left[i].row] = left[i].there;
    }
    free(left);
    for (size_t i = 0; ok && i < k->count; i++) {
        if (there[i])
            take_away(k, &k->at[i], NULL);
    }
    if (ok && (fsync(k->new) != 0 || fsync(k->cur) != 0))
        ok = p3_problem_errno(why, errno, "syncing %s", k->how->maildir);
    if (ok && d->class->recorded != NULL)
        d->class->recorded(d, NULL, count == k->count); /* evidence about intents belongs to sync */
    return ok;
}

static bool deliver_all(const p3_keeping *k, p3_problem *why)
{
    p3_message to = {0};
    bool *there = calloc(k->count, sizeof *there);
    p3_delivery *d = p3_folders_open(&k->how->target, k->how->owner, why);
    if (d != NULL)
        d->retries = true;
    bool ok =
        d != NULL && (there != NULL || p3_problem_memory(why)) && settle(k, d, there, why) &&
        (p3_message_init(&to, d, k->how->line_ends, P3_BODIES_NONE) || p3_problem_memory(why));
    for (size_t next = 0; ok && next < k->count;)
        ok = deliver_some(k, &to, there, &next, why);
    if (to.delivery != NULL)
        p3_message_free(&to);
    if (d != NULL)
        d->class->close(d);
    free(there);
    return ok;
}

bool p3_retry_all(const p3_retry *r, p3_problem *why)
{
    p3_keeping k = {.how = r, .new = -1, .cur = -1};
    bool ok = gather_kept(&k, why);
    for (size_t i = 0; ok && r->looks && i < k.count; i++)
        tell_kept(&k, &k.at[i], true, NULL);
    if (ok && !r->looks && k.count > 0)
        ok = deliver_all(&k, why);
    for (size_t i = 0; i < k.count; i++)
        forget_kept(&k.at[i]);
    free(k.at);
    if (k.new >= 0)
        (void)close(k.new);
    if (k.cur >= 0)
        (void)close(k.cur);
    return ok;
}
