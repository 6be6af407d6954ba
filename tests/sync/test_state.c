/* The state: what is put in comes out, also after it was closed; locks; names; line ends. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "deliver/message.h"
#include "deliver/message_names.h"
#include "state/state.h"

static const pop3_server_traits peculiar = {.flags = POP3_TRAIT_ONE_AT_A_TIME | POP3_TRAIT_NO_CAPA,
                                            .quit_after = 12};

static char folder[64];
static char path[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/pop3-state-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(path, sizeof path, "%s/state.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"state.db", "state.db-wal", "state.db-shm"};
    char name[128];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        (void)unlink(name);
    }
    return rmdir(folder);
}

static p3_state *open_state(void)
{
    p3_problem why = {0};
    p3_state *s = p3_state_open(path, &why);
    if (s == NULL)
        fail_msg("%s", why.text);
    return s;
}

static void what_is_committed_is_there_the_next_time(void **state)
{
    p3_problem why;
    p3_known_account a;
    p3_rows rows;
    static const char uid[] = {'u', '\xff', 'x'};
    (void)state;
    p3_state *s = open_state();
    assert_true(p3_state_account(s, "me@host:995", &a, &why));
    assert_true(pop3_server_traits_empty(a.traits));
    assert_null(a.target);
    p3_row row = {
        .id = 7, .uid = {uid, sizeof uid}, .standing = P3_INTENT, .name = "n.1", .tries = 2};
    assert_true(p3_state_begin(s, &why));
    assert_true(p3_state_put(s, a.id, &row, &why));
    assert_true(p3_state_set_target(s, a.id, "maildir:/m", &why));
    assert_true(p3_state_learn(s, a.id, peculiar, &why));
    assert_true(p3_state_commit(s, &why));
    row.standing = P3_DELIVERED;
    row.fingerprint.octets[3] = 9;
    row.time = 12345;
    row.name = "";
    assert_true(p3_state_begin(s, &why));
    assert_true(p3_state_put(s, a.id, &row, &why));
    assert_true(p3_state_commit(s, &why));
    p3_known_account_clear(&a);
    p3_state_close(s);

    s = open_state();
    assert_true(p3_state_account(s, "me@host:995", &a, &why));
    assert_string_equal(a.target, "maildir:/m");
    assert_int_equal(a.traits.flags, peculiar.flags);
    assert_int_equal(a.traits.quit_after, peculiar.quit_after);
    assert_true(p3_state_load(s, a.id, &rows, &why));
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.next_id, 8);
    assert_int_equal(rows.at[0].standing, P3_DELIVERED);
    assert_int_equal(rows.at[0].uid.len, 3);
    assert_memory_equal(rows.at[0].uid.data, uid, 3);
    assert_int_equal(rows.at[0].fingerprint.octets[3], 9);
    assert_int_equal(rows.at[0].time, 12345);
    assert_int_equal(rows.at[0].tries, 2);
    assert_string_equal(rows.at[0].name, "");
    p3_rows_free(&rows);
    assert_true(p3_state_begin(s, &why));
    assert_true(p3_state_forget(s, a.id, 7, &why));
    assert_true(p3_state_commit(s, &why));
    assert_true(p3_state_load(s, a.id, &rows, &why));
    assert_int_equal(rows.count, 0);
    p3_rows_free(&rows);
    p3_known_account_clear(&a);
    p3_state_close(s);
}

static void accounts_do_not_see_each_other(void **state)
{
    p3_problem why;
    p3_known_account a;
    p3_known_account b;
    p3_rows rows;
    (void)state;
    p3_state *s = open_state();
    assert_true(p3_state_account(s, "a", &a, &why));
    assert_true(p3_state_account(s, "b", &b, &why));
    assert_int_not_equal(a.id, b.id);
    p3_row row = {.id = 1, .uid = {"u", 1}, .standing = P3_DELIVERED, .name = ""};
    assert_true(p3_state_begin(s, &why));
    assert_true(p3_state_put(s, a.id, &row, &why));
    assert_true(p3_state_commit(s, &why));
    assert_true(p3_state_load(s, b.id, &rows, &why));
    assert_int_equal(rows.count, 0);
    p3_rows_free(&rows);
    p3_state_close(s);
}

static void an_account_is_locked_against_others_only(void **state)
{
    p3_problem why;
    (void)state;
    p3_state *one = open_state();
    p3_state *other = open_state();
    assert_true(p3_state_lock(one, 5, &why));
    assert_false(p3_state_lock(other, 5, &why));
    assert_int_equal(why.exit, EX_TEMPFAIL);
    assert_true(p3_state_lock(other, 6, &why));
    p3_state_unlock(one, 5);
    assert_true(p3_state_lock(other, 5, &why));
    p3_state_close(one);
    p3_state_close(other);
}

/* Whether another process finds the file locked by a handle of SQLite's that reads the log. */
static bool is_locked_by_sqlite(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_start = 0x40000002, .l_len = 510};
        int fd = open(path, O_RDWR);
        if (fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
            (void)raise(SIGKILL); /* valgrind may have an exit status of its own */
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status);
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void a_handle_that_is_closed_leaves_the_locks_of_others(void **state)
{
    p3_problem why;
    (void)state;
    unsigned before = open_descriptors();
    p3_state *one = open_state();
    assert_true(is_locked_by_sqlite());
    unsigned with_one = open_descriptors();
    for (int i = 0; i < 10; i++) {
        p3_state *other = i % 2 == 0 ? open_state() : p3_state_open_to_look(path, &why);
        if (i % 2 == 0)
            assert_true(p3_state_lock(other, 7, &why));
        p3_state_close(other);
        assert_true(is_locked_by_sqlite());
    }
    assert_true(p3_state_lock(one, 7, &why));
    /* what the others left behind was used again; SQLite keeps a descriptor of its own as well */
    assert_in_range(open_descriptors(), with_one, with_one + 3);
    p3_state_close(one);
    assert_false(is_locked_by_sqlite());
    assert_int_equal(open_descriptors(), before);
}

