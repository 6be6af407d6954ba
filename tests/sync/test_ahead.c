/* Files that are made before they are needed. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "deliver/ahead.h"

enum { COUNT = 1000 };

static char folder[64];
static int folder_fd;
static p3_names names;
static p3_name_list list;
static p3_ahead ahead;

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/pop3-ahead.XXXXXX");
    if (mkdtemp(folder) == NULL || p3_names_init(&names) != 0 ||
        !p3_name_list_init(&list, &names, COUNT, (p3_owner){"0123456789abcdef"}))
        return -1;
    for (int i = 0; i < COUNT; i++)
        p3_name_list_add(&list, &names);
    folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    p3_ahead_init(&ahead, folder_fd);
    return folder_fd >= 0 ? 0 : -1;
}

/* How many files are in the folder. */
static int files(void)
{
    DIR *dir = opendir(folder);
    int count = 0;
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        count += e->d_name[0] != '.';
    closedir(dir);
    return count;
}

/* Makes the next file, if not too many are waiting. */
static bool make_one(void)
{
    return p3_ahead_make(&ahead, P3_AHEAD_MOST);
}

static bool is_there(size_t i)
{
    return faccessat(folder_fd, p3_name_list_at(&list, i), F_OK, 0) == 0;
}

/* Takes the file of a name, and sees that it is that file. */
static void take(size_t i)
{
    char text[16];
    char back[16] = "";
    int fd = p3_ahead_open(&ahead, p3_name_list_at(&list, i));
    assert_true(fd >= 0);
    snprintf(text, sizeof text, "%zu", i);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    fd = openat(folder_fd, p3_name_list_at(&list, i), O_RDONLY | O_CLOEXEC);
    assert_true(read(fd, back, sizeof back - 1) > 0);
    close(fd);
    assert_string_equal(back, text);
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        (void)unlinkat(folder_fd, p3_name_list_at(&list, i), 0);
    close(folder_fd);
    p3_name_list_free(&list);
    return rmdir(folder);
}

static void nothing_is_made_that_is_not_expected(void **state)
{
    (void)state;
    make_one();
    assert_int_equal(files(), 0);
    take(0);
    p3_ahead_expect(&ahead, &list, 2);
    make_one(); /* it is there already: then it is made by who needs it, who is told */
    assert_int_equal(p3_ahead_open(&ahead, p3_name_list_at(&list, 0)), -1);
    assert_int_equal(errno, EEXIST);
    make_one();
    make_one();
    assert_true(is_there(1));
    assert_false(is_there(2));
    p3_ahead_end(&ahead);
    assert_int_equal(files(), 1);
}

static void files_are_made_in_order_up_to_a_bound(void **state)
{
    (void)state;
    p3_ahead_expect(&ahead, &list, COUNT);
    for (int i = 0; i < 2 * P3_AHEAD_MOST; i++)
        make_one();
    assert_int_equal(files(), P3_AHEAD_MOST);
    for (size_t i = 0; i < P3_AHEAD_MOST; i++) {
        assert_true(is_there(i));
        take(i);
    }
    take(P3_AHEAD_MOST); /* nobody has made it */
    make_one();
    assert_true(is_there(P3_AHEAD_MOST + 1));
    p3_ahead_end(&ahead);
    assert_int_equal(files(), P3_AHEAD_MOST + 1);
}

static void fewer_are_made_when_few_are_wanted(void **state)
{
    (void)state;
    p3_ahead_expect(&ahead, &list, COUNT);
    assert_true(p3_ahead_make(&ahead, 2));
    assert_true(p3_ahead_make(&ahead, 2));
    assert_false(p3_ahead_make(&ahead, 2));
    take(0);
    assert_true(p3_ahead_make(&ahead, 2));
    assert_int_equal(files(), 3);
    p3_ahead_end(&ahead);
    assert_int_equal(files(), 1);
}

/* Else many accounts would leave a process no descriptors to connect with. */
static void all_folders_together_have_twice_as_many(void **state)
{
    static p3_ahead folders[3];
    p3_name_list lists[3];
    struct rlimit limit;
    size_t made = 0;
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    size_t quarter = (size_t)limit.rlim_cur / 4;
    size_t most = quarter < 2 * P3_AHEAD_MOST ? quarter : 2 * P3_AHEAD_MOST;
    for (size_t i = 0; i < 3; i++) {
        assert_true(p3_name_list_init(&lists[i], &names, P3_AHEAD_MOST, (p3_owner){""}));
        while (lists[i].count < P3_AHEAD_MOST)
            p3_name_list_add(&lists[i], &names);
        p3_ahead_init(&folders[i], folder_fd);
        p3_ahead_expect(&folders[i], &lists[i], P3_AHEAD_MOST);
        while (p3_ahead_make(&folders[i], P3_AHEAD_MOST))
            made++;
    }
    assert_int_equal(made, most);
    for (size_t i = 0; i < 3; i++) { /* each lets go of its own, whether taken or removed */
        close(p3_ahead_open(&folders[i], p3_name_list_at(&lists[i], 0)));
        p3_ahead_end(&folders[i]);
        (void)unlinkat(folder_fd, p3_name_list_at(&lists[i], 0), 0);
        p3_name_list_free(&lists[i]);
    }
    assert_int_equal(files(), 0);
    p3_ahead_expect(&ahead, &list, P3_AHEAD_MOST);
    while (make_one())
        continue;
    assert_int_equal(files(), most < P3_AHEAD_MOST ? most : P3_AHEAD_MOST);
    p3_ahead_end(&ahead);
}

static void files_that_nobody_takes_are_removed(void **state)
{
    (void)state;
    p3_ahead_expect(&ahead, &list, 20);
    for (int i = 0; i < 10; i++)
        make_one();
    take(3); /* the server refused those before it */
    assert_int_equal(files(), 10 - 3);
    assert_true(is_there(4));
    take(15); /* and some that were not made */
    assert_int_equal(files(), 2);
    make_one();
    assert_true(is_there(16));
    p3_ahead_end(&ahead);
    assert_int_equal(files(), 2);
}

static void who_cannot_make_it_leaves_it_to_who_needs_it(void **state)
{
    (void)state;
    p3_ahead_expect(&ahead, &list, 2);
    ahead.folder = -1;
    make_one();
    ahead.folder = folder_fd;
    take(0);
    ahead.folder = -1;
    assert_int_equal(p3_ahead_open(&ahead, p3_name_list_at(&list, 1)), -1);
    assert_int_equal(errno, EBADF);
    p3_ahead_end(&ahead);
}

static void *make_all(void *unused)
{
    (void)unused;
    for (int i = 0; i < 2 * COUNT; i++)
        make_one();
    return NULL;
}

static void two_threads_make_each_file_once(void **state)
{
    pthread_t maker;
    (void)state;
    p3_ahead_expect(&ahead, &list, COUNT);
    assert_int_equal(pthread_create(&maker, NULL, make_all, NULL), 0);
    int taken = 0;
    for (size_t i = 0; i < COUNT; i++) {
        if (i % 5 == 0)
            make_one(); /* as it has time, too */
        if (i % 7 != 6) {
            take(i);
            taken++;
        }
    }
    assert_int_equal(pthread_join(maker, NULL), 0);
    p3_ahead_end(&ahead);
    assert_int_equal(files(), taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_made_that_is_not_expected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_are_made_in_order_up_to_a_bound, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fewer_are_made_when_few_are_wanted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(all_folders_together_have_twice_as_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_that_nobody_takes_are_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_cannot_make_it_leaves_it_to_who_needs_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(two_threads_make_each_file_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
