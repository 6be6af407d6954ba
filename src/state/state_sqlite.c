/* The state in SQLite: one file, write-ahead log, synced at each commit. */
#include "state/state.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "confine/outside.h"
#include "state/lock_file.h"
#include "support/file.h"

#define P3_APPLICATION    1886351155 /* "pop3", for file(1) */
#define P3_APPLICATION_ID "1886351155"
#define P3_VERSION        8
#define P3_BUSY_MS        30000 /* milliseconds to wait for another run's write lock */
#define P3_BUSY_STEP_MS   20

struct p3_state {
    sqlite3 *db;
    char *path;
    p3_lock_file *locks; /* NULL: no file */
    bool looks;          /* for reading only */
    int64_t version;     /* of the file's tables; 0: it is new */
};

/* Version 1 had no such table. The age of an entry decides whether it counts. */
#define P3_TRAIT_TABLE                                                                             \
    "CREATE TABLE trait("                                                                          \
    "  account INTEGER NOT NULL REFERENCES account(id),"                                           \
    "  name TEXT NOT NULL,"                                                                        \
    "  value INTEGER NOT NULL,"                                                                    \
    "  learned INTEGER NOT NULL,"                                                                  \
    "  PRIMARY KEY(account, name)) WITHOUT ROWID;"

static const char upgrade_from_1[] = P3_TRAIT_TABLE "PRAGMA user_version=2;";

/* Version 2 identified messages by their headers alone. */
static const char upgrade_from_2[] = "ALTER TABLE message ADD octets INTEGER NOT NULL DEFAULT 0;"
                                     "ALTER TABLE message ADD body BLOB NOT NULL DEFAULT x'';"
                                     "ALTER TABLE message ADD common INTEGER NOT NULL DEFAULT 0;"
                                     "PRAGMA user_version=3;";

/* Version 3 had no observations of the clock. */
static const char upgrade_from_3[] = "ALTER TABLE account ADD seen INTEGER NOT NULL DEFAULT 0;"
                                     "ALTER TABLE account ADD jumped INTEGER NOT NULL DEFAULT 0;"
                                     "ALTER TABLE account ADD trusted INTEGER NOT NULL DEFAULT 0;"
                                     "PRAGMA user_version=4;";

/* Version 4 had no messages that were passed over, and would deliver them. */
static const char upgrade_from_4[] = "PRAGMA user_version=5;";

/* Version 5 did not record at which messages sessions broke. */
static const char upgrade_from_5[] = "ALTER TABLE message ADD broke INTEGER NOT NULL DEFAULT 0;"
                                     "PRAGMA user_version=6;";

/* Version 6 had one target for an account. */
static const char upgrade_from_6[] = "ALTER TABLE message ADD members INTEGER NOT NULL DEFAULT 0;"
                                     "PRAGMA user_version=7;";

/* Version 7 would count deliveries in doubt as delivered. */
static const char upgrade_from_7[] = "PRAGMA user_version=8;";

static const char schema[] = "PRAGMA application_id=" P3_APPLICATION_ID ";"
                             "PRAGMA user_version=8;" P3_TRAIT_TABLE "CREATE TABLE account("
                             "  id INTEGER PRIMARY KEY,"
                             "  key TEXT NOT NULL UNIQUE,"
                             "  target TEXT,"
                             "  seen INTEGER NOT NULL DEFAULT 0,"
                             "  jumped INTEGER NOT NULL DEFAULT 0,"
                             "  trusted INTEGER NOT NULL DEFAULT 0);"
                             "CREATE TABLE message("
                             "  account INTEGER NOT NULL REFERENCES account(id),"
                             "  id INTEGER NOT NULL,"
                             "  uid BLOB NOT NULL,"
                             "  standing INTEGER NOT NULL,"
                             "  time INTEGER NOT NULL,"
                             "  fingerprint BLOB NOT NULL,"
                             "  tries INTEGER NOT NULL,"
                             "  name TEXT NOT NULL,"
                             "  octets INTEGER NOT NULL DEFAULT 0,"
                             "  body BLOB NOT NULL DEFAULT x'',"
                             "  common INTEGER NOT NULL DEFAULT 0,"
                             "  broke INTEGER NOT NULL DEFAULT 0,"
                             "  members INTEGER NOT NULL DEFAULT 0,"
                             "  PRIMARY KEY(account, id)) WITHOUT ROWID;";