static void nobody_else_may_read_the_state(void **state)
{
    struct stat st;
    (void)state;
    p3_state_close(open_state());
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
}

/* ---- what a disk and other programs do to it ---- */

/* Runs SQL on the state as another program. */
static void meddle(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_row_whose_number_is_damaged_is_not_known(void **state)
{
    static const char *const numbers[] = {"9223372036854775807", "-1", "0"};
    p3_problem why;
    p3_known_account a;
    p3_rows rows;
    (void)state;
    p3_state *s = open_state();
    p3_row row = {.id = 1, .uid = {"u", 1}, .standing = P3_DELIVERED, .name = ""};
    assert_true(p3_state_account(s, "me@host:995", &a, &why));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char sql[100];
        assert_true(p3_state_begin(s, &why) && p3_state_put(s, a.id, &row, &why) &&
                    p3_state_commit(s, &why));
        snprintf(sql, sizeof sql, "UPDATE message SET id=%s WHERE id=1", numbers[i]);
        meddle(sql);
        assert_true(p3_state_load(s, a.id, &rows, &why));
        assert_int_equal(rows.count, 0);
        assert_int_equal(rows.next_id, 1);
        p3_rows_free(&rows);
    }
    p3_known_account_clear(&a);
    p3_state_close(s);
}

static void a_time_that_is_damaged_is_none(void **state)
{
    static const char *const times[] = {"9223372036854775807", "-9223372036854775808", "-1"};
    p3_problem why;
    p3_known_account a;
    p3_rows rows;
    (void)state;
    p3_state *s = open_state();
    p3_row row = {.id = 1, .uid = {"u", 1}, .standing = P3_GONE, .name = ""};
    assert_true(p3_state_account(s, "me@host:995", &a, &why));
    assert_true(p3_state_begin(s, &why) && p3_state_put(s, a.id, &row, &why) &&
                p3_state_learn(s, a.id, peculiar, &why) && p3_state_commit(s, &why));
    p3_known_account_clear(&a);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char sql[300];
        snprintf(sql, sizeof sql,
                 "UPDATE message SET time=%s, broke=%s; UPDATE trait SET learned=%s;"
                 "UPDATE account SET seen=%s, jumped=%s, trusted=%s",
                 times[i], times[i], times[i], times[i], times[i], times[i]);
        meddle(sql);
        assert_true(p3_state_account(s, "me@host:995", &a, &why));
        assert_true(p3_state_load(s, a.id, &rows, &why));
        assert_true(rows.at[0].time == 0 && rows.at[0].broke == 0);
        assert_true(a.seen.last == 0 && a.seen.jumped == 0 && a.seen.trusted == 0);
        assert_true(pop3_server_traits_empty(a.traits));
        p3_known_account_clear(&a);
        p3_rows_free(&rows);
    }
    p3_state_close(s);
}

static pop3_server_traits known_traits(void)
{
    p3_problem why;
    p3_known_account a;
    p3_state *s = open_state();
    assert_true(p3_state_account(s, "me@host:995", &a, &why));
    pop3_server_traits t = a.traits;
    p3_known_account_clear(&a);
    p3_state_close(s);
    return t;
}

static void learn(pop3_server_traits what)
{
    p3_problem why;
    p3_known_account a;
    p3_state *s = open_state();
    assert_true(p3_state_account(s, "me@host:995", &a, &why));
    assert_true(p3_state_begin(s, &why));
    assert_true(p3_state_learn(s, a.id, what, &why));
    assert_true(p3_state_commit(s, &why));
    p3_known_account_clear(&a);
    p3_state_close(s);
}

