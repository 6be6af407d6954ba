/* libpop3-collect when any call of the C library, an allocation of SQLite's or a thread's start
 * fails, one after the other: a status and a sentence say it, nothing is leaked, and the next call
 * gets everything done, each message once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pop3/collect.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../sync/failing.h"
#include "support/guard.h"
#include "support/scratch.h"
#include "support/server.h"
#include "support/text.h"

#define MESSAGES 3

/* ---- what fails besides ---- */

static sqlite3_mem_methods usual;

static void *failing_sqlite_malloc(int size)
{
    return failing_now(FAILING_ERROR, "sqlite3_malloc", ENOMEM) ? NULL : usual.xMalloc(size);
}

static void *failing_sqlite_realloc(void *p, int size)
{
    return failing_now(FAILING_ERROR, "sqlite3_realloc", ENOMEM) ? NULL : usual.xRealloc(p, size);
}

/* Before SQLite is used. */
static bool take_sqlite_allocations(void)
{
    sqlite3_mem_methods ours;
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &usual) != SQLITE_OK)
        return false;
    ours = usual;
    ours.xMalloc = failing_sqlite_malloc;
    ours.xRealloc = failing_sqlite_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &ours) == SQLITE_OK;
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                          void *arg)
{
    return failing_now(FAILING_ERROR, "pthread_create", EAGAIN)
               ? EAGAIN
               : __real_pthread_create(thread, attr, run, arg);
}

/* What realpath(3) allocates, counted as what is freed is. */
char *__real_realpath(const char *path, char *out);
char *__wrap_realpath(const char *path, char *out);
char *__wrap_realpath(const char *path, char *out)
{
    char room[PATH_MAX];
    const char *real = __real_realpath(path, room);
    return real == NULL || out != NULL ? NULL : strdup(real);
}

/* ---- each call in turn ---- */

/* What is tried: with a call that fails, and then, to see what came of it, without. */
typedef struct scene {
    void (*prepare)(void);
    pop3_collect_status (*play)(pop3_collect_error *error);
    void (*judge)(pop3_collect_status faulted);
} scene;

/* One trial; returns the name of the call that failed, or NULL when none did. */
static const char *fail_once(const scene *s, const failing *f, unsigned long n)
{
    pop3_collect_error error = {0};
    s->prepare();
    long memory = failing_allocations();
    int descriptors = failing_descriptors();
    failing_arm(f, n);
    pop3_collect_status status = s->play(&error);
    const char *hit = failing_disarm();
    const char *call = hit == NULL ? "nothing" : hit;
    if (failing_allocations() != memory)
        fail_msg("call %lu, %s: %ld allocations are left", n, call, failing_allocations() - memory);
    if (failing_descriptors() != descriptors)
        fail_msg("call %lu, %s: descriptors are left open", n, call);
    if (hit == NULL && status != POP3_COLLECT_OK)
        fail_msg("call %lu: nothing failed, and yet: %s", n, error.message);
    if (f->how != FAILING_ERROR && status != POP3_COLLECT_OK)
        fail_msg("call %lu, %s: a signal or a short write ended it: %s", n, call, error.message);
    if (status == POP3_COLLECT_ARGUMENT || status == POP3_COLLECT_STATE ||
        status == POP3_COLLECT_CREDENTIALS)
        fail_msg("call %lu, %s: %s: %s", n, call, pop3_collect_status_name(status), error.message);
    if (status != POP3_COLLECT_OK && (error.status != status || error.message[0] == '\0'))
        fail_msg("call %lu, %s: no sentence says why", n, call);
    s->judge(status);
    return hit;
}

/* Each stride-th call, beginning with the first; each call with FAULT_STRIDE=1. */
static void fail_each(const scene *s, const failing *f, unsigned long stride)
{
    const char *chosen = getenv("FAULT_STRIDE");
    unsigned long n = 1;
    if (chosen != NULL && strtoul(chosen, NULL, 10) > 0)
        stride = strtoul(chosen, NULL, 10);
    while (fail_once(s, f, n) != NULL)
        n += stride;
    assert_true(n > 1 ||
                f->how != FAILING_ERROR); /* there may be nothing that a signal interrupts */
}