/* Sets SQLite's error, with advice. */
static bool describe_failure(const p3_state *s, const char *doing, p3_problem *why)
{
    const char *text = s->db != NULL ? sqlite3_errmsg(s->db) : "out of memory";
    int code = s->db != NULL ? sqlite3_errcode(s->db) : SQLITE_NOMEM;
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return p3_problem_set(why, EX_DATAERR,
                              "%s the state file %s: %s; restore it from a backup, or move it away "
                              "(mail that is still on the server is then delivered again)",
                              doing, s->path, text);
    case SQLITE_FULL:
        return p3_problem_set(why, EX_TEMPFAIL, "%s the state file %s: %s; make room on that disk",
                              doing, s->path, text);
    case SQLITE_BUSY:
        return p3_problem_set(why, EX_TEMPFAIL,
                              "%s the state file %s: another run is writing to it", doing, s->path);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return p3_problem_set(why, EX_CANTCREAT,
                              "%s the state file %s: %s; its directory must exist and be writable",
                              doing, s->path, text);
    default:
        return p3_problem_set(why, EX_IOERR, "%s the state file %s: %s", doing, s->path, text);
    }
}

static bool run_sql(p3_state *s, const char *sql, const char *doing, p3_problem *why)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
           describe_failure(s, doing, why);
}

/* A statement, to be released by reset_statement(). SQLite keeps it for the next account, because
 * preparing one costs more than executing it. NULL on failure. */
static sqlite3_stmt *prepare_statement(p3_state *s, const char *sql, p3_problem *why)
{
    sqlite3_stmt *q = NULL;
    while ((q = sqlite3_next_stmt(s->db, q)) != NULL) {
        if (strcmp(sqlite3_sql(q), sql) == 0)
            return q;
    }
    if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &q, NULL) != SQLITE_OK)
        (void)describe_failure(s, "reading", why);
    return q;
}

static void reset_statement(sqlite3_stmt *q)
{
    (void)sqlite3_reset(q);
    (void)sqlite3_clear_bindings(q);
}

static void close_file(p3_state *s)
{
    sqlite3_stmt *q;
    while (s->db != NULL && (q = sqlite3_next_stmt(s->db, NULL)) != NULL)
        (void)sqlite3_finalize(q);
    (void)sqlite3_close(s->db); /* everything committed is on the disk already */
    s->db = NULL;
}

static bool read_number(p3_state *s, const char *sql, int64_t *out, p3_problem *why)
{
    sqlite3_stmt *q = prepare_statement(s, sql, why);
    if (q == NULL)
        return false;
    bool ok = sqlite3_step(q) == SQLITE_ROW || describe_failure(s, "reading", why);
    if (ok)
        *out = sqlite3_column_int64(q, 0);
    reset_statement(q);
    return ok;
}

/* Finds out the version of a file, and refuses one that is something else or of a later version. In
 * a transaction, because another run may be creating it. */
static bool check_version(p3_state *s, p3_problem *why)
{
    int64_t application = 0;
    int64_t tables = 0;
    if (!read_number(s, "PRAGMA user_version", &s->version, why) ||
        !read_number(s, "PRAGMA application_id", &application, why))
        return false;
    if (s->version >= 1 && s->version <= P3_VERSION && application == P3_APPLICATION)
        return true;
    if (s->version == 0 && !read_number(s, "SELECT count(*) FROM sqlite_schema", &tables, why))
        return false;
    return (s->version == 0 && application == 0 && tables == 0) ||
           p3_problem_set(why, EX_DATAERR,
                          "opening the state file %s: it is another program's database, or from a "
                          "later version of this one",
                          s->path);
}