static void that_a_server_did_not_pipeline_counts_for_a_day(void **state)
{
    (void)state;
    learn((pop3_server_traits){.flags = POP3_TRAIT_ONE_AT_A_TIME});
    assert_int_equal(known_traits().flags, POP3_TRAIT_ONE_AT_A_TIME);
    meddle("UPDATE trait SET learned=learned-86000");
    assert_int_equal(known_traits().flags, POP3_TRAIT_ONE_AT_A_TIME);
    meddle("UPDATE trait SET learned=learned-400");
    assert_int_equal(known_traits().flags, 0);
    meddle("UPDATE trait SET learned=4000000000"); /* the clock was set back */
    assert_int_equal(known_traits().flags, 0);
}

static void what_else_was_learned_about_a_server_counts_for_a_week(void **state)
{
    (void)state;
    learn((pop3_server_traits){.flags = POP3_TRAIT_NO_CAPA, .quit_after = 12});
    meddle("UPDATE trait SET learned=learned-86400*7+400");
    assert_int_equal(known_traits().flags, POP3_TRAIT_NO_CAPA);
    assert_int_equal(known_traits().quit_after, 12);
    learn((pop3_server_traits){.quit_after = 5}); /* anew */
    meddle("UPDATE trait SET learned=learned-800");
    assert_int_equal(known_traits().flags, 0);
    assert_int_equal(known_traits().quit_after, 5);
    meddle("DELETE FROM trait WHERE name='no-capa'");
    meddle("UPDATE trait SET name='of-a-later-version', value=-1");
    assert_true(pop3_server_traits_empty(known_traits()));
}

static p3_broken known_broken(int64_t *of_row)
{
    p3_problem why;
    p3_rows rows;
    p3_broken broken;
    p3_state *s = open_state();
    assert_true(p3_state_load(s, 1, &rows, &why));
    assert_int_equal(rows.count, 1);
    *of_row = rows.at[0].broke;
    assert_true(p3_state_broken(s, 1, &broken, &why));
    p3_rows_free(&rows);
    p3_state_close(s);
    return broken;
}

static void that_a_session_broke_at_a_deletion_counts_for_a_week(void **state)
{
    p3_problem why;
    p3_known_account a;
    int64_t of_row;
    int64_t now = time(NULL);
    (void)state;
    p3_state *s = open_state();
    assert_true(p3_state_account(s, "me@host:995", &a, &why));
    p3_row row = {
        .id = 1, .uid = {"u", 1}, .name = "", .standing = P3_DELIVERED, .broke = now - 1000};
    assert_true(p3_state_begin(s, &why));
    assert_true(p3_state_put(s, a.id, &row, &why));
    assert_true(p3_state_commit(s, &why));
    p3_known_account_clear(&a);
    p3_state_close(s);
    p3_broken broken = known_broken(&of_row);
    assert_int_equal(broken.count, 1);
    assert_int_equal(broken.last, now - 1000);
    assert_int_equal(broken.expires, now - 1000 + 7 * 86400);
    assert_int_equal(of_row, now - 1000);
    meddle("UPDATE message SET broke=broke-86400*7+2000");
    assert_int_equal(known_broken(&of_row).count, 1);
    assert_int_not_equal(of_row, 0);
    meddle("UPDATE message SET broke=broke-2000");
    assert_int_equal(known_broken(&of_row).count, 0);
    assert_int_equal(of_row, 0);
    meddle("UPDATE message SET broke=4000000000"); /* the clock was set back */
    assert_int_equal(known_broken(&of_row).count, 0);
    assert_int_equal(of_row, 0);
}

/* As version 1 made it. */
static void make_version_1(void)
{
    meddle("PRAGMA application_id=1886351155; PRAGMA user_version=1;"
           "CREATE TABLE account(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, target TEXT,"
           " pipelining INTEGER NOT NULL DEFAULT 1);"
           "CREATE TABLE message(account INTEGER NOT NULL REFERENCES account(id),"
           " id INTEGER NOT NULL, uid BLOB NOT NULL, standing INTEGER NOT NULL,"
           " time INTEGER NOT NULL, fingerprint BLOB NOT NULL, tries INTEGER NOT NULL,"
           " name TEXT NOT NULL, PRIMARY KEY(account, id)) WITHOUT ROWID;"
           "INSERT INTO account(key, target) VALUES('me@host:995', 'mbox:/m');"
           "INSERT INTO message VALUES(1, 3, x'75', 2, 7, zeroblob(16), 0, '')");
}

static void
a_state_of_version_1_is_looked_at_as_it_is_and_made_version_2_when_it_is_used(void **state)
{
    p3_problem why;
    p3_known_account a;
    p3_rows rows;
    (void)state;
    make_version_1();
    p3_state *s = p3_state_open_to_look(path, &why);
    assert_non_null(s);
    assert_true(p3_state_account(s, "me@host:995", &a, &why));
    assert_int_equal(a.id, 1);
    assert_true(pop3_server_traits_empty(a.traits));
    p3_known_account_clear(&a);
    p3_state_close(s);
    learn((pop3_server_traits){.flags = POP3_TRAIT_NO_TOP});
    assert_int_equal(known_traits().flags, POP3_TRAIT_NO_TOP);
    s = open_state();
    assert_true(p3_state_account(s, "me@host:995", &a, &why));
    assert_string_equal(a.target, "mbox:/m");
    assert_true(p3_state_load(s, 1, &rows, &why));
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.at[0].broke, 0);
    p3_rows_free(&rows);
    p3_known_account_clear(&a);
    p3_state_close(s);
}

