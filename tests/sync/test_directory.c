/* Which files and folders are synced, so that what was made or written is still there after a power
 * cut. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "deliver/directory.h"
#include "deliver/target.h"

static char folder[64];
static char synced[2000]; /* what was synced, below the folder: a word each; ".." is its parent */

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
    char link[40];
    char path[300] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    assert_true(readlink(link, path, sizeof path - 1) > 0);
    bool parent = strcmp(path, "/tmp") == 0;
    assert_true(parent || strncmp(path, folder, strlen(folder)) == 0);
    size_t used = strlen(synced);
    snprintf(synced + used, sizeof synced - used, ".%s ", parent ? "." : path + strlen(folder));
    return __real_fsync(fd);
}

static long file_system; /* what the folder is said to be on */
static int whole;        /* calls of syncfs() */
static int each;         /* of fdatasync() */

int __wrap_fstatfs64(int fd, struct statfs *out);
int __wrap_syncfs(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fstatfs64(int fd, struct statfs *out)
{
    (void)fd;
    *out = (struct statfs){.f_type = (__typeof__(out->f_type))file_system}; /* signed or not */
    errno = EIO;
    return file_system != 0 ? 0 : -1;
}

int __wrap_syncfs(int fd)
{
    (void)fd;
    whole++;
    return 0;
}

int __wrap_fdatasync(int fd)
{
    (void)fd;
    each++;
    return 0;
}

/* What the system is told about the octets of a file: a word each, in MiB. */
static char told[4000];

int __wrap_sync_file_range(int fd, off_t from, off_t len, unsigned flags);
int __wrap_posix_fadvise64(int fd, off_t from, off_t len, int advice);

static void tell(const char *what, off_t from, off_t len)
{
    size_t used = strlen(told);
    double mib = 1024 * 1024;
    snprintf(told + used, sizeof told - used, "%s %g+%g, ", what, (double)from / mib,
             (double)len / mib);
}

int __wrap_sync_file_range(int fd, off_t from, off_t len, unsigned flags)
{
    (void)fd;
    assert_int_equal(flags, SYNC_FILE_RANGE_WRITE);
    tell("send", from, len);
    return 0;
}

int __wrap_posix_fadvise64(int fd, off_t from, off_t len, int advice)
{
    (void)fd;
    assert_int_equal(advice, POSIX_FADV_DONTNEED);
    assert_true(from != 0 || len != 0 || whole + each > 0); /* all of it: when it is synced */
    tell("let go", from, len);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    file_system = EXT4_SUPER_MAGIC;
    synced[0] = told[0] = '\0';
    whole = each = 0;
    strcpy(folder, "/tmp/pop3-folder-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int end(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const char *in(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Opens a target by the text that the state has for it. */
static p3_delivery *open_text(const char *text, p3_problem *why)
{
    char copy[300];
    snprintf(copy, sizeof copy, "%s", text);
    p3_target t = p3_target_of_text(copy);
    return p3_target_open(&t, (p3_owner){"0123456789abcdef"}, why);
}

static p3_delivery *open_target(const char *kind, const char *name)
{
    char text[300];
    p3_problem why = {0};
    snprintf(text, sizeof text, "%s:%s", kind, in(name));
    p3_delivery *d = open_text(text, &why);
    if (d == NULL)
        fail_msg("%s", why.text);
    return d;
}

static void the_entry_of_each_new_folder_is_synced_however_its_path_is_written(void **state)
{
    (void)state;
    assert_true(p3_directory_make(in("a/b/c")));
    assert_string_equal(synced, ".. . ./a ./a/b ");
    synced[0] = '\0';
    assert_true(p3_directory_make(in("d/")));
    assert_string_equal(synced, ".. . ");
    synced[0] = '\0';
    assert_true(p3_directory_make(in("e//f//")));
    assert_string_equal(synced, ".. . ./e ");
    synced[0] = '\0';
    assert_true(p3_directory_make(in("e/f"))); /* a run may have died before it could sync it */
    assert_string_equal(synced, "./e ");
}

/* A run may have died right behind its mkdir(): what the next one makes in there would go with it.
 */
static void a_folder_that_is_there_is_synced_before_one_is_made_in_it(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in("g"), 0700), 0);
    assert_true(p3_directory_make(in("g/h")));
    assert_string_equal(synced, ". ./g ");
}

static void a_path_that_cannot_become_a_folder_is_said(void **state)
{
    (void)state;
    assert_int_equal(symlink("nowhere", in("link")), 0);
    assert_false(p3_directory_make(in("link/x")));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(access(in("nowhere"), F_OK), -1);
}

static void a_maildir_named_with_a_slash_is_synced_into_its_folder(void **state)
{
    (void)state;
    p3_delivery *d = open_target("maildir", "M/");
    d->class->close(d);
    assert_string_equal(synced, ".. . ./M . ./M . ./M ");
}

static void
a_maildir_whose_folders_a_killed_run_did_not_make_is_synced_into_its_folder(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in("M"), 0700), 0);
    p3_delivery *d = open_target("maildir", "M");
    d->class->close(d);
    assert_non_null(strstr(synced, ". ./M "));
    synced[0] = '\0';
    d = open_target("maildir", "M");
    d->class->close(d);
    assert_string_equal(synced, "");
}

