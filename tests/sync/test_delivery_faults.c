/* Targets when any call of the C library fails, one after the other: it is said, nothing is leaked,
 * and the next run delivers each message, once. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "failing.h"
#include "deliver/mbox_lock.h"
#include "deliver/target.h"

enum { MOST = 6 };

static char folder[64];
static char place[160]; /* the target */
static char box[160];   /* where it puts mail */
static size_t messages;

static int make_folder(void **state)
{
    (void)state;
    bool in_memory = access("/dev/shm", W_OK | X_OK) == 0; /* a thousand syncs take their time */
    strcpy(folder, in_memory ? "/dev/shm/pop3-faults-XXXXXX" : "/tmp/pop3-faults-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : setenv("TMPDIR", folder, 1);
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* ---- what is there ---- */

static int count_in_file(const char *path, const char *text)
{
    static char room[400000];
    int count = 0;
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, room, sizeof room - 1) : 0;
    if (fd >= 0)
        (void)close(fd);
    room[n > 0 ? n : 0] = '\0';
    for (const char *at = room; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* How often a file, or the files of a folder, hold a text. */
static int count_text(const char *path, const char *text)
{
    int count = 0;
    DIR *dir = opendir(path);
    const struct dirent *e;
    if (dir == NULL)
        return count_in_file(path, text);
    while ((e = readdir(dir)) != NULL) {
        char file[500];
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        count += count_in_file(file, text);
    }
    (void)closedir(dir);
    return count;
}

static int files_in(const char *path)
{
    int count = 0;
    DIR *dir = opendir(path);
    const struct dirent *e;
    while (dir != NULL && (e = readdir(dir)) != NULL)
        count += e->d_name[0] != '.';
    if (dir != NULL)
        (void)closedir(dir);
    return count;
}

/* ---- one run, with a fault or without ---- */

typedef struct run {
    const char *prefix; /* of the names it gives */
    bool done[MOST];    /* it says that it delivered that message */
    p3_problem why;
} run;

static void name_of(const run *r, size_t i, char *out, size_t size)
{
    snprintf(out, size, "%s%zu", r->prefix, i);
}

/* Writes a message that a reader of mboxes could take for two. */
static bool write_message(p3_delivery *d, size_t i, const char *name, p3_parcel *out,
                          p3_problem *why)
{
    static char filler[40000];
    char text[64];
    memset(filler, 'x', sizeof filler);
    filler[sizeof filler - 1] = '\n';
    snprintf(text, sizeof text, "Subject: number %zu\n\n>From\nFro", i);
    *out = (p3_parcel){.fd = -1};
    bool ok = d->class->begin(d, name, "ann@example.org", why) &&
              d->class->write(d, text, strlen(text), why) &&
              d->class->write(d, filler, sizeof filler, why) &&
              d->class->write(d, ">>>From x\nFr", 12, why) && d->class->finish(d, out, why);
    if (!ok)
        d->class->abandon(d);
    return ok;
}

static void let_go(p3_parcel *p)
{
    if (p->fd >= 0)
        (void)close(p->fd);
    free(p->sender);
    free(p->problem);
}

/* Opens a target by the text that the state has for it. */
static p3_delivery *open_text(const char *text, p3_problem *why)
{
    char copy[300];
    snprintf(copy, sizeof copy, "%s", text);
    p3_target t = p3_target_of_text(copy);
    return p3_target_open(&t, (p3_owner){"0123456789abcdef"}, why);
}

/* Delivers the messages for which `wanted` says so, as one batch. Those that could not be written
 * are not in it. What came of it is recorded, or not: as if the run were killed before. */
static void deliver(run *r, const bool *wanted, bool recorded)
{
    char names[MOST][32];
    p3_parcel parcels[MOST];
    p3_batch b = {.parcels = parcels};
    p3_delivery *d = open_text(place, &r->why);
    if (d == NULL)
        return;
    b.to = d;
    for (size_t i = 0; i < messages; i++) {
        name_of(r, i, names[i], sizeof names[i]);
        p3_problem why = {0};
        if (wanted[i] && write_message(d, i, names[i], &parcels[b.count], &why))
            parcels[b.count++].entry = i;
        else if (wanted[i]) {
            assert_int_not_equal(why.exit, 0);
            r->why = why;
        }
    }
    if (b.count > 0 && d->class->seal != NULL)
        d->class->seal(d, &b);
    if (b.count > 0)
        d->class->deliver(&b);
    if (b.count > 0 && d->class->recorded != NULL)
        d->class->recorded(d, &b, recorded && b.problem.exit == 0);
    if (b.problem.exit != 0)
        r->why = b.problem;
    for (size_t i = 0; i < b.count; i++) {
        r->done[parcels[i].entry] = parcels[i].delivered && b.problem.exit == 0;
        if (parcels[i].problem != NULL)
            r->why = *parcels[i].problem;
        let_go(&parcels[i]);
    }
    d->class->close(d);
}

/* What the next run finds out about the messages of one before of which nothing is recorded. False
 * when it fails; `why` says. */
static bool settle(const run *before, bool recorded, bool *there, p3_problem *why)
{
    size_t count = 0;
    char names[MOST][32];
    p3_left_over left[MOST];
    p3_delivery *d = open_text(place, why);
    if (d == NULL)
        return false;
    for (size_t i = 0; i < messages; i++) {
        name_of(before, i, names[i], sizeof names[i]);
        there[i] = recorded && before->done[i];
        if (!there[i])
            left[count++] = (p3_left_over){.name = names[i], .row = i};
    }
    bool ok = p3_delivery_settle(d, left, count, why);
    if (ok && d->class->recorded != NULL)
        d->class->recorded(d, NULL, true);
    for (size_t i = 0; ok && i < count; i++)
        there[left[i].row] = left[i].there;
    d->class->close(d);
    return ok;
}

/* ---- each call in turn ---- */

/* A run with a fault, one without that settles and delivers what is missing: each message is there
 * once. Returns whether the fault was met. */
static bool survive(const failing *f, unsigned long n, bool in_settling)
{
    const bool all[MOST] = {true, true, true, true, true, true};
    bool there[MOST] = {false};
    bool missing[MOST];
    run first = {.prefix = "a"};
    run second = {.prefix = "b"};
    p3_problem why = {0};
    bool settled = false; /* and what that found is recorded */
    long memory = failing_allocations();
    int descriptors = failing_descriptors();
    if (!in_settling)
        failing_arm(f, n);
    deliver(&first, all, !in_settling);
    if (in_settling) {
        failing_arm(f, n);
        settled = settle(&first, false, there, &why);
        if (!settled)
            assert_int_not_equal(why.exit, 0);
    }
    const char *hit = failing_disarm();
    assert_int_equal(failing_allocations(), memory);
    assert_int_equal(failing_descriptors(), descriptors);
    if (f->how != FAILING_ERROR) {
        assert_int_equal(first.why.exit, 0); /* nothing has gone wrong */
        assert_int_equal(why.exit, 0);
    }
    bool asked = settled || settle(&first, !in_settling, there, &why);
    if (!asked)
        fail_msg("settling after %s: %s", hit, why.text);
    /* A command's problem has its own memory. */
    bool mute = hit != NULL && (f->from_there || strcmp(hit, "malloc") == 0);
    for (size_t i = 0; i < messages; i++) {
        if (strncmp(place, "command:", 8) == 0)
            there[i] = first.done[i]; /* nobody can look */
        if (first.done[i] && !there[i])
            fail_msg("%s at %lu: message %zu is lost", hit, n, i);
        if (!first.done[i] && first.why.exit == 0 && !mute)
            fail_msg("%s at %lu: nothing is said of message %zu", hit, n, i);
        missing[i] = !there[i];
    }
    deliver(&second, missing, true);
    for (size_t i = 0; i < messages; i++) {
        char line[48];
        snprintf(line, sizeof line, "Subject: number %zu\n", i);
        int times = count_text(box, line);
        if (times != 1)
            fail_msg("%s at %lu: message %zu is there %d times", hit, n, i, times);
    }
    return hit != NULL;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    return at->level == 0 ? 0 : remove(path);
}

static void empty_folder(void)
{
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* What is left when all is delivered: the mail. */
static void check_left(const char *kind)
{
    char path[200];
    if (strcmp(kind, "maildir") == 0) {
        snprintf(path, sizeof path, "%s/a/M/tmp", folder);
        assert_int_equal(files_in(path), 0);
    } else
        assert_int_equal(files_in(folder), 1);
}

static void fail_each(const char *kind, const failing *f, bool in_settling)
{
    unsigned long n = 0;
    bool met;
    do {
        empty_folder();
        met = survive(f, ++n, in_settling);
        check_left(kind);
    } while (met);
    if (f->how == FAILING_ERROR)
        assert_true(n > (strcmp(kind, "command") == 0 && in_settling ? 2 : 5));
}

static void fail_all(const char *kind, size_t count)
{
    static const int errors[] = {EIO, EAGAIN, EINVAL, ENOENT, EEXIST, EOPNOTSUPP};
    failing f = {.how = FAILING_ERROR};
    messages = count;
    for (int settling = 0; settling <= 1; settling++) {
        for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
            f = (failing){.how = FAILING_ERROR, .error = errors[i]};
            fail_each(kind, &f, settling != 0);
            f.from_there = true;
            fail_each(kind, &f, settling != 0);
        }
        f = (failing){.how = FAILING_INTERRUPTED};
        fail_each(kind, &f, settling != 0);
        f = (failing){.how = FAILING_SHORT};
        fail_each(kind, &f, settling != 0);
    }
}

static void a_maildir_neither_loses_nor_doubles_whatever_call_fails(void **state)
{
    (void)state;
    snprintf(place, sizeof place, "maildir:%s/a/M", folder);
    snprintf(box, sizeof box, "%s/a/M/new", folder);
    fail_all("maildir", 2);
}

static void nor_does_one_that_takes_many_at_a_time(void **state)
{
    const failing f = {.how = FAILING_ERROR, .error = EIO};
    (void)state;
    messages = MOST;
    snprintf(place, sizeof place, "maildir:%s/a/M", folder);
    snprintf(box, sizeof box, "%s/a/M/new", folder);
    fail_each("maildir", &f, false);
}

static void an_mbox_neither_loses_nor_doubles_whatever_call_fails(void **state)
{
    (void)state;
    snprintf(place, sizeof place, "mbox:%s/box", folder);
    snprintf(box, sizeof box, "%s/box", folder);
    fail_all("mbox", 2);
}

static void a_command_gets_each_message_whatever_call_fails(void **state)
{
    (void)state;
    snprintf(place, sizeof place, "command:cat >>%s/out", folder);
    snprintf(box, sizeof box, "%s/out", folder);
    fail_all("command", 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_maildir_neither_loses_nor_doubles_whatever_call_fails),
        TEST(nor_does_one_that_takes_many_at_a_time),
        TEST(an_mbox_neither_loses_nor_doubles_whatever_call_fails),
        TEST(a_command_gets_each_message_whatever_call_fails),
    };
    return cmocka_run_group_tests_name("delivery-faults", tests, NULL, NULL);
}
