/* libpop3-collect as programs see it: the memory, a Maildir, header fields, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pop3/collect.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/text.h"

/* ---- help ---- */

static pop3_str str(const char *of)
{
    return (pop3_str){of, strlen(of)};
}

static pop3_seen *open_memory(const char *account)
{
    pop3_seen *m = NULL;
    pop3_collect_error error = {0};
    if (pop3_seen_open(&m, scratch_file("memory.db"), account, &error) != POP3_COLLECT_OK)
        fail_msg("%s", error.message);
    return m;
}

static void remember(pop3_seen *m, const char *uid)
{
    assert_int_equal(pop3_seen_add(m, str(uid), NULL), POP3_COLLECT_OK);
}

static bool seen(const pop3_seen *m, const char *uid)
{
    return pop3_seen_contains(m, str(uid));
}

static void save(pop3_seen *m)
{
    assert_int_equal(pop3_seen_save(m, NULL), POP3_COLLECT_OK);
}

static bool count_one(void *ctx, pop3_str uid)
{
    (void)uid;
    return ++*(unsigned *)ctx < 1000;
}

static bool forget_it(void *ctx, pop3_str uid)
{
    pop3_seen_remove(ctx, uid);
    return true;
}

static unsigned remembered(pop3_seen *m)
{
    unsigned count = 0;
    pop3_seen_each(m, count_one, &count);
    return count;
}

/* Files in a folder of the Maildir; the path of the last. */
static size_t files_in(const char *maildir, const char *name, char path[PATH_MAX])
{
    char folder[400];
    size_t count = 0;
    snprintf(folder, sizeof folder, "%s/%s", maildir, name);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, PATH_MAX, "%s/%s", folder, e->d_name);
        count++;
    }
    assert_int_equal(closedir(dir), 0);
    return count;
}

static pop3_maildir *open_maildir(const char *path)
{
    pop3_maildir *m = NULL;
    pop3_collect_error error = {0};
    if (pop3_maildir_open(&m, path, &error) != POP3_COLLECT_OK)
        fail_msg("%s", error.message);
    return m;
}

static void deliver(pop3_maildir *m, const char *mail)
{
    assert_int_equal(pop3_maildir_begin(m, NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_maildir_write(m, mail, strlen(mail), NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_maildir_finish(m, NULL), POP3_COLLECT_OK);
}

/* ---- statuses ---- */

static void each_status_has_a_word_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i <= POP3_COLLECT_SYSTEM; i++) {
        for (int k = 0; k < i; k++)
            assert_string_not_equal(pop3_collect_status_name((pop3_collect_status)i),
                                    pop3_collect_status_name((pop3_collect_status)k));
    }
    assert_string_equal(pop3_collect_status_name(POP3_COLLECT_TEMPORARY), "temporary");
    assert_string_equal(pop3_collect_status_name((pop3_collect_status)99), "unknown");
    assert_string_equal(pop3_collect_status_name((pop3_collect_status)-1), "unknown");
}

/* ---- header fields ---- */

static void a_field_is_found_and_decoded(void **state)
{
    static const char mail[] = "From: =?utf-8?q?Zo=C3=A9?= <zoe@example.org>\r\n"
                               "SUBJECT:  =?iso-8859-1?Q?caf=E9?=\r\n =?UTF-8?B?4oCU?= au lait\r\n"
                               "\r\nTo: nobody\r\n";
    pop3_str value;
    char *decoded = NULL;
    (void)state;
    assert_true(pop3_header_field(mail, sizeof mail - 1, "subject", &value));
    assert_int_equal(pop3_header_decode(value.data, value.len, &decoded), POP3_COLLECT_OK);
    assert_string_equal(decoded, "caf\xc3\xa9\xe2\x80\x94 au lait");
    free(decoded);
    assert_false(pop3_header_field(mail, sizeof mail - 1, "To", &value));
    assert_int_equal(value.len, 0);
    assert_int_equal(pop3_header_decode(value.data, value.len, &decoded), POP3_COLLECT_OK);
    assert_string_equal(decoded, "");
    free(decoded);
}

/* As in a Turkish locale. The library finds this one. */
int strncasecmp(const char *a, const char *b, size_t n)
{
    for (; n > 0 && *a == *b && *a != '\0'; n--, a++, b++)
        continue;
    if (n == 0 || (*a | 0x20) != (*b | 0x20) || (*a | 0x20) == 'i')
        return n > 0 && *a != *b;
    return strncasecmp(a + 1, b + 1, n - 1);
}