static void a_state_that_cannot_be_opened_says_what_to_do(void **state)
{
    p3_problem why = {0};
    char name[160];
    (void)state;
    snprintf(name, sizeof name, "%s/missing/state.db", folder);
    assert_null(p3_state_open(name, &why));
    assert_int_equal(why.exit, EX_CANTCREAT);
    assert_non_null(strstr(why.text, "its directory must exist and be writable"));
    assert_null(p3_state_open(folder, &why));
    assert_int_equal(why.exit, EX_CANTCREAT);
}

static void put_file(const char *octets, size_t size)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(octets, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static void a_state_that_was_never_whole_is_made_again_and_another_file_is_not(void **state)
{
    static const char nothing[8192];
    p3_problem why = {0};
    (void)state;
    put_file(nothing, sizeof nothing);
    p3_state_close(open_state());
    put_file("SQLite f", 8);
    p3_state_close(open_state());
    put_file("a letter to keep", 16);
    assert_null(p3_state_open(path, &why));
    assert_non_null(strstr(why.text, "not a database"));
    (void)unlink(path);
}

static void one_state_with_two_names_has_one_lock_for_an_account(void **state)
{
    p3_problem why = {0};
    char name[160];
    (void)state;
    p3_state *s = open_state();
    snprintf(name, sizeof name, "%s/other-name.db", folder);
    assert_int_equal(symlink(path, name), 0);
    p3_state *other = p3_state_open(name, &why);
    assert_non_null(other);
    assert_true(p3_state_lock(s, 1, &why));
    assert_false(p3_state_lock(other, 1, &why));
    assert_int_equal(why.exit, EX_TEMPFAIL);
    assert_true(p3_state_lock(other, 2, &why));
    p3_state_unlock(s, 1);
    assert_true(p3_state_lock(other, 1, &why));
    p3_state_close(other);
    p3_state_close(s);
    assert_int_equal(unlink(name), 0);
}

/* The log that was opened last, but by SQLite. */
static char log_path[200];

int __real_p3_outside_open(const char *path, int flags, mode_t mode);
int __wrap_p3_outside_open(const char *path, int flags, mode_t mode);

int __wrap_p3_outside_open(const char *name, int flags, mode_t mode)
{
    size_t len = strlen(name);
    int fd = __real_p3_outside_open(name, flags, mode);
    if (fd >= 0 && len > 4 && strcmp(name + len - 4, "-wal") == 0)
        snprintf(log_path, sizeof log_path, "%s", name);
    return fd;
}

/* SQLite has the log beside the file, not beside the link. */
static void a_state_behind_a_symbolic_link_is_made_and_its_log_synced(void **state)
{
    p3_problem why = {0};
    p3_known_account account;
    char name[160];
    char log[200];
    (void)state;
    (void)unlink(path);
    snprintf(name, sizeof name, "%s/other-name.db", folder);
    snprintf(log, sizeof log, "%s-wal", path);
    assert_int_equal(symlink(path, name), 0);
    p3_state *s = p3_state_open(name, &why);
    assert_non_null(s);
    assert_true(p3_state_account(s, "user@host", &account, &why));
    p3_known_account_clear(&account);
    log_path[0] = '\0';
    assert_true(p3_state_sync(s, &why));
    assert_string_equal(log_path, log);
    p3_state_close(s);
    assert_int_equal(unlink(name), 0);
}

static void a_state_that_is_linked_twice_is_not_used(void **state)
{
    p3_problem why = {0};
    char name[160];
    (void)state;
    p3_state_close(open_state());
    snprintf(name, sizeof name, "%s/other-name.db", folder);
    assert_int_equal(link(path, name), 0);
    for (int looks = 0; looks < 2; looks++) {
        p3_state *s = looks ? p3_state_open_to_look(name, &why) : p3_state_open(path, &why);
        assert_null(s);
        assert_int_equal(why.exit, EX_CONFIG);
        assert_non_null(strstr(why.text, "a second name"));
    }
    assert_int_equal(unlink(name), 0);
    p3_state_close(open_state());
}

/* What the file holds. */
static size_t read_file(char *out, size_t size)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(out, 1, size, f);
    assert_int_equal(fclose(f), 0);
    return n;
}

