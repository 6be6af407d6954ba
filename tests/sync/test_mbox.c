/* What an mbox's recovery does when the disk fails it: each read in turn, and each allocation of
 * its; and how much work it is. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/mbox.h"

#define MARK  "0123456789abcdef"
#define NAME  "1700000000.R0123456789abcdefO" MARK "Q1.host"
#define NEVER 1000000 /* calls: no fault */

/* ---- faults: the linker sends the room's calls here ---- */

static int fail_read;  /* the n-th read from now on fails; 0: none */
static int fail_alloc; /* the same for malloc() and strdup() */

ssize_t __real_pread(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *out, size_t size, off_t offset);
ssize_t __real_pread64(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t offset);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);

static size_t comparisons; /* of names */

int __real_p3_left_over_compare(const void *a, const void *b);
int __wrap_p3_left_over_compare(const void *a, const void *b);

int __wrap_p3_left_over_compare(const void *a, const void *b)
{
    comparisons++;
    return __real_p3_left_over_compare(a, b);
}

static bool fails(int *counter, int error)
{
    if (*counter == 0 || --*counter > 0)
        return false;
    errno = error;
    return true;
}

ssize_t __wrap_pread(int fd, void *out, size_t size, off_t offset)
{
    return fails(&fail_read, EIO) ? -1 : __real_pread(fd, out, size, offset);
}

ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t offset)
{
    return fails(&fail_read, EIO) ? -1 : __real_pread64(fd, out, size, offset);
}

void *__wrap_malloc(size_t size)
{
    return fails(&fail_alloc, ENOMEM) ? NULL : __real_malloc(size);
}

char *__wrap_strdup(const char *s)
{
    return fails(&fail_alloc, ENOMEM) ? NULL : __real_strdup(s);
}

/* ---- an mbox with a batch that was delivered, and not recorded ---- */

static char folder[] = "/tmp/pop3-mbox-XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static off_t size_of(const char *name)
{
    struct stat st;
    return stat(in_folder(name), &st) == 0 ? st.st_size : -1;
}

/* Delivers a message and dies, as it were, before that is recorded; `abandoned`, or NULL, is one
 * that was begun before it. */
static void deliver_behind(const char *abandoned)
{
    p3_problem why;
    p3_parcel parcel = {.fd = -1};
    p3_delivery *d = p3_mbox_open(in_folder("box"), NULL, &why);
    assert_non_null(d);
    d->owner = (p3_owner){MARK};
    if (abandoned != NULL) {
        assert_true(d->class->begin(d, abandoned, "ann@example.org", &why));
        assert_true(d->class->write(d, "Subject: w\n", 11, &why));
        d->class->abandon(d);
    }
    assert_true(d->class->begin(d, NAME, "ann@example.org", &why));
    assert_true(d->class->write(d, "Subject: x\n\nbody\n", 17, &why));
    assert_true(d->class->finish(d, &parcel, &why));
    p3_batch batch = {.to = d, .parcels = &parcel, .count = 1};
    d->class->seal(d, &batch);
    d->class->deliver(&batch);
    assert_int_equal(batch.problem.exit, 0);
    assert_true(parcel.delivered);
    d->class->recorded(d, &batch, false);
    d->class->close(d);
}

static void deliver_and_forget(void)
{
    deliver_behind(NULL);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(in_folder("box"));
    return rmdir(folder);
}

/* Settles, with a fault. Returns whether it said that it had worked. */
static bool settle(int *fault, int n, bool *there)
{
    p3_problem why = {0};
    p3_left_over left = {.name = NAME};
    p3_delivery *d = p3_mbox_open(in_folder("box"), NULL, &why);
    assert_non_null(d);
    d->owner = (p3_owner){MARK};
    *fault = n;
    bool ok = d->class->settle(d, &left, 1, &why);
    bool untouched = *fault > 0;
    *fault = 0;
    assert_true(ok || why.exit != 0);
    *there = left.there;
    if (ok && untouched)
        d->class->recorded(d, NULL, true);
    d->class->close(d);
    return ok;
}

/* Makes each call fail, until settling comes through without having met the fault. */
static void fail_each(int *fault)
{
    bool there = false;
    off_t size;
    int n = 1;
    deliver_and_forget();
    size = size_of("box");
    while (!settle(fault, n, &there)) {
        assert_int_equal(size_of("box"), size);
        assert_true(size_of("box.pop3-" MARK "-" NAME) > 0); /* else nobody could tell next time */
        assert_true(size_of("box.lock") == -1);
        n++;
    }
    assert_true(there);
    assert_int_equal(size_of("box"), size);
    assert_int_equal(size_of("box.pop3-" MARK "-" NAME), -1);
    assert_true(n > 2);
}

