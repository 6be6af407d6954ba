/* Files that may hold a secret: whose they are, who may read them, and who could have put them
 * there. */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings/private_file.h"

static char place[40]; /* a directory of the test's own, of mode 0700 */

static int set_up(void **state)
{
    (void)state;
    strcpy(place, "/tmp/pop3-private-XXXXXX");
    return mkdtemp(place) != NULL ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    return nftw(place, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A path below the directory. One of a few buffers that are used in turn. */
static const char *at(const char *name)
{
    static char paths[4][256];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", place, name);
    return path;
}

static const char *make_file(const char *name, mode_t mode)
{
    const char *path = at(name);
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
    return path;
}

static const char *make_directory(const char *name, mode_t mode)
{
    const char *path = at(name);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

/* Checks a file by a path. What stands in the way, when something does, is in `why`. */
static bool check(const char *path, p3_problem *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    *why = (p3_problem){0};
    bool ok = p3_private_file_check(fd, path, "reading", why);
    (void)close(fd);
    return ok;
}

static void accepted(const char *path)
{
    p3_problem why;
    if (!check(path, &why))
        fail_msg("%s", why.text);
}

static void refused(const char *path, const char *text)
{
    p3_problem why;
    assert_false(check(path, &why));
    if (strstr(why.text, text) == NULL)
        fail_msg("%s: not in: %s", text, why.text);
}

static void a_file_that_only_its_owner_can_read_is_accepted_wherever_it_is(void **state)
{
    (void)state;
    make_directory("open", 0777);
    accepted(make_file("secret", 0600));
    accepted(make_file("secret", 0400));
    accepted(make_file("open/secret", 0600));
}

static void a_file_that_somebody_can_write_and_others_can_read_is_refused(void **state)
{
    (void)state;
    refused(make_file("secret", 0644), "others can read it; run: chmod 600");
    refused(make_file("secret", 0640), "chmod 600");
    refused(make_file("secret", 0604), "chmod 600");
    refused(make_file("secret", 0620), "chmod 600");
    refused(make_file("secret", 0666), "chmod 600");
}

static void a_read_only_file_in_a_directory_of_ours_is_accepted(void **state)
{
    (void)state;
    make_directory("secrets", 0755);
    accepted(make_file("secrets/password", 0444));
    accepted(make_file("secrets/password", 0440));
    accepted(at("secrets/../secrets/./password"));
}

static void a_read_only_file_where_others_can_write_is_refused(void **state)
{
    (void)state;
    make_directory("secrets", 0777);
    refused(make_file("secrets/password", 0444), "could replace it in ");
    assert_int_equal(chmod(at("secrets"), 0770), 0);
    refused(at("secrets/password"), "secrets/; run: chmod 600");
}

static void a_sticky_directory_protects_directories_but_no_files_and_links(void **state)
{
    (void)state;
    make_directory("shared", 01777);
    refused(make_file("shared/password", 0444), "shared/; run");
    make_directory("shared/own", 0755);
    accepted(make_file("shared/own/password", 0444));
    assert_int_equal(symlink("own/password", at("shared/link")), 0);
    refused(at("shared/link"), "shared/; run");
    assert_int_equal(symlink("own", at("shared/directory")), 0);
    refused(at("shared/directory/password"), "shared/; run");
}

static void each_directory_on_the_way_counts_and_not_the_last_alone(void **state)
{
    (void)state;
    make_directory("above", 0777);
    make_directory("above/secrets", 0755);
    refused(make_file("above/secrets/password", 0444), "above/; run");
}

static void links_are_followed_and_the_directories_that_they_are_in_count(void **state)
{
    (void)state;
    make_directory("open", 0777);
    make_directory("secrets", 0755);
    make_file("secrets/password", 0444);
    assert_int_equal(symlink("secrets/password", at("relative")), 0);
    assert_int_equal(symlink(at("secrets"), at("absolute")), 0);
    accepted(at("relative"));
    accepted(at("absolute/password"));
    assert_int_equal(symlink("../secrets/password", at("open/link")), 0);
    refused(at("open/link"), "open/; run");
    assert_int_equal(symlink("open/link", at("through")), 0);
    refused(at("through"), "open/; run");
}

static void a_relative_path_begins_where_the_process_is(void **state)
{
    (void)state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    make_directory("secrets", 0755);
    make_file("secrets/password", 0444);
    assert_int_equal(chdir(at("secrets")), 0);
    accepted("password");
    accepted("../secrets/password");
    assert_int_equal(chdir(before), 0);
}

static void another_file_than_the_one_that_was_opened_is_refused(void **state)
{
    (void)state;
    p3_problem why = {0};
    make_directory("secrets", 0755);
    int fd = open(make_file("secrets/old", 0444), O_RDONLY | O_CLOEXEC);
    make_file("secrets/new", 0444);
    assert_false(p3_private_file_check(fd, at("secrets/new"), "reading", &why));
    (void)close(fd);
}

static void what_belongs_to_somebody_else_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    make_directory("secrets", 0755);
    make_file("secrets/password", 0444);
    assert_int_equal(chown(at("secrets/password"), 12345, 0), 0);
    refused(at("secrets/password"), "chmod 600");
    assert_int_equal(chown(at("secrets/password"), 0, 0), 0);
    assert_int_equal(chown(at("secrets"), 12345, 0), 0);
    refused(at("secrets/password"), "secrets/; run");
}

static void a_pipe_is_accepted(void **state)
{
    (void)state;
    int ends[2];
    p3_problem why = {0};
    assert_int_equal(pipe(ends), 0);
    assert_true(p3_private_file_check(ends[0], "/dev/fd/0", "reading", &why));
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_file_that_only_its_owner_can_read_is_accepted_wherever_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_somebody_can_write_and_others_can_read_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_read_only_file_in_a_directory_of_ours_is_accepted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_read_only_file_where_others_can_write_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_sticky_directory_protects_directories_but_no_files_and_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_directory_on_the_way_counts_and_not_the_last_alone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            links_are_followed_and_the_directories_that_they_are_in_count, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_relative_path_begins_where_the_process_is, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_file_than_the_one_that_was_opened_is_refused,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_belongs_to_somebody_else_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test(a_pipe_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