/* Of a scene with very many calls one in `stride` is tried with one error, and fewer with others.
 */
static void fail_all(const scene *s, unsigned long stride)
{
    static const failing kinds[] = {
        {.how = FAILING_ERROR, .error = EIO},
        {.how = FAILING_ERROR, .error = ENOSPC},
        {.how = FAILING_ERROR, .error = EIO, .from_there = true},
        {.how = FAILING_INTERRUPTED},
        {.how = FAILING_SHORT},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        fail_each(s, &kinds[i], i == 0 ? stride : 5 * stride - 4);
}

static void remove_files(const char *prefix)
{
    char command[1000];
    snprintf(command, sizeof command, "rm -rf '%s'*", prefix);
    assert_int_equal(system(command), 0);
}

static int files_in(const char *folder, const char *part)
{
    char path[600];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", folder, part);
    DIR *dir = opendir(path);
    for (const struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;)
        count += e->d_name[0] != '.';
    if (dir != NULL)
        (void)closedir(dir);
    return count;
}

/* ---- a header ---- */

static void nothing(void)
{
}

static pop3_collect_status decode(pop3_collect_error *error)
{
    static const char value[] = "=?iso-8859-15?Q?10_=A4?= and\r\n =?utf-8?B?w6Q=?=";
    char *out;
    error->status = pop3_header_decode(value, sizeof value - 1, &out);
    snprintf(error->message, sizeof error->message, "out of memory");
    assert_int_equal(out != NULL, error->status == POP3_COLLECT_OK);
    free(out);
    return error->status;
}

static void only_memory_lacks(pop3_collect_status faulted)
{
    assert_true(faulted == POP3_COLLECT_OK || faulted == POP3_COLLECT_SYSTEM);
}

static void a_header_is_decoded_or_memory_lacks(void **state)
{
    static const scene s = {nothing, decode, only_memory_lacks};
    (void)state;
    fail_all(&s, 1);
}

/* ---- a memory ---- */

static char memory_file[400];

static const pop3_str uids[] = {{"one", 3}, {"two", 3}, {"three", 5}};

static pop3_collect_status remember_all(pop3_seen *m, pop3_collect_error *error)
{
    pop3_collect_status status = POP3_COLLECT_OK;
    for (size_t i = 0; i < sizeof uids / sizeof *uids && status == POP3_COLLECT_OK; i++)
        status = pop3_seen_add(m, uids[i], error);
    return status;
}

static void remember_one(void)
{
    pop3_seen *m;
    remove_files(memory_file);
    assert_int_equal(pop3_seen_open(&m, memory_file, "work", NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_seen_add(m, (pop3_str){"old", 3}, NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_seen_save(m, NULL), POP3_COLLECT_OK);
    pop3_seen_close(m);
}

static pop3_collect_status remember(pop3_collect_error *error)
{
    pop3_seen *m;
    pop3_collect_status status = pop3_seen_open(&m, memory_file, "work", error);
    assert_int_equal(m != NULL, status == POP3_COLLECT_OK);
    if (m == NULL)
        return status;
    assert_true(pop3_seen_contains(m, (pop3_str){"old", 3}));
    pop3_seen_remove(m, (pop3_str){"old", 3});
    status = remember_all(m, error);
    if (status == POP3_COLLECT_OK)
        status = pop3_seen_save(m, error);
    pop3_seen_close(m);
    return status;
}

/* All of it is there, or nothing: that alone where it was said to have been saved. */
static void all_or_nothing(pop3_collect_status faulted)
{
    pop3_seen *m;
    assert_int_equal(pop3_seen_open(&m, memory_file, "work", NULL), POP3_COLLECT_OK);
    bool saved = pop3_seen_contains(m, uids[0]);
    assert_true(saved || faulted != POP3_COLLECT_OK);
    for (size_t i = 0; i < sizeof uids / sizeof *uids; i++)
        assert_int_equal(pop3_seen_contains(m, uids[i]), saved);
    assert_int_equal(pop3_seen_contains(m, (pop3_str){"old", 3}), !saved);
    assert_int_equal(remember_all(m, NULL), POP3_COLLECT_OK);
    assert_int_equal(pop3_seen_save(m, NULL), POP3_COLLECT_OK);
    pop3_seen_close(m);
}

static void a_memory_saves_all_or_nothing_whatever_call_fails(void **state)
{
    static const scene s = {remember_one, remember, all_or_nothing};
    (void)state;
    fail_all(&s, 7);
}

/* ---- a Maildir ---- */

static char maildir_path[400];
static size_t finished; /* in the trial */

static void no_maildir(void)
{
    remove_files(maildir_path);
}

static pop3_collect_status deliver_one(pop3_maildir *m, pop3_collect_error *error)
{
    pop3_collect_status status = pop3_maildir_begin(m, error);
    if (status == POP3_COLLECT_OK)
        (void)pop3_maildir_sink(m, "Subject: x\r\n\r\nbody\r\n", 20);
    return status == POP3_COLLECT_OK ? pop3_maildir_finish(m, error) : status;
}

/* A message that fails is left out; the others are delivered. */
static pop3_collect_status deliver(pop3_collect_error *error)
{
    pop3_maildir *m;
    pop3_collect_status status = pop3_maildir_open(&m, maildir_path, error);
    pop3_collect_status first = POP3_COLLECT_OK;
    finished = 0;
    assert_int_equal(m != NULL, status == POP3_COLLECT_OK);
    if (m == NULL)
        return status;
    for (size_t i = 0; i < MESSAGES; i++) {
        status = deliver_one(m, error);
        finished += status == POP3_COLLECT_OK;
        first = first == POP3_COLLECT_OK ? status : first;
    }
    if (first == POP3_COLLECT_OK || finished > 0) {
        status = pop3_maildir_commit(m, error);
        if (status != POP3_COLLECT_OK)
            finished = SIZE_MAX; /* some may be there */
    }
    pop3_maildir_close(m);
    error->status = first != POP3_COLLECT_OK && status == POP3_COLLECT_OK ? first : status;
    return error->status;
}

static void what_is_committed_is_there(pop3_collect_status faulted)
{
    size_t there = (size_t)files_in(maildir_path, "new");
    if (faulted == POP3_COLLECT_OK)
        assert_int_equal(there, MESSAGES);
    else if (finished <= MESSAGES)
        assert_int_equal(there, finished);
    assert_in_range(there, 0, MESSAGES);
}

static void a_maildir_has_what_it_said_it_delivered_whatever_call_fails(void **state)
{
    static const scene s = {no_maildir, deliver, what_is_committed_is_there};
    (void)state;
    fail_all(&s, 1);
}

/* ---- a visit ---- */

/* A message of the target's: nothing here allocates. */
typedef struct held {
    char name[201];
    size_t octets;
    bool open;
} held;

static held box[16];
static char kept[16][201];
static size_t kept_count;

static pop3_collect_status box_begin(void *ctx, const char *name, void **message,
                                     pop3_collect_error *error)
{
    held *h = box;
    (void)ctx;
    (void)error;
    while (h->open)
        h++;
    assert_true(h < box + sizeof box / sizeof *box);
    *h = (held){.open = true};
    snprintf(h->name, sizeof h->name, "%s", name);
    *message = h;
    return POP3_COLLECT_OK;
}

static pop3_collect_status box_write(void *ctx, void *message, const char *data, size_t len,
                                     pop3_collect_error *error)
{
    (void)ctx;
    (void)data;
    (void)error;
    ((held *)message)->octets += len;
    return POP3_COLLECT_OK;
}

static pop3_collect_status box_commit(void *ctx, void *const *messages, size_t count,
                                      pop3_collect_error *error)
{
    (void)ctx;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        held *h = messages[i];
        assert_true(kept_count < sizeof kept / sizeof *kept && h->octets > 0);
        snprintf(kept[kept_count++], sizeof *kept, "%s", h->name);
        h->open = false;
    }
    return POP3_COLLECT_OK;
}

static void box_abort(void *ctx, void *message)
{
    (void)ctx;
    ((held *)message)->open = false;
}

static pop3_collect_status box_find(void *ctx, const char *name, bool *there,
                                    pop3_collect_error *error)
{
    (void)ctx;
    (void)error;
    for (size_t i = 0; i < kept_count; i++)
        *there = *there || strcmp(kept[i], name) == 0;
    return POP3_COLLECT_OK;
}

static server mailbox;
static bool to_a_maildir;

static void nothing_delivered(void)
{
    remove_files(memory_file);
    remove_files(maildir_path);
    kept_count = 0;
}

static pop3_collect_status visit(pop3_collect_error *error)
{
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    pop3_visit_options v = POP3_VISIT_OPTIONS_INIT;
    pop3_visit_report r = POP3_VISIT_REPORT_INIT;
    pop3_target to = POP3_TARGET_INIT;
    to.id = "box";
    to.begin = box_begin;
    to.write = box_write;
    to.commit = box_commit;
    to.abort = box_abort;
    to.find = box_find;
    o.host = "127.0.0.1";
    o.port = mailbox.port;
    o.security = POP3_SECURITY_PLAIN;
    o.allow_plaintext_password = true;
    v.connection = &o;
    v.user = "joe";
    v.password = "secret";
    v.memory = memory_file;
    if (to_a_maildir)
        v.maildir = maildir_path;
    else
        v.target = &to;
    pop3_collect_status status = pop3_visit(&v, &r);
    *error = r.error;
    for (size_t i = 0; i < sizeof box / sizeof *box; i++)
        assert_false(box[i].open);
    return status;
}

static void each_message_is_there_once(pop3_collect_status faulted)
{
    pop3_collect_error error = {0};
    (void)faulted;
    if (visit(&error) != POP3_COLLECT_OK)
        fail_msg("the next visit: %s", error.message);
    size_t there = to_a_maildir ? (size_t)files_in(maildir_path, "new") : kept_count;
    assert_int_equal(there, MESSAGES);
    if (to_a_maildir)
        assert_int_equal(files_in(maildir_path, "tmp"), 0);
}

static void visit_all(bool maildir)
{
    static const scene s = {nothing_delivered, visit, each_message_is_there_once};
    const char *const options[] = {"--mail", getenv("POP3_MAIL"), NULL};
    to_a_maildir = maildir;
    assert_true(server_start(&mailbox, NULL, options));
    fail_all(&s, 17);
    free(server_stop(&mailbox));
}

static void a_visit_to_functions_delivers_each_message_once_whatever_call_fails(void **state)
{
    (void)state;
    visit_all(false);
}

static void so_does_one_to_a_maildir(void **state)
{
    (void)state;
    visit_all(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_decoded_or_memory_lacks),
        cmocka_unit_test(a_memory_saves_all_or_nothing_whatever_call_fails),
        cmocka_unit_test(a_maildir_has_what_it_said_it_delivered_whatever_call_fails),
        cmocka_unit_test(a_visit_to_functions_delivers_each_message_once_whatever_call_fails),
        cmocka_unit_test(so_does_one_to_a_maildir),
    };
    guard_install();
    failing_spare_wakes();
    if (!take_sqlite_allocations())
        return EXIT_FAILURE;
    snprintf(memory_file, sizeof memory_file, "%s", scratch_file("memory.db"));
    snprintf(maildir_path, sizeof maildir_path, "%s", scratch_file("Maildir"));
    int failed = cmocka_run_group_tests_name("collect-faults", tests, NULL, NULL);
    scratch_remove();
    return failed;
}