static void a_left_over_batch_that_cannot_be_read_is_a_failure_and_stays(void **state)
{
    (void)state;
    fail_each(&fail_read);
}

static void so_is_one_for_which_memory_is_short(void **state)
{
    (void)state;
    fail_each(&fail_alloc);
}

/* The one that was begun first may be no intent any more: the batch is found by what is in it. */
static void a_batch_whose_first_message_was_abandoned_is_found_by_the_next(void **state)
{
    (void)state;
    int none = 0;
    bool there = false;
    deliver_behind("1700000000.R0123456789abcdefO" MARK "Q0.host");
    assert_true(settle(&none, NEVER, &there));
    assert_true(there);
    assert_int_equal(size_of("box.pop3-" MARK "-" NAME), -1);
}

/* Makes an mbox of 5 GiB, nearly all of it a hole, that ends as one should. */
static off_t make_large(void)
{
    const off_t size = (off_t)5 << 30;
    int fd = open(in_folder("box"), O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    assert_int_equal(pwrite(fd, "\nend\n\n", 6, size - 6), 6);
    close(fd);
    return size;
}

static void a_batch_beyond_4_gib_is_found_and_an_unfinished_one_cut_off(void **state)
{
    bool there = false;
    (void)state;
    off_t before = make_large();
    deliver_and_forget();
    off_t after = size_of("box");
    assert_true(after > before && after - before < 200);
    assert_true(settle(&fail_read, NEVER, &there));
    assert_true(there);
    assert_true(size_of("box") == after);
    before = make_large();
    deliver_and_forget();
    assert_int_equal(truncate(in_folder("box"), before + 10), 0);
    assert_true(settle(&fail_read, NEVER, &there));
    assert_false(there);
    assert_true(size_of("box") == before);
}

#define MANY 100000

typedef char many_name[sizeof NAME + 8];

/* Names of as many messages, in an order of their own. */
static many_name *make_names(void)
{
    many_name *names = calloc(MANY, sizeof *names);
    assert_non_null(names);
    for (size_t i = 0; i < MANY; i++)
        snprintf(names[i], sizeof *names, "1700000000.R%06zuO" MARK "Q1.host", i * 7919 % MANY);
    return names;
}

/* Delivers a message under each name, and dies. */
static void deliver_many(many_name *names)
{
    p3_problem why;
    p3_parcel *parcels = calloc(MANY, sizeof *parcels);
    p3_delivery *d = p3_mbox_open(in_folder("box"), NULL, &why);
    assert_true(parcels != NULL && d != NULL);
    d->owner = (p3_owner){MARK};
    for (size_t i = 0; i < MANY; i++) {
        assert_true(d->class->begin(d, names[i], "ann@example.org", &why));
        assert_true(d->class->write(d, "Subject: x\n\n", 12, &why));
        assert_true(d->class->finish(d, &parcels[i], &why));
    }
    p3_batch batch = {.to = d, .parcels = parcels, .count = MANY};
    d->class->seal(d, &batch);
    d->class->deliver(&batch);
    assert_int_equal(batch.problem.exit, 0);
    d->class->recorded(d, &batch, false);
    d->class->close(d);
    free(parcels);
}

static void the_work_grows_with_the_names_times_their_logarithm(void **state)
{
    (void)state;
    p3_problem why = {0};
    many_name *names = make_names();
    p3_left_over *left = calloc(MANY, sizeof *left);
    assert_int_equal(truncate(in_folder("box"), 0), 0);
    deliver_many(names);
    p3_delivery *d = p3_mbox_open(in_folder("box"), NULL, &why);
    assert_true(left != NULL && d != NULL);
    d->owner = (p3_owner){MARK};
    for (size_t i = 0; i < MANY; i++)
        left[i].name = names[MANY - 1 - i];
    comparisons = 0;
    assert_true(d->class->settle(d, left, MANY, &why));
    assert_true(comparisons > 0 && comparisons < (size_t)MANY * 40);
    for (size_t i = 0; i < MANY; i++)
        assert_true(left[i].there);
    d->class->recorded(d, NULL, true);
    d->class->close(d);
    free(left);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_left_over_batch_that_cannot_be_read_is_a_failure_and_stays),
        cmocka_unit_test(so_is_one_for_which_memory_is_short),
        cmocka_unit_test(a_batch_whose_first_message_was_abandoned_is_found_by_the_next),
        cmocka_unit_test(a_batch_beyond_4_gib_is_found_and_an_unfinished_one_cut_off),
        cmocka_unit_test(the_work_grows_with_the_names_times_their_logarithm),
    };
    return cmocka_run_group_tests_name("mbox", tests, make_folder, remove_folder);
}