static void a_state_of_a_later_version_or_another_program_is_left_as_it_is(void **state)
{
    static const char *const others[] = {"PRAGMA user_version=2", "CREATE TABLE mine(x)",
                                         "PRAGMA user_version=-1", "PRAGMA application_id=7",
                                         "PRAGMA user_version=1; CREATE TABLE mine(x)"};
    static char before[100000];
    static char after[sizeof before];
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        p3_problem why = {0};
        meddle(others[i]);
        size_t len = read_file(before, sizeof before);
        assert_null(p3_state_open(path, &why));
        assert_int_equal(why.exit, EX_DATAERR);
        assert_int_equal(read_file(after, sizeof after), len);
        assert_memory_equal(after, before, len);
        meddle("DROP TABLE IF EXISTS mine; PRAGMA user_version=0; PRAGMA application_id=0");
    }
    p3_state_close(open_state());
}

static sqlite3 *maker; /* another run that is making the state; NULL: it has done so */

int __wrap_sqlite3_sleep(int ms);

int __wrap_sqlite3_sleep(int ms)
{
    if (maker == NULL)
        _exit(EX_TEMPFAIL); /* it is the other run, and would wait */
    assert_int_equal(sqlite3_exec(maker, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(maker), SQLITE_OK);
    maker = NULL;
    return ms;
}

static void a_state_that_another_run_is_just_making_is_waited_for(void **state)
{
    (void)state;
    assert_int_equal(sqlite3_open(path, &maker), SQLITE_OK);
    assert_int_equal(sqlite3_exec(maker, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    p3_state_close(open_state());
    assert_null(maker);
}

static int other_run; /* how it ended */
static bool is_awaited;

int __real_ftruncate64(int fd, off_t size);
int __wrap_ftruncate64(int fd, off_t size);

/* Another run makes the state when this one is about to empty the file. */
int __wrap_ftruncate64(int fd, off_t size)
{
    pid_t child = is_awaited ? fork() : -1;
    is_awaited = false;
    if (child == 0) {
        p3_problem why;
        p3_known_account a;
        p3_state *s = p3_state_open(path, &why);
        bool ok = s != NULL && p3_state_account(s, "theirs", &a, &why);
        p3_state_close(s);
        _exit(ok ? EX_OK : EX_SOFTWARE);
    }
    if (child > 0)
        assert_int_equal(waitpid(child, &other_run, 0), child);
    return __real_ftruncate64(fd, size);
}

static void a_state_that_was_never_whole_is_made_again_by_one_run_at_a_time(void **state)
{
    static const char nothing[8192];
    p3_problem why;
    p3_known_account a;
    (void)state;
    put_file(nothing, sizeof nothing);
    is_awaited = true;
    p3_state *s = open_state();
    assert_false(is_awaited);
    assert_true(WIFEXITED(other_run));
    assert_int_equal(WEXITSTATUS(other_run), EX_TEMPFAIL);
    assert_true(p3_state_account(s, "mine", &a, &why));
    p3_known_account_clear(&a);
    p3_state_close(s);
}

static void who_only_looks_makes_nothing(void **state)
{
    static char before[100000];
    static char after[sizeof before];
    p3_problem why = {0};
    p3_known_account a;
    p3_rows rows;
    (void)state;
    for (int i = 0; i < 2; i++) {
        size_t len = i == 0 ? 0 : read_file(before, sizeof before);
        p3_state *s = p3_state_open_to_look(path, &why);
        assert_non_null(s);
        assert_true(p3_state_account(s, "new", &a, &why));
        assert_int_equal(a.id, 0);
        assert_true(pop3_server_traits_empty(a.traits));
        assert_true(p3_state_load(s, a.id, &rows, &why));
        assert_int_equal(rows.count, 0);
        p3_rows_free(&rows);
        p3_state_close(s);
        if (i == 0) {
            assert_int_not_equal(access(path, F_OK), 0);
            s = open_state();
            assert_true(p3_state_account(s, "old", &a, &why));
            p3_state_close(s);
            continue;
        }
        assert_int_equal(read_file(after, sizeof after), len);
        assert_memory_equal(after, before, len);
    }
}

static void a_target_that_there_was_no_memory_for_leaves_no_transaction_behind(void **state)
{
    p3_problem why = {0};
    p3_known_account a;
    p3_rows rows;
    p3_row row = {.id = 1, .uid = {"u", 1}, .standing = P3_DELIVERED, .name = ""};
    (void)state;
    p3_state *s = open_state();
    assert_true(p3_state_account(s, "a", &a, &why));
    assert_true(p3_state_begin(s, &why));
    assert_true(p3_state_put(s, a.id, &row, &why));
    assert_false(p3_state_set_target(s, a.id, NULL, &why));
    assert_true(p3_state_begin(s, &why));
    assert_true(p3_state_commit(s, &why));
    assert_true(p3_state_load(s, a.id, &rows, &why));
    assert_int_equal(rows.count, 0);
    p3_rows_free(&rows);
    p3_known_account_clear(&a);
    p3_state_close(s);
}

static void tables_that_are_gone_are_said_and_nothing_is_half_changed(void **state)
{
    p3_problem why = {0};
    p3_known_account a;
    p3_rows rows;
    p3_row row = {.id = 1, .uid = {"u", 1}, .standing = P3_DELIVERED, .name = ""};
    (void)state;
    p3_state *s = open_state();
    assert_true(p3_state_account(s, "a", &a, &why));
    meddle("DROP TABLE message");
    assert_false(p3_state_load(s, a.id, &rows, &why));
    assert_non_null(strstr(why.text, "no such table"));
    assert_true(p3_state_begin(s, &why));
    assert_false(p3_state_put(s, a.id, &row, &why));
    assert_true(p3_state_begin(s, &why)); /* the one before was rolled back */
    assert_false(p3_state_forget(s, a.id, 1, &why));
    meddle("DROP TABLE trait");
    assert_true(p3_state_begin(s, &why));
    assert_false(p3_state_learn(s, 1, peculiar, &why));
    meddle("DROP TABLE account");
    assert_false(p3_state_account(s, "b", &a, &why));
    assert_true(p3_state_begin(s, &why));
    assert_false(p3_state_set_target(s, 1, "x", &why));
    p3_state_close(s);
}

static void refuse_changes(const char *table, const char *change)
{
    char sql[200];
    snprintf(sql, sizeof sql,
             "CREATE TRIGGER refuse BEFORE %s ON %s BEGIN SELECT RAISE(ABORT, 'refused'); END",
             change, table);
    meddle(sql);
}

static void a_refused_change_rolls_all_of_its_transaction_back(void **state)
{
    p3_problem why = {0};
    p3_known_account a, b;
    p3_rows rows;
    p3_row row = {.id = 1, .uid = {"u", 1}, .standing = P3_DELIVERED, .name = ""};
    (void)state;
    p3_state *s = open_state();
    assert_true(p3_state_account(s, "a", &a, &why));
    assert_true(p3_state_begin(s, &why) && p3_state_put(s, a.id, &row, &why) &&
                p3_state_commit(s, &why));
    refuse_changes("message", "DELETE");
    row.id = 2;
    assert_true(p3_state_begin(s, &why) && p3_state_put(s, a.id, &row, &why));
    assert_false(p3_state_forget(s, a.id, 1, &why));
    assert_non_null(strstr(why.text, "refused"));
    assert_true(p3_state_load(s, a.id, &rows, &why));
    assert_int_equal(rows.count, 1);
    p3_rows_free(&rows);
    meddle("DROP TRIGGER refuse");
    refuse_changes("message", "INSERT");
    assert_true(p3_state_begin(s, &why));
    assert_false(p3_state_put(s, a.id, &row, &why));
    meddle("DROP TRIGGER refuse");
    refuse_changes("account", "UPDATE");
    assert_true(p3_state_begin(s, &why));
    assert_false(p3_state_set_target(s, a.id, "maildir:/x", &why));
    meddle("DROP TRIGGER refuse");
    refuse_changes("trait", "INSERT");
    assert_true(p3_state_begin(s, &why));
    assert_false(p3_state_learn(s, a.id, peculiar, &why));
    meddle("DROP TRIGGER refuse");
    refuse_changes("account", "INSERT");
    assert_false(p3_state_account(s, "b", &b, &why));
    assert_non_null(strstr(why.text, "refused"));
    p3_known_account_clear(&a);
    p3_state_close(s);
}

static void a_full_disk_is_worth_another_try_and_costs_nothing_that_was_there(void **state)
{
    static char uid[200000];
    struct rlimit limit;
    p3_problem why = {0};
    p3_known_account a;
    p3_rows rows;
    p3_row row = {.id = 1, .uid = {"u", 1}, .standing = P3_DELIVERED, .name = ""};
    (void)state;
    memset(uid, 'u', sizeof uid);
    p3_state *s = open_state();
    assert_true(p3_state_account(s, "a", &a, &why));
    assert_true(p3_state_begin(s, &why) && p3_state_put(s, a.id, &row, &why) &&
                p3_state_commit(s, &why));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 100000;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    row = (p3_row){.id = 2, .uid = {uid, sizeof uid}, .standing = P3_DELIVERED, .name = ""};
    bool begun = p3_state_begin(s, &why);
    bool kept = begun && p3_state_put(s, a.id, &row, &why) && p3_state_commit(s, &why);
    limit.rlim_cur = before;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_true(begun);
    assert_false(kept);
    assert_true(why.exit == EX_TEMPFAIL || why.exit == EX_IOERR);
    assert_true(p3_state_load(s, a.id, &rows, &why));
    assert_int_equal(rows.count, 1);
    p3_rows_free(&rows);
    assert_true(p3_state_begin(s, &why) && p3_state_put(s, a.id, &row, &why) &&
                p3_state_commit(s, &why));
    p3_known_account_clear(&a);
    p3_state_close(s);
}

static void a_commit_outside_of_a_transaction_is_a_failure(void **state)
{
    p3_problem why = {0};
    (void)state;
    p3_state *s = open_state();
    assert_false(p3_state_commit(s, &why));
    assert_int_not_equal(why.exit, 0);
    assert_true(p3_state_begin(s, &why));
    assert_false(p3_state_begin(s, &why));
    p3_state_close(s);
}

static void pages_that_are_no_longer_a_database_are_said(void **state)
{
    static char noise[4096];
    p3_problem why = {0};
    p3_known_account a;
    p3_rows rows;
    bool failed = false;
    (void)state;
    p3_state *s = open_state();
    assert_true(p3_state_account(s, "a", &a, &why));
    assert_true(p3_state_begin(s, &why));
    for (int64_t id = 1; id <= 2000; id++) {
        p3_row row = {.id = id, .uid = {noise, 60}, .standing = P3_DELIVERED, .name = ""};
        assert_true(p3_state_put(s, a.id, &row, &why));
    }
    assert_true(p3_state_commit(s, &why));
    p3_known_account_clear(&a);
    p3_state_close(s);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    int fd = open(path, O_WRONLY);
    memset(noise, 0xa5, sizeof noise);
    for (off_t at = 3 * 4096; at < st.st_size; at += 4096)
        assert_int_equal(pwrite(fd, noise, sizeof noise, at), sizeof noise);
    (void)close(fd);
    s = p3_state_open(path, &why);
    failed = s == NULL || !p3_state_account(s, "a", &a, &why);
    if (!failed) {
        failed = !p3_state_load(s, a.id, &rows, &why);
        p3_known_account_clear(&a);
    }
    p3_state_close(s);
    assert_true(failed);
    assert_int_equal(why.exit, EX_DATAERR);
    assert_non_null(strstr(why.text, "restore it from a backup"));
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void names_are_all_different_and_fit_for_a_maildir(void **state)
{
    static const size_t COUNT = 500;
    static const p3_owner owner = {"0123456789abcdef"};
    const char *seen[1500];
    p3_names names[2];
    p3_name_list lists[3];
    (void)state;
    assert_int_equal(p3_names_init(&names[0]), 0);
    assert_int_equal(p3_names_init(&names[1]), 0);
    names[1].next = 999500;
    for (size_t k = 0; k < 3; k++)
        assert_true(p3_name_list_init(&lists[k], &names[k > 0], COUNT, owner));
    for (size_t i = 0; i < 3 * COUNT; i++) /* two of one kind in turn, as accounts do */
        p3_name_list_add(&lists[i % 3], &names[i % 3 > 0]);
    for (size_t i = 0; i < 3 * COUNT; i++) {
        const char *host = names[i % 3 > 0].host;
        const char *name = seen[i] = p3_name_list_at(&lists[i % 3], i / 3);
        assert_null(strpbrk(name, "/: \n"));
        assert_int_not_equal(name[0], '.');
        assert_string_equal(name + strlen(name) - strlen(host), host);
        assert_true(p3_names_made_for(name, owner.mark));
        assert_false(p3_names_made_for(name, "0123456789abcdee"));
        assert_false(p3_names_made_for(name + 1 + strcspn(name, "."), owner.mark));
    }
    qsort(seen, 3 * COUNT, sizeof *seen, compare_strings);
    for (size_t i = 1; i < 3 * COUNT; i++)
        assert_string_not_equal(seen[i - 1], seen[i]);
    for (size_t k = 0; k < 3; k++)
        p3_name_list_free(&lists[k]);
}

/* ---- line ends ---- */

typedef struct sink {
    p3_delivery base;
    char text[256];
    size_t len;
} sink;

static bool sink_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    (void)name;
    (void)sender;
    (void)why;
    ((sink *)d)->len = 0;
    return true;
}

static bool sink_write(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    sink *s = (sink *)d;
    (void)why;
    memcpy(s->text + s->len, data, len);
    s->len += len;
    return true;
}

static bool sink_finish(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    (void)why;
    out->octets = ((sink *)d)->len;
    return true;
}

static const p3_delivery_class sink_class = {
    .begin = sink_begin, .write = sink_write, .finish = sink_finish};

static void convert(p3_line_ends ends, const char *in, const char *expected)
{
    for (size_t cut = 0; cut <= strlen(in); cut++) {
        sink s = {.base = {.class = &sink_class}};
        p3_message m;
        p3_parcel parcel = {0};
        assert_true(p3_message_init(&m, &s.base, ends, P3_BODIES_NONE));
        p3_message_begin(&m, "name");
        assert_true(p3_message_take(&m, in, cut));
        assert_true(p3_message_take(&m, in + cut, strlen(in) - cut));
        assert_true(p3_message_finish(&m, &parcel));
        assert_int_equal(s.len, strlen(expected));
        assert_memory_equal(s.text, expected, s.len);
        p3_message_free(&m);
    }
}

static void line_ends_become_one_convention_wherever_the_message_is_cut(void **state)
{
    static const char mixed[] = "a\r\nb\nc\rd\r\r\ne\r\n\r\n\n\r";
    (void)state;
    convert(P3_LINES_LF, mixed, "a\nb\nc\rd\r\ne\n\n\n\r");
    convert(P3_LINES_CRLF, mixed, "a\r\nb\r\nc\rd\r\r\ne\r\n\r\n\r\n\r");
    convert(P3_LINES_LF, "", "");
}

/* The connection that SQLite opened last. */
static sqlite3 *opened;

static int note_opened(sqlite3 *db, char **error, const void *routines)
{
    (void)error;
    (void)routines;
    opened = db;
    return SQLITE_OK;
}

static void use_account(p3_state *s, const char *key)
{
    p3_problem why;
    p3_known_account a;
    p3_rows rows;
    p3_row row = {.id = 1, .uid = {"uid", 3}, .standing = P3_INTENT, .name = "n"};
    assert_true(p3_state_account(s, key, &a, &why));
    assert_true(p3_state_load(s, a.id, &rows, &why));
    assert_true(p3_state_begin(s, &why));
    assert_true(p3_state_put(s, a.id, &row, &why));
    assert_true(p3_state_forget(s, a.id, row.id, &why));
    assert_true(p3_state_set_target(s, a.id, "maildir:/m", &why));
    assert_true(p3_state_learn(s, a.id, peculiar, &why));
    assert_true(p3_state_see(s, a.id, (p3_clock_record){.last = 1}, &why));
    assert_true(p3_state_commit(s, &why));
    p3_rows_free(&rows);
    p3_known_account_clear(&a);
}

/* Counts the statements that are prepared, and finds none of them at work: a reader that is left
 * open would keep the log from being emptied. */
static int prepared(void)
{
    int count = 0;
    for (sqlite3_stmt *q = NULL; (q = sqlite3_next_stmt(opened, q)) != NULL; count++)
        assert_false(sqlite3_stmt_busy(q));
    return count;
}

static void a_statement_is_prepared_once_for_all_accounts(void **state)
{
    (void)state;
    assert_int_equal(sqlite3_auto_extension((void (*)(void))note_opened), SQLITE_OK);
    p3_state *s = open_state();
    sqlite3_reset_auto_extension();
    use_account(s, "ann@host:995");
    int count = prepared();
    assert_in_range(count, 5, 20);
    use_account(s, "bob@host:995");
    use_account(s, "ann@host:995");
    assert_int_equal(prepared(), count);
    p3_state_close(s);
}

#define WITH_FOLDER(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(what_is_committed_is_there_the_next_time),
        WITH_FOLDER(a_time_that_is_damaged_is_none),
        WITH_FOLDER(that_a_server_did_not_pipeline_counts_for_a_day),
        WITH_FOLDER(what_else_was_learned_about_a_server_counts_for_a_week),
        WITH_FOLDER(that_a_session_broke_at_a_deletion_counts_for_a_week),
        WITH_FOLDER(a_state_of_version_1_is_looked_at_as_it_is_and_made_version_2_when_it_is_used),
        WITH_FOLDER(accounts_do_not_see_each_other),
        WITH_FOLDER(an_account_is_locked_against_others_only),
        WITH_FOLDER(a_handle_that_is_closed_leaves_the_locks_of_others),
        WITH_FOLDER(nobody_else_may_read_the_state),
        WITH_FOLDER(a_state_that_cannot_be_opened_says_what_to_do),
        WITH_FOLDER(a_state_that_was_never_whole_is_made_again_and_another_file_is_not),
        WITH_FOLDER(a_state_that_was_never_whole_is_made_again_by_one_run_at_a_time),
        WITH_FOLDER(one_state_with_two_names_has_one_lock_for_an_account),
        WITH_FOLDER(a_row_whose_number_is_damaged_is_not_known),
        WITH_FOLDER(a_state_behind_a_symbolic_link_is_made_and_its_log_synced),
        WITH_FOLDER(a_state_that_is_linked_twice_is_not_used),
        WITH_FOLDER(a_state_of_a_later_version_or_another_program_is_left_as_it_is),
        WITH_FOLDER(a_state_that_another_run_is_just_making_is_waited_for),
        WITH_FOLDER(who_only_looks_makes_nothing),
        WITH_FOLDER(a_target_that_there_was_no_memory_for_leaves_no_transaction_behind),
        WITH_FOLDER(tables_that_are_gone_are_said_and_nothing_is_half_changed),
        WITH_FOLDER(a_refused_change_rolls_all_of_its_transaction_back),
        WITH_FOLDER(a_full_disk_is_worth_another_try_and_costs_nothing_that_was_there),
        WITH_FOLDER(a_commit_outside_of_a_transaction_is_a_failure),
        WITH_FOLDER(pages_that_are_no_longer_a_database_are_said),
        WITH_FOLDER(a_statement_is_prepared_once_for_all_accounts),
        cmocka_unit_test(names_are_all_different_and_fit_for_a_maildir),
        cmocka_unit_test(line_ends_become_one_convention_wherever_the_message_is_cut),
    };
    return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