static bool look_at_file(p3_state *s, p3_problem *why)
{
    bool ok = run_sql(s, "BEGIN", "opening", why) && check_version(s, why);
    (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return ok;
}

/* Creates missing tables, unless another run has done so by now. */
static bool make_tables(p3_state *s, p3_problem *why)
{
    if (!run_sql(s, "BEGIN IMMEDIATE", "opening", why))
        return false;
    bool ok = check_version(s, why);
    if (ok && s->version == 0)
        ok = run_sql(s, schema, "making", why);
    else if (ok)
        ok = (s->version > 1 || run_sql(s, upgrade_from_1, "making", why)) &&
             (s->version > 2 || run_sql(s, upgrade_from_2, "making", why)) &&
             (s->version > 3 || run_sql(s, upgrade_from_3, "making", why)) &&
             (s->version > 4 || run_sql(s, upgrade_from_4, "making", why)) &&
             (s->version > 5 || run_sql(s, upgrade_from_5, "making", why)) &&
             (s->version > 6 || run_sql(s, upgrade_from_6, "making", why)) &&
             (s->version > 7 || run_sql(s, upgrade_from_7, "making", why));
    s->version = P3_VERSION;
    if (!ok) {
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        return false;
    }
    return run_sql(s, "COMMIT", "making", why);
}

/* Enables the log. SQLite does not wait by itself while another run does the same. */
static bool use_log(p3_state *s, p3_problem *why)
{
    int result = SQLITE_BUSY;
    (void)sqlite3_busy_timeout(s->db, 0);
    for (int ms = 0; result == SQLITE_BUSY && ms < P3_BUSY_MS; ms += P3_BUSY_STEP_MS) {
        if (ms > 0)
            (void)sqlite3_sleep(P3_BUSY_STEP_MS);
        result = sqlite3_exec(s->db, "PRAGMA journal_mode=WAL", NULL, NULL, NULL);
    }
    bool ok = result == SQLITE_OK || describe_failure(s, "opening", why);
    (void)sqlite3_busy_timeout(s->db, P3_BUSY_MS);
    return ok;
}

/* Configures the use of the file. EXTRA is like FULL with a log; without one it also syncs the
 * removal of the journal, without which a power cut may undo a transaction. A file that is not ours
 * is not changed. */
static bool prepare_file(p3_state *s, p3_problem *why)
{
    bool ok = (sqlite3_busy_timeout(s->db, P3_BUSY_MS) == SQLITE_OK ||
               describe_failure(s, "opening", why)) &&
              look_at_file(s, why) && use_log(s, why) &&
              run_sql(s, "PRAGMA synchronous=EXTRA; PRAGMA cache_size=-128", "opening", why);
    bool make = s->version == 0 || (s->version < P3_VERSION && !s->looks);
    return ok && (!make || make_tables(s, why));
}

/* Locked while a file is created again: not an account's number. */
#define P3_MAKING 0

/* The maximum size of a file that may never have been complete. */
#define P3_TORN_MOST 65536

/* Whether a file is the rest of a database that was being created during a power cut or a disk
 * error: nothing, NULs, or the beginning of SQLite's magic. */
static bool is_torn(int fd)
{
    static const char magic[] = "SQLite format 3"; /* and its NUL */
    char *room = malloc(P3_TORN_MOST + 1);
    ssize_t n = room != NULL ? pread(fd, room, P3_TORN_MOST + 1, 0) : -1;
    bool torn = n >= 0 && n <= P3_TORN_MOST;
    for (ssize_t i = 0; torn && i < n; i++)
        torn = room[i] == '\0';
    torn = torn || (n >= 0 && n < (ssize_t)sizeof magic && memcmp(room, magic, (size_t)n) == 0);
    free(room);
    return torn;
}

static int open_for_sqlite(const char *path, int flags, int mode)
{
    return p3_outside_open(path, flags, (mode_t)mode);
}

/* By default SQLite allocates some 200 KB for each handle, which ours do not need. */
static void set_up_sqlite(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 256, 32);
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
    sqlite3_vfs *files = sqlite3_vfs_find(NULL);
    if (files == NULL || files->iVersion < 3 || files->xSetSystemCall == NULL)
        return;
    (void)files->xSetSystemCall(files, "open", (sqlite3_syscall_ptr)open_for_sqlite);
    (void)files->xSetSystemCall(files, "unlink", (sqlite3_syscall_ptr)p3_outside_unlink);
}