static void names_of_fields_do_not_depend_on_the_locale(void **state)
{
    static const char mail[] = "Mime-Version: 1.0\r\n\r\n";
    pop3_str value;
    (void)state;
    assert_int_not_equal(strncasecmp("Mime-", "MIME-", 5), 0);
    assert_int_equal(strncasecmp("Date", "DATE:", 4), 0);
    assert_true(pop3_header_field(mail, sizeof mail - 1, "MIME-Version", &value));
    assert_int_equal(value.len, 3);
}

static void what_is_decoded_is_safe_to_show(void **state)
{
    static const char *const bad[] = {"=?utf-8?B?G1szMW0=?=",   "a\x1b[31mb",
                                      "=?utf-8?Q?=E2=80=AE?=x", "=?utf-8?Q?=0D=0ABcc:?=",
                                      "=?x-none?B?/////w==?=",  "\xff\xfe"};
    char *decoded = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(pop3_header_decode(bad[i], strlen(bad[i]), &decoded), POP3_COLLECT_OK);
        for (const char *p = decoded; *p != '\0'; p++)
            assert_true((unsigned char)*p >= ' ' && *p != 0x7f);
        assert_null(strstr(decoded, "\xe2\x80\xae"));
        free(decoded);
    }
}

/* ---- the memory ---- */

static void what_is_remembered_is_there_once_it_is_saved(void **state)
{
    (void)state;
    pop3_seen *m = open_memory("saved");
    assert_false(seen(m, "a"));
    remember(m, "a");
    remember(m, "b\t\xff");
    remember(m, "a");
    assert_true(seen(m, "a"));
    save(m);
    remember(m, "not saved");
    pop3_seen_close(m);
    m = open_memory("saved");
    assert_true(seen(m, "a"));
    assert_true(seen(m, "b\t\xff"));
    assert_false(seen(m, "not saved"));
    assert_int_equal(remembered(m), 2);
    pop3_seen_close(m);
}

static void what_is_forgotten_is_gone_once_it_is_saved(void **state)
{
    (void)state;
    pop3_seen *m = open_memory("forgotten");
    remember(m, "a");
    remember(m, "b");
    remember(m, "c");
    pop3_seen_remove(m, str("c")); /* which was never saved */
    pop3_seen_remove(m, str("never seen"));
    save(m);
    pop3_seen_remove(m, str("a"));
    assert_false(seen(m, "a"));
    pop3_seen_close(m); /* without a save */
    m = open_memory("forgotten");
    assert_true(seen(m, "a"));
    assert_false(seen(m, "c"));
    pop3_seen_remove(m, str("a"));
    save(m);
    remember(m, "b");
    pop3_seen_remove(m, str("b"));
    remember(m, "b"); /* and once more */
    save(m);
    pop3_seen_close(m);
    m = open_memory("forgotten");
    assert_false(seen(m, "a"));
    assert_true(seen(m, "b"));
    remember(m, "a");
    pop3_seen_each(m, forget_it, m);
    assert_int_equal(remembered(m), 0);
    save(m);
    pop3_seen_close(m);
    m = open_memory("forgotten");
    assert_int_equal(remembered(m), 0);
    pop3_seen_close(m);
}

static void accounts_do_not_see_each_others_messages(void **state)
{
    (void)state;
    pop3_seen *one = open_memory("one");
    pop3_seen *two = open_memory("two");
    remember(one, "a");
    save(one);
    assert_false(seen(two, "a"));
    remember(two, "b");
    save(two);
    pop3_seen_close(one);
    one = open_memory("one"); /* while the other is open */
    assert_true(seen(one, "a"));
    assert_false(seen(one, "b"));
    pop3_seen_close(two);
    pop3_seen_close(one);
}

static void an_account_is_one_users_at_a_time(void **state)
{
    pop3_seen *second = NULL;
    pop3_collect_error error = {0};
    (void)state;
    pop3_seen *m = open_memory("locked");
    assert_int_equal(pop3_seen_open(&second, scratch_file("memory.db"), "locked", &error),
                     POP3_COLLECT_TEMPORARY);
    assert_null(second);
    assert_non_null(strstr(error.message, "another"));
    pop3_seen_close(m);
    m = open_memory("locked");
    pop3_seen_close(m);
}

static void a_memory_that_cannot_be_opened_says_why(void **state)
{
    pop3_seen *m = NULL;
    pop3_collect_error error = {0};
    char long_name[2000];
    const char *file = scratch_file("no-memory");
    (void)state;
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(pop3_seen_open(&m, NULL, "a", NULL), POP3_COLLECT_ARGUMENT);
    assert_int_equal(pop3_seen_open(&m, "", "a", &error), POP3_COLLECT_ARGUMENT);
    assert_int_equal(pop3_seen_open(&m, file, "", &error), POP3_COLLECT_ARGUMENT);
    assert_int_equal(pop3_seen_open(&m, file, long_name, &error), POP3_COLLECT_ARGUMENT);
    assert_int_equal(pop3_seen_open(&m, "/nowhere/at/all", "a", &error), POP3_COLLECT_FILE);
    assert_int_equal(error.status, POP3_COLLECT_FILE);
    assert_non_null(strstr(error.message, "/nowhere/at/all"));
    assert_true(text_to_file(file, "no database, but a text of mine\n", 32));
    assert_int_equal(pop3_seen_open(&m, file, "a", &error), POP3_COLLECT_FORMAT);
    assert_null(m);
    text there = text_of_file(file);
    assert_int_equal(there.len, 32); /* and it is left alone */
    free(there.data);
    pop3_seen_close(NULL);
}