/* As if the run had been killed between its append and the sync of the folder. */
static void a_new_mbox_that_a_killed_run_appended_to_is_synced_into_its_folder(void **state)
{
    p3_problem why = {0};
    p3_parcel parcel = {.fd = -1};
    p3_batch batch = {.parcels = &parcel, .count = 1};
    p3_left_over left = {.name = "name"};
    (void)state;
    p3_delivery *d = open_target("mbox", "mbox");
    batch.to = d;
    assert_true(d->class->begin(d, "name", "", &why));
    assert_true(d->class->write(d, "Subject: x\n\nx\n", 14, &why));
    assert_true(d->class->finish(d, &parcel, &why));
    d->class->seal(d, &batch);
    d->class->deliver(&batch);
    assert_true(parcel.delivered);
    d->class->recorded(d, &batch, false);
    synced[0] = '\0';
    assert_true(d->class->settle(d, &left, 1, &why));
    assert_true(left.there);
    assert_non_null(strstr(synced, " ./mbox . ")); /* behind the lock */
    d->class->recorded(d, NULL, true);
    d->class->close(d);
}

/* Delivers so many messages of as many octets to a Maildir, in pieces of 128 KiB. */
static void deliver(const char *maildir, size_t count, size_t octets)
{
    enum { PIECE = 128 * 1024 };
    static const char piece[PIECE];
    static char names[10][24];
    p3_parcel parcels[10];
    p3_problem why = {0};
    p3_delivery *d = open_target("maildir", maildir);
    p3_batch batch = {.to = d, .parcels = parcels, .count = count};
    whole = each = 0;
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "n%zu", i);
        parcels[i] = (p3_parcel){.fd = -1};
        assert_true(d->class->begin(d, names[i], "", &why));
        for (size_t at = 0; at < octets; at += PIECE)
            assert_true(d->class->write(d, piece, octets - at < PIECE ? octets - at : PIECE, &why));
        assert_true(d->class->finish(d, &parcels[i], &why));
        assert_int_equal(parcels[i].octets, octets);
    }
    d->class->deliver(&batch);
    assert_int_equal(batch.problem.exit, 0);
    d->class->close(d);
}

/* Delivers so many small ones on a file system. */
static void deliver_many(long on, const char *maildir, size_t count)
{
    file_system = on;
    deliver(maildir, count, 2);
}

static void many_files_are_synced_at_once_where_that_reaches_the_disk(void **state)
{
    (void)state;
    deliver_many(EXT4_SUPER_MAGIC, "few", 4);
    assert_true(whole == 0 && each == 4);
    deliver_many(EXT4_SUPER_MAGIC, "many", 10);
    assert_true(whole == 1 && each == 0);
    deliver_many((int)BTRFS_SUPER_MAGIC, "btrfs", 10); /* a number with its highest bit set */
    assert_true(whole == 1 && each == 0);
}

static void elsewhere_they_are_synced_one_by_one(void **state)
{
    (void)state;
    deliver_many(FUSE_SUPER_MAGIC, "fuse", 10);
    assert_true(whole == 0 && each == 10);
    deliver_many(0, "unknown", 10);
    assert_true(whole == 0 && each == 10);
}

static void a_large_message_goes_to_the_disk_as_it_comes_and_then_leaves_memory(void **state)
{
    (void)state;
    deliver("small", 1, 256 * 1024 - 1);
    assert_string_equal(told, "");
    deliver("large", 1, 256 * 1024);
    assert_string_equal(told, "send 0+0.25, let go 0+0, ");
    told[0] = '\0';
    deliver("larger", 1, 2560 * 1024);
    assert_string_equal(told, "send 0+1, send 1+1, send 2+0.5, let go 0+0, ");
}

static void what_is_far_behind_leaves_memory_before_the_message_ends(void **state)
{
    (void)state;
    deliver("huge", 1, 10 * 1024 * 1024 + 1);
    assert_string_equal(told, "send 0+1, send 1+1, send 2+1, send 3+1, send 4+1, send 5+1, "
                              "send 6+1, send 7+1, send 8+1, let go 0+1, send 9+1, let go 0+2, "
                              "send 10+9.53674e-07, let go 0+2, let go 0+0, ");
}

static void after_a_sync_of_the_whole_file_system_large_messages_leave_memory(void **state)
{
    (void)state;
    deliver("many", 5, 300 * 1024);
    assert_true(whole == 1 && each == 0);
    const char *last = strstr(told, "let go");
    assert_non_null(last);
    assert_string_equal(last, "let go 0+0, let go 0+0, let go 0+0, let go 0+0, let go 0+0, ");
}

#define WITH_FOLDER(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(the_entry_of_each_new_folder_is_synced_however_its_path_is_written),
        WITH_FOLDER(a_folder_that_is_there_is_synced_before_one_is_made_in_it),
        WITH_FOLDER(a_path_that_cannot_become_a_folder_is_said),
        WITH_FOLDER(a_maildir_named_with_a_slash_is_synced_into_its_folder),
        WITH_FOLDER(a_maildir_whose_folders_a_killed_run_did_not_make_is_synced_into_its_folder),
        WITH_FOLDER(many_files_are_synced_at_once_where_that_reaches_the_disk),
        WITH_FOLDER(elsewhere_they_are_synced_one_by_one),
        WITH_FOLDER(a_large_message_goes_to_the_disk_as_it_comes_and_then_leaves_memory),
        WITH_FOLDER(what_is_far_behind_leaves_memory_before_the_message_ends),
        WITH_FOLDER(after_a_sync_of_the_whole_file_system_large_messages_leave_memory),
        WITH_FOLDER(a_new_mbox_that_a_killed_run_appended_to_is_synced_into_its_folder),
    };
    return cmocka_run_group_tests_name("folder", tests, NULL, NULL);
}