void p3_state_own_sqlite(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, set_up_sqlite);
}

static bool open_file(p3_state *s, const char *file, p3_problem *why)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    bool ok = sqlite3_open_v2(file, &s->db, flags, NULL) == SQLITE_OK ||
              describe_failure(s, "opening", why);
    return ok && prepare_file(s, why);
}

/* Opens a file that is not a database again, as an empty one if it was never complete. One run at a
 * time does that, and checks again, because another one may have created it meanwhile. */
static bool make_again(p3_state *s, p3_problem *why)
{
    int ms = 0;
    close_file(s);
    while (p3_lock_file_acquire(s->locks, P3_MAKING) != 0) {
        ms += P3_BUSY_STEP_MS;
        if (ms > P3_BUSY_MS)
            return p3_problem_errno(why, errno, "opening the state file %s", s->path);
        (void)sqlite3_sleep(P3_BUSY_STEP_MS);
    }
    int fd = p3_lock_file_descriptor(s->locks);
    bool ok = !is_torn(fd) || ftruncate(fd, 0) == 0 ||
              p3_problem_errno(why, errno, "opening the state file %s", s->path);
    ok = ok && open_file(s, s->path, why);
    p3_lock_file_release(s->locks, P3_MAKING);
    return ok;
}

/* A file with two names has two logs, and each name ignores the other's. */
static bool has_one_name(const char *path, p3_problem *why)
{
    struct stat st;
    return stat(path, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink <= 1 ||
           p3_problem_set(why, EX_CONFIG,
                          "opening the state file %s: it has a second name (a hard link), and what "
                          "is recorded under one is not seen under the other; remove one of them",
                          path);
}

static p3_state *open_state(const char *path, bool looks, p3_problem *why)
{
    p3_state *s = calloc(1, sizeof *s);
    if (s == NULL || (s->path = strdup(path)) == NULL) {
        free(s);
        p3_problem_memory(why);
        return NULL;
    }
    s->looks = looks;
    bool nowhere = looks && access(path, F_OK) != 0 && errno == ENOENT;
    const char *file = nowhere ? ":memory:" : path;
    if (!nowhere)
        s->locks = p3_lock_file_open(path, !looks); /* also creates it, with mode 0600 */
    int error = errno;
    bool ok = has_one_name(path, why) && open_file(s, file, why);
    if (!ok && !looks && why->exit == EX_DATAERR && s->locks != NULL)
        ok = make_again(s, why);
    if (ok && !nowhere && s->locks == NULL)
        ok = p3_problem_errno(why, error, "opening the state file %s", path);
    if (!ok) {
        p3_state_close(s);
        return NULL;
    }
    return s;
}

p3_state *p3_state_open(const char *path, p3_problem *why)
{
    return open_state(path, false, why);
}

p3_state *p3_state_open_to_look(const char *path, p3_problem *why)
{
    return open_state(path, true, why);
}

void p3_state_close(p3_state *s)
{
    if (s == NULL)
        return;
    close_file(s);
    p3_lock_file_close(s->locks);
    free(s->path);
    free(s);
}

void p3_known_account_clear(p3_known_account *a)
{
    free(a->target);
    *a = (p3_known_account){0};
}

/* A time, in seconds since the epoch; 0 if it is damaged. */
static int64_t time_of(sqlite3_stmt *q, int column)
{
    int64_t t = sqlite3_column_int64(q, column);
    return t >= 0 && t <= (int64_t)1 << 40 ? t : 0;
}

/* How long learned traits count, in seconds. */
#define P3_DAY  ((int64_t)24 * 60 * 60)
#define P3_WEEK (7 * P3_DAY)

/* Whether something learned at that time still counts: it has not expired, and the clock was not
 * set back. */
static bool counts_since(int64_t learned, int64_t seconds)
{
    int64_t now = time(NULL);
    return learned <= now && now - learned < seconds;
}

static const char quit_after[] = "quit-after";

/* One row. Traits of a later version are ignored. Returns whether it still counts. */
static bool read_trait(p3_learned *out, const char *name, int64_t value, int64_t learned)
{
    p3_learned one = {.learned = learned};
    if (strcmp(name, quit_after) == 0 && value > 0 && value <= UINT32_MAX)
        one.trait.quit_after = (uint32_t)value;
    else if (!pop3_server_traits_read(&one.trait, name) || pop3_server_traits_empty(one.trait))
        return false;
    int64_t seconds = one.trait.flags == POP3_TRAIT_ONE_AT_A_TIME ? P3_DAY : P3_WEEK;
    if (!counts_since(learned, seconds))
        return false;
    one.expires = learned + seconds;
    *out = one;
    return true;
}

bool p3_state_learned(p3_state *s, int64_t account, p3_learned *out, size_t *count, p3_problem *why)
{
    int step = SQLITE_DONE;
    *count = 0;
    if (s->version < 2)
        return true;
    sqlite3_stmt *q = prepare_statement(
        s, "SELECT name, value, learned FROM trait WHERE account=? ORDER BY name", why);
    if (q == NULL)
        return false;
    sqlite3_bind_int64(q, 1, account);
    while (*count < P3_LEARNED_MOST && (step = sqlite3_step(q)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(q, 0);
        *count += name != NULL &&
                  read_trait(&out[*count], name, sqlite3_column_int64(q, 1), time_of(q, 2));
    }
    bool ok = step == SQLITE_DONE || step == SQLITE_ROW || describe_failure(s, "reading", why);
    reset_statement(q);
    return ok;
}

bool p3_state_broken(p3_state *s, int64_t account, p3_broken *out, p3_problem *why)
{
    int64_t now = time(NULL);
    *out = (p3_broken){0};
    if (s->version < 6)
        return true;
    sqlite3_stmt *q = prepare_statement(
        s, "SELECT count(*), max(broke) FROM message WHERE account=? AND broke>? AND broke<=?",
        why);
    if (q == NULL)
        return false;
    sqlite3_bind_int64(q, 1, account);
    sqlite3_bind_int64(q, 2, now - P3_WEEK);
    sqlite3_bind_int64(q, 3, now);
    bool ok = sqlite3_step(q) == SQLITE_ROW || describe_failure(s, "reading", why);
    if (ok && sqlite3_column_int64(q, 0) > 0)
        *out = (p3_broken){.count = (uint64_t)sqlite3_column_int64(q, 0),
                           .last = sqlite3_column_int64(q, 1),
                           .expires = sqlite3_column_int64(q, 1) + P3_WEEK};
    reset_statement(q);
    return ok;
}

static bool find_traits(p3_state *s, p3_known_account *a, p3_problem *why)
{
    p3_learned learned[P3_LEARNED_MOST];
    size_t count;
    if (!p3_state_learned(s, a->id, learned, &count, why))
        return false;
    for (size_t i = 0; i < count; i++)
        pop3_server_traits_add(&a->traits, learned[i].trait);
    return true;
}

static bool find_account(p3_state *s, const char *key, p3_known_account *out, p3_problem *why)
{
    const char *sql = s->version >= 4
                          ? "SELECT id, target, seen, jumped, trusted FROM account WHERE key=?"
                          : "SELECT id, target, 0, 0, 0 FROM account WHERE key=?";
    sqlite3_stmt *q = prepare_statement(s, sql, why);
    if (q == NULL)
        return false;
    sqlite3_bind_text(q, 1, key, -1, SQLITE_STATIC);
    int step = sqlite3_step(q);
    bool ok = step == SQLITE_ROW || step == SQLITE_DONE || describe_failure(s, "reading", why);
    if (step == SQLITE_ROW) {
        const char *target = (const char *)sqlite3_column_text(q, 1);
        out->id = sqlite3_column_int64(q, 0);
        out->seen = (p3_clock_record){
            .last = time_of(q, 2), .jumped = time_of(q, 3), .trusted = time_of(q, 4)};
        out->target = target != NULL ? strdup(target) : NULL;
        if (target != NULL && out->target == NULL)
            ok = p3_problem_memory(why);
    }
    reset_statement(q);
    ok = ok && (out->id == 0 || find_traits(s, out, why));
    if (!ok)
        p3_known_account_clear(out);
    return ok;
}

bool p3_state_account(p3_state *s, const char *key, p3_known_account *out, p3_problem *why)
{
    *out = (p3_known_account){0};
    if (!find_account(s, key, out, why))
        return false;
    if (out->id != 0 || s->looks)
        return true;
    sqlite3_stmt *q = prepare_statement(s, "INSERT OR IGNORE INTO account(key) VALUES(?)", why);
    if (q == NULL)
        return false;
    sqlite3_bind_text(q, 1, key, -1, SQLITE_STATIC);
    bool ok = sqlite3_step(q) == SQLITE_DONE || describe_failure(s, "writing", why);
    reset_statement(q);
    return ok && find_account(s, key, out, why);
}

/* Appends octets, and a zero, to the text of the rows. */
static bool keep_text(p3_rows *rows, size_t *used, p3_room *room, const void *data, size_t len)
{
    if (!p3_grow(&rows->text, room, *used + len + 1, 1))
        return false;
    if (len > 0)
        memcpy(rows->text + *used, data, len);
    rows->text[*used + len] = '\0';
    *used += len + 1;
    return true;
}

static bool grow_rows(p3_rows *rows)
{
    return rows->count < P3_NO_ROW &&
           p3_grow(&rows->at, &rows->room, rows->count + 1, sizeof *rows->at);
}

uint32_t p3_rows_add(p3_rows *rows, pop3_str uid)
{
    if (!grow_rows(rows))
        return P3_NO_ROW;
    rows->at[rows->count] = (p3_row){.id = rows->next_id++, .uid = uid, .name = ""};
    return (uint32_t)rows->count++;
}

static p3_fingerprint fingerprint_of(sqlite3_stmt *q, int column)
{
    p3_fingerprint f = {{0}};
    if (sqlite3_column_bytes(q, column) == (int)sizeof f.octets)
        memcpy(f.octets, sqlite3_column_blob(q, column), sizeof f.octets);
    return f;
}

/* Reads one row. Texts are stored as lengths until all are read, because they may move. Only
 * intents have a name. */
static bool take_row(p3_rows *rows, sqlite3_stmt *q, size_t *used, p3_room *room)
{
    if (!grow_rows(rows))
        return false;
    p3_row *r = &rows->at[rows->count];
    *r = (p3_row){.id = sqlite3_column_int64(q, 0),
                  .uid = {NULL, (size_t)sqlite3_column_bytes(q, 1)},
                  .standing = (p3_standing)sqlite3_column_int(q, 2),
                  .time = time_of(q, 3),
                  .tries = (uint32_t)sqlite3_column_int(q, 5)};
    r->fingerprint = fingerprint_of(q, 4);
    int64_t octets = sqlite3_column_int64(q, 7);
    r->octets = octets > 0 ? (uint64_t)octets : 0;
    r->body = fingerprint_of(q, 8);
    r->common = sqlite3_column_int(q, 9) != 0;
    int64_t broke = time_of(q, 10);
    r->broke = broke > 0 && counts_since(broke, P3_WEEK) ? broke : 0;
    r->members = (uint16_t)sqlite3_column_int(q, 11);
    if (!keep_text(rows, used, room, sqlite3_column_blob(q, 1), r->uid.len))
        return false;
    if (p3_is_intent(r->standing)) {
        const void *name = sqlite3_column_text(q, 6);
        if (!keep_text(rows, used, room, name, (size_t)sqlite3_column_bytes(q, 6)))
            return false;
    }
    rows->count++;
    if (r->id >= rows->next_id)
        rows->next_id = r->id + 1;
    return true;
}

/* Sets the rows' pointers when the text does not move any more. */
static void point_rows(p3_rows *rows)
{
    const char *at = rows->text;
    for (size_t i = 0; i < rows->count; i++) {
        p3_row *r = &rows->at[i];
        r->uid.data = at;
        at += r->uid.len + 1;
        r->name = at - 1; /* an empty one */
        if (p3_is_intent(r->standing)) {
            r->name = at;
            at += strlen(at) + 1;
        }
    }
}

/* Rows of an account. No run assigns ids beyond these: such a row is damaged, and ignored. */
#define P3_OF_ACCOUNT "FROM message WHERE account=? AND id BETWEEN 1 AND 1099511627776 ORDER BY id"

/* The query for the messages of an account in a file of that version. */
static const char *rows_in(int64_t version)
{
    if (version >= 7)
        return "SELECT id, uid, standing, time, fingerprint, tries, name, octets, body, common, "
               "broke, members " P3_OF_ACCOUNT;
    if (version >= 6)
        return "SELECT id, uid, standing, time, fingerprint, tries, name, octets, body, common, "
               "broke, 0 " P3_OF_ACCOUNT;
    if (version >= 3)
        return "SELECT id, uid, standing, time, fingerprint, tries, name, octets, body, common, "
               "0, 0 " P3_OF_ACCOUNT;
    return "SELECT id, uid, standing, time, fingerprint, tries, name, 0, x'', 0, 0, "
           "0 " P3_OF_ACCOUNT;
}

bool p3_state_load(p3_state *s, int64_t account, p3_rows *out, p3_problem *why)
{
    size_t used = 0;
    p3_room room = {0};
    int step;
    *out = (p3_rows){.next_id = 1};
    sqlite3_stmt *q = prepare_statement(s, rows_in(s->version), why);
    if (q == NULL)
        return false;
    sqlite3_bind_int64(q, 1, account);
    bool ok = true;
    while (ok && (step = sqlite3_step(q)) != SQLITE_DONE) {
        if (step != SQLITE_ROW)
            ok = describe_failure(s, "reading", why);
        else if (!take_row(out, q, &used, &room))
            ok = p3_problem_set(why, EX_OSERR, "out of memory for what is known of the account");
    }
    reset_statement(q);
    if (ok)
        point_rows(out);
    else
        p3_rows_free(out);
    return ok;
}

void p3_rows_free(p3_rows *rows)
{
    free(rows->at);
    free(rows->text);
    *rows = (p3_rows){0};
}

bool p3_state_begin(p3_state *s, p3_problem *why)
{
    return run_sql(s, "BEGIN IMMEDIATE", "writing to", why);
}

/* A change failed: undoes the transaction. */
static bool roll_back(p3_state *s, p3_problem *why)
{
    (void)describe_failure(s, "writing to", why);
    (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* Executes a change whose values are bound. */
static bool carry_out(p3_state *s, sqlite3_stmt *q, p3_problem *why)
{
    bool ok = sqlite3_step(q) == SQLITE_DONE || roll_back(s, why);
    reset_statement(q);
    return ok;
}

bool p3_state_put(p3_state *s, int64_t account, const p3_row *row, p3_problem *why)
{
    sqlite3_stmt *q = prepare_statement(
        s, "INSERT OR REPLACE INTO message VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)", why);
    if (q == NULL)
        return roll_back(s, why);
    sqlite3_bind_int64(q, 1, account);
    sqlite3_bind_int64(q, 2, row->id);
    sqlite3_bind_blob(q, 3, row->uid.len > 0 ? row->uid.data : "", (int)row->uid.len,
                      SQLITE_STATIC);
    sqlite3_bind_int(q, 4, (int)row->standing);
    sqlite3_bind_int64(q, 5, row->time);
    sqlite3_bind_blob(q, 6, row->fingerprint.octets, sizeof row->fingerprint.octets, SQLITE_STATIC);
    sqlite3_bind_int(q, 7, (int)row->tries);
    sqlite3_bind_text(q, 8, row->name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 9, row->octets <= INT64_MAX ? (sqlite3_int64)row->octets : 0);
    sqlite3_bind_blob(q, 10, row->body.octets,
                      p3_fingerprint_known(&row->body) ? (int)sizeof row->body.octets : 0,
                      SQLITE_STATIC);
    sqlite3_bind_int(q, 11, row->common);
    sqlite3_bind_int64(q, 12, row->broke);
    sqlite3_bind_int(q, 13, row->members);
    return carry_out(s, q, why);
}

bool p3_state_forget(p3_state *s, int64_t account, int64_t id, p3_problem *why)
{
    sqlite3_stmt *q = prepare_statement(s, "DELETE FROM message WHERE account=? AND id=?", why);
    if (q == NULL)
        return roll_back(s, why);
    sqlite3_bind_int64(q, 1, account);
    sqlite3_bind_int64(q, 2, id);
    return carry_out(s, q, why);
}

bool p3_state_set_target(p3_state *s, int64_t account, const char *target, p3_problem *why)
{
    sqlite3_stmt *q =
        prepare_statement(s, "UPDATE account SET target=? WHERE id=? AND target IS NOT ?1", why);
    if (q == NULL || target == NULL)
        return roll_back(s, why);
    sqlite3_bind_text(q, 1, target, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 2, account);
    return carry_out(s, q, why);
}

static bool put_trait(p3_state *s, int64_t account, const char *name, int64_t value,
                      p3_problem *why)
{
    sqlite3_stmt *q = prepare_statement(s, "INSERT OR REPLACE INTO trait VALUES(?,?,?,?)", why);
    if (q == NULL)
        return roll_back(s, why);
    sqlite3_bind_int64(q, 1, account);
    sqlite3_bind_text(q, 2, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 3, value);
    sqlite3_bind_int64(q, 4, time(NULL));
    return carry_out(s, q, why);
}

bool p3_state_learn(p3_state *s, int64_t account, pop3_server_traits learned, p3_problem *why)
{
    for (uint32_t bit = 1; bit != 0; bit <<= 1) {
        const char *name = (learned.flags & bit) != 0 ? pop3_trait_name((pop3_trait)bit) : NULL;
        if (name != NULL && !put_trait(s, account, name, 1, why))
            return false;
    }
    return learned.quit_after == 0 || put_trait(s, account, quit_after, learned.quit_after, why);
}

bool p3_state_see(p3_state *s, int64_t account, p3_clock_record seen, p3_problem *why)
{
    sqlite3_stmt *q =
        prepare_statement(s, "UPDATE account SET seen=?, jumped=?, trusted=? WHERE id=?", why);
    if (q == NULL)
        return roll_back(s, why);
    sqlite3_bind_int64(q, 1, seen.last);
    sqlite3_bind_int64(q, 2, seen.jumped);
    sqlite3_bind_int64(q, 3, seen.trusted);
    sqlite3_bind_int64(q, 4, account);
    return carry_out(s, q, why);
}

bool p3_state_commit(p3_state *s, p3_problem *why)
{
    if (sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return true;
    return roll_back(s, why);
}

/* Syncs a file that may be missing. */
static bool sync_file(const char *path)
{
    int fd = p3_outside_open(path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return errno == ENOENT;
    bool ok = fsync(fd) == 0;
    int error = errno;
    (void)close(fd);
    errno = error;
    return ok;
}

/* Syncs the log and its directory; without a log, a transaction ends with the removal of a file.
 * Does not open the database itself, because closing the descriptor would release SQLite's locks.
 * The files are at the target of a symbolic link. */
bool p3_state_sync(p3_state *s, p3_problem *why)
{
    const char *path = sqlite3_db_filename(s->db, "main");
    return (sync_file(sqlite3_filename_wal(path)) && p3_sync_entry(path, p3_outside_open)) ||
           p3_problem_errno(why, errno, "syncing the state file %s", s->path);
}

bool p3_state_lock(p3_state *s, int64_t account, p3_problem *why)
{
    if (p3_lock_file_acquire(s->locks, account) == 0)
        return true;
    if (errno == EACCES || errno == EAGAIN)
        return p3_problem_set(
            why, EX_TEMPFAIL,
            "locking the account: another run is working on it; wait for its end");
    return p3_problem_errno(why, errno, "locking the account in %s", s->path);
}

void p3_state_unlock(p3_state *s, int64_t account)
{
    p3_lock_file_release(s->locks, account);
}