static void unique_ids_of_any_octets_and_length_are_told_apart(void **state)
{
    static char uid[POP3_SEEN_UID_SIZE + 1];
    pop3_collect_error error = {0};
    (void)state;
    pop3_seen *m = open_memory("octets");
    memset(uid, 'u', sizeof uid);
    assert_int_equal(pop3_seen_add(m, (pop3_str){uid, sizeof uid}, &error), POP3_COLLECT_ARGUMENT);
    assert_int_equal(pop3_seen_add(m, (pop3_str){NULL, 0}, &error), POP3_COLLECT_ARGUMENT);
    assert_false(pop3_seen_contains(m, (pop3_str){NULL, 0}));
    assert_false(pop3_seen_contains(m, (pop3_str){"", 0}));
    for (size_t len = 1; len <= POP3_SEEN_UID_SIZE; len *= 2)
        assert_int_equal(pop3_seen_add(m, (pop3_str){uid, len}, NULL), POP3_COLLECT_OK);
    uid[0] = '\0';
    assert_int_equal(pop3_seen_add(m, (pop3_str){uid, 3}, NULL), POP3_COLLECT_OK);
    save(m);
    pop3_seen_close(m);
    m = open_memory("octets");
    assert_true(pop3_seen_contains(m, (pop3_str){uid, 3}));
    assert_false(pop3_seen_contains(m, (pop3_str){uid, 4}));
    assert_true(pop3_seen_contains(m, (pop3_str){uid + 1, 4}));
    assert_false(pop3_seen_contains(m, (pop3_str){uid + 1, 5}));
    assert_int_equal(remembered(m), 15);
    pop3_seen_close(m);
}

static void nobody_else_may_read_the_memory(void **state)
{
    struct stat st;
    (void)state;
    mode_t mask = umask(0);
    pop3_seen *m = open_memory("private");
    assert_int_equal(umask(mask), 0); /* the process's own is as it was */
    remember(m, "a");
    save(m);
    assert_int_equal(stat(scratch_file("memory.db"), &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    assert_int_equal(stat(scratch_file("memory.db-wal"), &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    pop3_seen_close(m);
}

/* ---- a Maildir ---- */

static void a_message_is_in_new_once_it_is_committed(void **state)
{
    char path[PATH_MAX];
    const char *maildir = scratch_file("Maildir/of/mine");
    (void)state;
    pop3_maildir *m = open_maildir(maildir);
    assert_int_equal(pop3_maildir_begin(m, NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_maildir_write(m, "Subject: a\r", 11, NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_maildir_write(m, "", 0, NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_maildir_write(m, "\n\r\nline\r\n", 9, NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_maildir_commit(m, NULL), POP3_COLLECT_STATE);
    assert_int_equal(pop3_maildir_begin(m, NULL), POP3_COLLECT_STATE);
    assert_int_equal(pop3_maildir_finish(m, NULL), POP3_COLLECT_OK);
    assert_int_equal(files_in(maildir, "new", path), 0);
    assert_int_equal(pop3_maildir_commit(m, NULL), POP3_COLLECT_OK);
    assert_int_equal(files_in(maildir, "new", path), 1);
    text mail = text_of_file(path);
    assert_string_equal(mail.data, "Subject: a\n\nline\n");
    free(mail.data);
    assert_int_equal(pop3_maildir_commit(m, NULL), POP3_COLLECT_OK); /* of none */
    pop3_maildir_close(m);
    assert_int_equal(files_in(maildir, "tmp", path), 0);
}

static void what_is_not_committed_leaves_nothing(void **state)
{
    char path[PATH_MAX];
    const char *maildir = scratch_file("Maildir-nothing");
    (void)state;
    pop3_maildir *m = open_maildir(maildir);
    pop3_maildir_abort(m); /* of none */
    assert_int_equal(pop3_maildir_write(m, "x", 1, NULL), POP3_COLLECT_STATE);
    assert_int_equal(pop3_maildir_finish(m, NULL), POP3_COLLECT_STATE);
    assert_int_equal(pop3_maildir_begin(m, NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_maildir_write(m, "x", 1, NULL), POP3_COLLECT_OK);
    pop3_maildir_abort(m);
    deliver(m, "finished\n");
    assert_int_equal(pop3_maildir_begin(m, NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_maildir_write(m, "in hand\n", 8, NULL), POP3_COLLECT_OK);
    pop3_maildir_close(m);
    assert_int_equal(files_in(maildir, "tmp", path), 0);
    assert_int_equal(files_in(maildir, "new", path), 0);
    pop3_maildir_close(NULL);
}

static void a_batch_has_its_bound(void **state)
{
    char path[PATH_MAX];
    pop3_collect_error error = {0};
    const char *maildir = scratch_file("Maildir-batch");
    (void)state;
    pop3_maildir *m = open_maildir(maildir);
    for (int i = 0; i < POP3_MAILDIR_BATCH; i++)
        deliver(m, "many\n");
    assert_int_equal(pop3_maildir_begin(m, &error), POP3_COLLECT_STATE);
    assert_int_equal(pop3_maildir_finish(m, &error), POP3_COLLECT_STATE);
    assert_int_equal(pop3_maildir_commit(m, NULL), POP3_COLLECT_OK);
    deliver(m, "and one\n");
    assert_int_equal(pop3_maildir_commit(m, NULL), POP3_COLLECT_OK);
    pop3_maildir_close(m);
    assert_int_equal(files_in(maildir, "new", path), POP3_MAILDIR_BATCH + 1);
}

/* A directory that is gone: what root may do as well. */
static void a_maildir_that_fails_says_why_and_does_not_count_the_message(void **state)
{
    char path[PATH_MAX];
    char folder[400];
    char away[400];
    pop3_collect_error error = {0};
    const char *maildir = scratch_file("Maildir-gone");
    (void)state;
    pop3_maildir *m = open_maildir(maildir);
    deliver(m, "one\n");
    assert_int_equal(files_in(maildir, "tmp", path), 1);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(pop3_maildir_commit(m, &error), POP3_COLLECT_FILE);
    assert_int_equal(error.sys_errno, ENOENT);
    assert_non_null(strstr(error.message, "Maildir-gone"));
    assert_int_equal(files_in(maildir, "new", path), 0);
    snprintf(folder, sizeof folder, "%s/tmp", maildir);
    snprintf(away, sizeof away, "%s/away", maildir);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(pop3_maildir_begin(m, NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_maildir_sink(m, "two\n", 4), POP3_SINK_CONTINUE); /* in a buffer yet */
    assert_int_equal(pop3_maildir_finish(m, &error), POP3_COLLECT_FILE);
    assert_int_equal(pop3_maildir_commit(m, NULL), POP3_COLLECT_OK);
    static char large[1 << 20];
    memset(large, 'x', sizeof large);
    assert_int_equal(pop3_maildir_begin(m, NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_maildir_sink(m, large, sizeof large), POP3_SINK_DISCARD);
    assert_int_equal(pop3_maildir_sink(m, large, sizeof large), POP3_SINK_DISCARD);
    assert_int_equal(pop3_maildir_finish(m, &error), POP3_COLLECT_FILE);
    assert_int_equal(pop3_maildir_finish(m, &error), POP3_COLLECT_STATE);
    pop3_maildir_close(m);
    assert_int_equal(pop3_maildir_open(&m, "/dev/null/Maildir", &error), POP3_COLLECT_FILE);
    assert_null(m);
    assert_int_equal(pop3_maildir_open(&m, NULL, &error), POP3_COLLECT_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_has_a_word_of_its_own),
        cmocka_unit_test(a_field_is_found_and_decoded),
        cmocka_unit_test(names_of_fields_do_not_depend_on_the_locale),
        cmocka_unit_test(what_is_decoded_is_safe_to_show),
        cmocka_unit_test(what_is_remembered_is_there_once_it_is_saved),
        cmocka_unit_test(what_is_forgotten_is_gone_once_it_is_saved),
        cmocka_unit_test(accounts_do_not_see_each_others_messages),
        cmocka_unit_test(an_account_is_one_users_at_a_time),
        cmocka_unit_test(a_memory_that_cannot_be_opened_says_why),
        cmocka_unit_test(unique_ids_of_any_octets_and_length_are_told_apart),
        cmocka_unit_test(nobody_else_may_read_the_memory),
        cmocka_unit_test(a_message_is_in_new_once_it_is_committed),
        cmocka_unit_test(what_is_not_committed_leaves_nothing),
        cmocka_unit_test(a_batch_has_its_bound),
        cmocka_unit_test(a_maildir_that_fails_says_why_and_does_not_count_the_message),
    };
    int failed = cmocka_run_group_tests_name("collect-parts", tests, NULL, NULL);
    scratch_remove();
    return failed;
}
