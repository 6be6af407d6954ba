/* Targets when the disk, or somebody else, does what it should not: what is said, what is left, and
 * what the next run makes of it. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "deliver/mbox_lock.h"
#include "deliver/parcel.h"
#include "deliver/shares.h"
#include "deliver/target.h"
#include "system/lock.h"

/* The account that delivers. */
#define MARK  "0123456789abcdef"
#define OWNER ((p3_owner){MARK})

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/pop3-delivery-XXXXXX");
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* A path in the folder; valid until four more were asked for. */
static const char *in(const char *name)
{
    static char room[4][256];
    static unsigned at;
    char *out = room[at++ % 4];
    int len = snprintf(out, sizeof room[0], "%s/%s", folder, name);
    assert_in_range(len, 1, sizeof room[0] - 1);
    return out;
}

/* Opens a target by the text that the state has for it. */
static p3_delivery *open_text(const char *text, p3_problem *why)
{
    char copy[300];
    snprintf(copy, sizeof copy, "%s", text);
    p3_target t = p3_target_of_text(copy);
    return p3_target_open(&t, OWNER, why);
}

static p3_delivery *target(const char *kind, const char *name)
{
    char text[256];
    p3_problem why = {0};
    snprintf(text, sizeof text, "%s:%s/%s", kind, folder, name);
    p3_delivery *d = open_text(text, &why);
    if (d == NULL)
        fail_msg("%s", why.text);
    return d;
}

static void tidy(p3_target_kind kind, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    p3_target_tidy(&(p3_target){.kind = kind, .where = path}, OWNER);
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(in(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* What a file holds; "" when it is not there. */
static const char *get(const char *name)
{
    static char text[200000];
    FILE *f = fopen(in(name), "r");
    size_t n = f != NULL ? fread(text, 1, sizeof text - 1, f) : 0;
    text[n] = '\0';
    if (f != NULL)
        (void)fclose(f);
    return text;
}

static bool is_there(const char *name)
{
    struct stat st;
    return lstat(in(name), &st) == 0;
}

/* Writes one message. */
static bool write_message(p3_delivery *d, const char *name, const char *text, p3_parcel *out)
{
    p3_problem why = {0};
    *out = (p3_parcel){.fd = -1};
    bool ok = d->class->begin(d, name, "ann@example.org", &why) &&
              d->class->write(d, text, strlen(text), &why) && d->class->finish(d, out, &why);
    if (!ok) {
        assert_int_not_equal(why.exit, 0);
        assert_string_not_equal(why.text, "");
        d->class->abandon(d);
    }
    return ok;
}

/* Delivers parcels as one batch; returns what became of it. */
static p3_batch deliver(p3_delivery *d, p3_parcel *parcels, size_t count)
{
    p3_batch b = {.to = d, .parcels = parcels, .count = count};
    if (d->class->seal != NULL)
        d->class->seal(d, &b);
    d->class->deliver(&b);
    return b;
}

static void record(p3_delivery *d, p3_batch *b)
{
    if (d->class->recorded != NULL)
        d->class->recorded(d, b, b->problem.exit == 0);
}

/* Writes and delivers one message. */
static p3_problem deliver_one(p3_delivery *d, const char *name, const char *text)
{
    p3_parcel parcel;
    assert_true(write_message(d, name, text, &parcel));
    p3_batch b = deliver(d, &parcel, 1);
    record(d, &b);
    assert_int_equal(parcel.delivered, b.problem.exit == 0);
    return b.problem;
}

/* Runs with no file growing beyond `size`, as on a full disk. */
static void limit_files(rlim_t size)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void an_unknown_kind_of_target_is_a_mistake_in_the_configuration(void **state)
{
    p3_problem why = {0};
    (void)state;
    assert_null(open_text("carrier-pigeon:home", &why));
    assert_int_equal(why.exit, EX_CONFIG);
}

/* What the state has of earlier versions stays readable: these texts never change. */
static void a_target_in_the_state_is_read_as_it_was_written(void **state)
{
    static const struct {
        const char *text;
        p3_target target;
    } known[] = {
        {"maildir:/home/me/Mail: dir", {.kind = P3_TARGET_MAILDIR, .where = "/home/me/Mail: dir"}},
        {"mbox:box", {.kind = P3_TARGET_MBOX, .where = "box"}},
        {"command:cat >>mbox:out", {.kind = P3_TARGET_COMMAND, .where = "cat >>mbox:out"}},
        {"lmtp:unix:/l\na@b", {.kind = P3_TARGET_LMTP, .where = "unix:/l", .recipient = "a@b"}},
        {"lmtp:unix:/l", {.kind = P3_TARGET_LMTP, .where = "unix:/l"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char copy[64];
        strcpy(copy, known[i].text);
        p3_target read = p3_target_of_text(copy);
        assert_true(p3_target_equal(&read, &known[i].target));
        assert_true(p3_target_is_same_place(&read, &known[i].target));
        char *text = p3_target_text(&read);
        assert_string_equal(text, known[i].text);
        free(text);
    }
    assert_int_equal(p3_target_of_text((char[]){"maildirs:/m"}).kind, P3_TARGET_NONE);
    assert_int_equal(p3_target_of_text((char[]){"maildir"}).kind, P3_TARGET_NONE);
    assert_false(p3_target_equal(&known[0].target, &known[1].target));
    assert_false(p3_target_is_same_place(&known[0].target, &known[1].target));
    p3_target other = known[3].target;
    other.recipient = "c@b";
    assert_false(p3_target_is_same_place(&known[3].target, &other));
    assert_true(p3_target_is_same_place(&known[4].target, &other)); /* nobody was noted */
}

/* However a server is written, what is known of it counts. */
static void one_server_written_in_several_ways_is_one_target(void **state)
{
    static const struct {
        p3_target_kind kind;
        const char *one;
        const char *other;
        bool is_same;
    } cases[] = {
        {P3_TARGET_IMAP, "imaps://me%40x@h/INBOX", "IMAPS://me%40x@H.:993/", true},
        {P3_TARGET_IMAP, "imaps://me%40x@h/INBOX", "imaps://%6de%40x@h/%49nbox", true},
        {P3_TARGET_IMAP, "imaps://me@h", "imaps://me@h:0993//", true},
        {P3_TARGET_IMAP, "imap://me@h/A%20b", "imap://me@h:143/A%20%62/", true},
        {P3_TARGET_IMAP, "imaps://me@[::1]/a", "imaps://me@[::1]:993/a", true},
        {P3_TARGET_IMAP, "imaps://me@h/a", "imaps://me@h/A", false},
        {P3_TARGET_IMAP, "imaps://me@h/a", "imaps://me@h/a%2f", false},
        {P3_TARGET_IMAP, "imaps://me@h/a", "imaps://me@h/a/b", false},
        {P3_TARGET_IMAP, "imaps://me@h", "imaps://Me@h", false},
        {P3_TARGET_IMAP, "imaps://me@h", "imap://me@h", false},
        {P3_TARGET_IMAP, "imaps://me@h", "imaps://me@h:994", false},
        {P3_TARGET_IMAP, "imaps://me@h", "imaps://me@hh", false},
        {P3_TARGET_IMAP, "imaps://me@h", "nonsense", false},
        {P3_TARGET_SMTP, "smtps://me@h", "SMTPS://m%65@H:465/", true},
        {P3_TARGET_SMTP, "smtp://h", "smtp://h:587", true},
        {P3_TARGET_SMTP, "smtps://me@h", "smtps://h", false},
        {P3_TARGET_SMTP, "smtps://me@h", "smtps://me@h:587", false},
        {P3_TARGET_LMTP, "Dovecot:24", "dovecot.:024", true},
        {P3_TARGET_LMTP, "dovecot:24", "dovecot:25", false},
        {P3_TARGET_LMTP, "unix:/run/l", "unix:/run/L", false},
        {P3_TARGET_COMMAND, "Cat", "cat", false},
        {P3_TARGET_MAILDIR, "/M", "/m", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        p3_target one = {.kind = cases[i].kind, .where = (char *)(uintptr_t)cases[i].one};
        p3_target other = {.kind = cases[i].kind, .where = (char *)(uintptr_t)cases[i].other};
        if (p3_target_equal(&one, &other) != cases[i].is_same ||
            p3_target_is_same_place(&other, &one) != cases[i].is_same)
            fail_msg("%s and %s", one.where, other.where);
    }
}

/* ---- Maildir ---- */

static void a_maildir_is_made_with_its_missing_parents(void **state)
{
    (void)state;
    p3_delivery *d = target("maildir", "a/b/c");
    assert_int_equal(deliver_one(d, "1", "text").exit, 0);
    d->class->close(d);
    assert_string_equal(get("a/b/c/new/1"), "text");
    assert_true(is_there("a/b/c/cur"));
}

static void a_file_in_a_folders_place_is_said(void **state)
{
    p3_problem why = {0};
    char path[128];
    (void)state;
    put("file", "");
    snprintf(path, sizeof path, "maildir:%s/file/Maildir", folder);
    assert_null(open_text(path, &why));
    assert_non_null(strstr(why.text, "file/Maildir/tmp"));
    assert_int_equal(mkdir(in("M"), 0700), 0);
    put("M/cur", "");
    snprintf(path, sizeof path, "maildir:%s/M", folder);
    assert_null(open_text(path, &why));
    assert_non_null(strstr(why.text, "M/cur"));
}

static void a_message_that_a_cleaner_took_out_of_tmp_is_not_delivered(void **state)
{
    p3_parcel parcels[2];
    (void)state;
    p3_delivery *d = target("maildir", "M");
    assert_true(write_message(d, "1", "one", &parcels[0]));
    assert_true(write_message(d, "2", "two", &parcels[1]));
    assert_int_equal(unlink(in("M/tmp/1")), 0);
    p3_batch b = deliver(d, parcels, 2);
    assert_non_null(strstr(b.problem.text, "M/tmp/1"));
    assert_false(parcels[0].delivered || parcels[1].delivered);
    d->class->close(d);
}

static void a_folder_that_went_away_fails_the_batch(void **state)
{
    (void)state;
    p3_delivery *d = target("maildir", "M");
    assert_int_equal(rmdir(in("M/new")), 0);
    p3_problem problem = deliver_one(d, "1", "one");
    assert_non_null(strstr(problem.text, "moving a message into"));
    assert_int_equal(rmdir(in("M/tmp")), -1); /* the message is still there */
    d->class->close(d);
}

static void a_delivered_message_is_never_written_over(void **state)
{
    (void)state;
    p3_delivery *d = target("maildir", "M");
    put("M/new/1", "somebody else's");
    assert_int_not_equal(deliver_one(d, "1", "ours").exit, 0);
    assert_string_equal(get("M/new/1"), "somebody else's");
    d->class->close(d);
}

static void a_full_disk_leaves_nothing_in_tmp(void **state)
{
    static char text[5000];
    p3_parcel parcel;
    (void)state;
    memset(text, 'x', sizeof text - 1);
    p3_delivery *d = target("maildir", "M");
    limit_files(4096);
    bool written = write_message(d, "1", text, &parcel);
    limit_files(RLIM_INFINITY);
    assert_false(written);
    assert_false(is_there("M/tmp/1"));
    assert_int_equal(deliver_one(d, "2", text).exit, 0);
    d->class->close(d);
}

static void closing_leaves_a_finished_message_to_its_batch(void **state)
{
    p3_parcel parcel;
    (void)state;
    p3_delivery *d = target("maildir", "M");
    assert_true(write_message(d, "1", "one", &parcel));
    d->class->close(d);
    assert_true(is_there("M/tmp/1"));
}

static void many_messages_for_two_accounts_in_one_maildir_are_delivered_together(void **state)
{
    enum { MANY = 60 };
    static p3_parcel parcels[2][MANY];
    static char names[2][MANY][16];
    p3_delivery *d[2];
    p3_batch b[2];
    p3_batch *list[] = {&b[0], &b[1]};
    (void)state;
    for (size_t k = 0; k < 2; k++) {
        d[k] = target("maildir", "M");
        for (size_t i = 0; i < MANY; i++) {
            snprintf(names[k][i], sizeof names[k][i], "%zu.%zu", k, i);
            assert_true(write_message(d[k], names[k][i], "text", &parcels[k][i]));
        }
        b[k] = (p3_batch){.to = d[k], .parcels = parcels[k], .count = MANY};
    }
    d[0]->class->deliver_all(list, 2);
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(b[k].problem.exit, 0);
        for (size_t i = 0; i < MANY; i++)
            assert_true(parcels[k][i].delivered);
        d[k]->class->close(d[k]);
    }
}

/* What is read back of a message. */
typedef struct p3_copy_of {
    char text[20000];
    size_t len;
} p3_copy_of;

static void copy_piece(void *ctx, const char *data, size_t len)
{
    p3_copy_of *c = ctx;
    assert_true(len <= sizeof c->text - c->len);
    memcpy(c->text + c->len, data, len);
    c->len += len;
}

static void reads_back(p3_delivery *d, const char *name, const char *text)
{
    p3_copy_of copy = {.len = 0};
    assert_true(d->class->read_back(d, name, copy_piece, &copy));
    assert_int_equal(copy.len, strlen(text));
    assert_memory_equal(copy.text, text, copy.len);
}

static void leftovers_in_a_maildir_are_found_whatever_a_reader_did_with_them(void **state)
{
    p3_left_over left[] = {{.name = "4"}, {.name = "2"}, {.name = "3"}, {.name = "1"}};
    p3_problem why = {0};
    (void)state;
    p3_delivery *d = target("maildir", "M");
    put("M/new/1", "Subject: one\n\ntext");
    put("M/cur/2:2,S", "two");
    put("M/tmp/3", "thr");
    assert_true(d->class->settle(d, left, 4, &why));
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(left[i].there, left[i].name[0] <= '2');
    assert_false(is_there("M/tmp/3"));
    reads_back(d, "1", "Subject: one\n\ntext");
    reads_back(d, "2", "two");
    reads_back(d, "3", "");
    d->class->close(d);
}

/* Puts a file into a Maildir, or (`text` is NULL) asks whether it is there. */
static bool in_maildir(const char *where, const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "M/%s/%s", where, name);
    if (text != NULL)
        put(path, text);
    return is_there(path);
}

static void what_no_intent_names_goes_from_tmp_when_this_account_has_made_it(void **state)
{
    p3_names names;
    p3_name_list ours;
    p3_name_list others;
    p3_problem why = {0};
    (void)state;
    assert_int_equal(p3_names_init(&names), 0);
    assert_true(p3_name_list_init(&ours, &names, 2, OWNER));
    assert_true(p3_name_list_init(&others, &names, 1, (p3_owner){"fedcba9876543210"}));
    p3_name_list_add(&ours, &names);
    p3_name_list_add(&ours, &names);
    p3_name_list_add(&others, &names);
    const char *unnamed = p3_name_list_at(&ours, 0);
    const char *named = p3_name_list_at(&ours, 1);
    const char *stays[] = {p3_name_list_at(&others, 0), "1700000000.M1P2.host", MARK,
                           "1700000000.R0123456789abcdefO" MARK "Q7.another-host"};
    for (int settles = 0; settles < 2; settles++) {
        p3_delivery *d = target("maildir", "M");
        p3_left_over left = {.name = named};
        for (size_t i = 0; i < sizeof stays / sizeof *stays; i++)
            assert_true(in_maildir("tmp", stays[i], "of somebody else"));
        assert_true(in_maildir("tmp", unnamed, "half"));
        assert_true(in_maildir("tmp", named, "delivered"));
        assert_true(in_maildir("new", named, "delivered"));
        if (settles)
            assert_true(d->class->settle(d, &left, 1, &why));
        else
            tidy(P3_TARGET_MAILDIR, "M");
        assert_int_equal(left.there, settles);
        for (size_t i = 0; i < sizeof stays / sizeof *stays; i++)
            assert_true(in_maildir("tmp", stays[i], NULL));
        assert_false(in_maildir("tmp", unnamed, NULL));
        assert_false(in_maildir("tmp", named, NULL));
        assert_true(in_maildir("new", named, NULL));
        d->class->close(d);
    }
    tidy(P3_TARGET_MAILDIR, "none");
    assert_false(is_there("none"));
    p3_name_list_free(&ours);
    p3_name_list_free(&others);
}

static void a_leftover_that_cannot_be_removed_is_said(void **state)
{
    p3_left_over left = {.name = "1"};
    p3_problem why = {0};
    (void)state;
    p3_delivery *d = target("maildir", "M");
    assert_int_equal(mkdir(in("M/tmp/1"), 0700), 0);
    assert_false(d->class->settle(d, &left, 1, &why));
    assert_non_null(strstr(why.text, "removing"));
    d->class->close(d);
}

/* ---- mbox ---- */

static void an_abandoned_message_leaves_no_trace_between_two_others(void **state)
{
    p3_parcel parcels[2];
    p3_problem why = {0};
    static char text[100000];
    (void)state;
    memset(text, 'x', sizeof text - 1);
    p3_delivery *d = target("mbox", "box");
    d->class->abandon(d); /* nothing was begun */
    assert_true(write_message(d, "1", "one\n", &parcels[0]));
    assert_true(d->class->begin(d, "x", "", &why));
    assert_true(d->class->write(d, text, sizeof text - 1, &why)); /* more than the buffer holds */
    d->class->abandon(d);
    assert_true(d->class->begin(d, "y", "", &why));
    d->class->abandon(d);
    assert_true(write_message(d, "2", ">From two", &parcels[1]));
    p3_batch b = deliver(d, parcels, 2);
    record(d, &b);
    assert_int_equal(b.problem.exit, 0);
    const char *box = get("box");
    assert_null(strstr(box, "xxxx"));
    assert_null(strstr(box, "MAILER-DAEMON"));
    assert_non_null(strstr(box, "\none\n\nFrom ann@example.org "));
    assert_non_null(strstr(box, "\n>>From two\n\n"));
    assert_false(is_there("box.pop3-" MARK "-1"));
    d->class->close(d);
}

static void a_message_without_a_sender_is_the_mailer_daemons(void **state)
{
    p3_problem why = {0};
    p3_parcel parcel = {.fd = -1};
    (void)state;
    p3_delivery *d = target("mbox", "box");
    assert_true(d->class->begin(d, "1", "", &why) && d->class->finish(d, &parcel, &why));
    p3_batch b = deliver(d, &parcel, 1);
    record(d, &b);
    assert_memory_equal(get("box"), "From MAILER-DAEMON ", 19);
    d->class->close(d);
}

static void closing_removes_a_spool_of_which_nothing_was_handed_in(void **state)
{
    p3_parcel parcel;
    (void)state;
    p3_delivery *d = target("mbox", "box");
    assert_true(write_message(d, "1", "one", &parcel));
    assert_true(is_there("box.pop3-" MARK "-1"));
    d->class->close(d);
    assert_false(is_there("box.pop3-" MARK "-1"));
    assert_false(is_there("box"));
}

static void an_mbox_in_a_missing_folder_or_that_is_a_folder_is_said(void **state)
{
    p3_parcel parcel;
    (void)state;
    p3_delivery *d = target("mbox", "missing/box");
    assert_false(write_message(d, "1", "one", &parcel));
    d->class->close(d);
    assert_int_equal(mkdir(in("folder"), 0700), 0);
    d = target("mbox", "folder");
    p3_problem problem = deliver_one(d, "1", "one");
    assert_non_null(strstr(problem.text, "opening"));
    assert_false(is_there("folder.lock"));
    d->class->close(d);
}

static void a_folder_that_went_away_before_an_mbox_was_locked_is_said(void **state)
{
    p3_parcel parcel;
    (void)state;
    assert_int_equal(mkdir(in("a"), 0700), 0);
    p3_delivery *d = target("mbox", "a/box");
    assert_true(write_message(d, "1", "one", &parcel));
    assert_int_equal(rename(in("a"), in("b")), 0);
    p3_batch b = deliver(d, &parcel, 1);
    record(d, &b);
    assert_non_null(strstr(b.problem.text, "locking"));
    assert_false(parcel.delivered);
    d->class->close(d);
}

static void a_full_disk_cuts_an_mbox_back_and_the_next_run_finds_nothing_delivered(void **state)
{
    static char before[60001];
    static char text[20000];
    p3_left_over left[] = {{.name = "1"}, {.name = "2"}};
    p3_problem why = {0};
    p3_parcel parcel;
    (void)state;
    memset(before, 'b', sizeof before - 1);
    memset(text, 'x', sizeof text - 1);
    put("box", before);
    p3_delivery *d = target("mbox", "box");
    assert_true(write_message(d, "1", text, &parcel));
    limit_files(65536); /* the spool fits, not all of it behind what is there */
    p3_batch b = deliver(d, &parcel, 1);
    limit_files(RLIM_INFINITY);
    record(d, &b);
    assert_int_equal(b.problem.exit, EX_TEMPFAIL);
    assert_false(parcel.delivered);
    assert_string_equal(get("box"), before);
    assert_true(is_there("box.pop3-" MARK "-1"));
    d->class->close(d);

    d = target("mbox", "box");
    assert_true(d->class->settle(d, left, 2, &why));
    assert_false(left[0].there || left[1].there);
    d->class->recorded(d, NULL, true);
    assert_false(is_there("box.pop3-" MARK "-1"));
    assert_string_equal(get("box"), before);
    d->class->close(d);
}

/* Two messages as they are in a spool. */
#define ONE "From ann Thu Jan  1 00:00:00 2026\nSubject: one\n\nfirst\n\n"
#define TWO "From bob Thu Jan  1 00:00:01 2026\nSubject: two\n\nsecond\n\n"

/* The spool of messages "1" and "other", appended at an offset behind so many line ends, as a crash
 * leaves it. */
static void leave_spool(const char *name, const char *messages, unsigned offset, unsigned missing)
{
    char text[400];
    snprintf(text, sizeof text, "%s%s\nother\n%020zu %020u %u end\n", messages, name,
             strlen(messages), offset, missing);
    char file[32];
    snprintf(file, sizeof file, "box.pop3-" MARK "-%s", name);
    put(file, text);
}

/* What the next run finds out about messages "1" and "other" when the mbox was left like that: a
 * bit for each. */
static int settle_spool(const char *messages, unsigned missing, const char *box, size_t size,
                        const char *after)
{
    p3_left_over left[] = {{.name = "1"}, {.name = "other"}, {.name = "zzz"}};
    p3_problem why = {0};
    FILE *f = fopen(in("box"), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(box, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
    leave_spool("1", messages, 4, missing);
    p3_delivery *d = target("mbox", "box");
    if (!d->class->settle(d, left, 3, &why))
        fail_msg("%s", why.text);
    assert_false(left[2].there);
    assert_string_equal(get("box"), after);
    assert_true(is_there("box.pop3-" MARK "-1"));
    d->class->recorded(d, NULL, true);
    assert_false(is_there("box.pop3-" MARK "-1"));
    d->class->close(d);
    return left[0].there | left[1].there << 1;
}

static bool settle_box(const char *box, const char *after)
{
    return settle_spool(ONE, 0, box, strlen(box), after) == 1;
}

static void what_a_crash_appended_is_kept_when_whole_and_cut_off_when_not(void **state)
{
    (void)state;
    assert_true(settle_box("old\n" ONE, "old\n" ONE));
    assert_true(settle_box("old\n" ONE "From another\n", "old\n" ONE "From another\n"));
    assert_false(settle_box("old\n", "old\n"));
    assert_false(settle_box("old\nFrom ann", "old\n"));
    /* Somebody has written behind it: cutting would take that away. */
    assert_false(settle_box("old\nFrom annFrom another\n", "old\nFrom annFrom another\n"));
    assert_false(settle_box("", "")); /* the mbox was emptied meanwhile */
}

/* A file system that lost power may have the new length and not the new octets. */
static void
what_was_torn_by_a_power_cut_is_cut_off_and_whole_messages_before_it_are_kept(void **state)
{
    char hole[] = "old\n" ONE TWO;
    const size_t second = 4 + strlen(ONE);
    memset(hole + second + 8, 0, 10);
    static const char nothing[] = "old\n\0\0\0\0\0\0";
    (void)state;
    assert_int_equal(settle_spool(ONE TWO, 0, hole, second + 30, "old\n" ONE), 1);
    assert_int_equal(settle_spool(ONE TWO, 0, nothing, sizeof nothing - 1, "old\n"), 0);
    /* The line end that ends foreign mail belongs to what is appended. */
    assert_int_equal(settle_spool(ONE, 1, "old\n\nFrom", 9, "old\n"), 0);
    assert_int_equal(settle_spool(ONE, 1, "old\n", 4, "old\n"), 0);
    assert_int_equal(settle_spool(ONE, 1, "old\n\n" ONE, 5 + strlen(ONE), "old\n\n" ONE), 1);
}

static void what_readers_do_to_an_mbox_after_a_crash_is_left_alone_and_seen_through(void **state)
{
    static const char last_removed[] = "old\n" ONE;
    static const char all_before_removed[] = ONE TWO;
    static const char marked[] =
        "old\n\nFrom ann Thu Jan  1 00:00:00 2026\nSubject: one\nStatus: RO\nX-UID: 7\n  folded\n\n"
        "first\n\nFrom bob Thu Jan  1 00:00:01 2026\nContent-Length: 7\nSubject: two\n\nsecond\n";
    static const char changed[] =
        "old\n\nFrom ann Thu Jan  1 00:00:00 2026\nSubject: one\n\nfirst!\n\n" TWO;
    (void)state;
    assert_int_equal(settle_spool(ONE TWO, 0, last_removed, sizeof last_removed - 1, last_removed),
                     1);
    assert_int_equal(settle_spool(ONE TWO, 0, all_before_removed, sizeof all_before_removed - 1,
                                  all_before_removed),
                     3);
    assert_int_equal(settle_spool(ONE TWO, 0, marked, sizeof marked - 1, marked), 3);
    assert_int_equal(settle_spool(ONE TWO, 0, changed, sizeof changed - 1, changed), 2);
    /* A message that is there once counts once. */
    assert_int_equal(settle_spool(ONE ONE, 0, "\n" ONE, 1 + strlen(ONE), "\n" ONE), 1);
}

static void a_spool_that_never_got_its_trailer_is_removed_and_others_are_left_alone(void **state)
{
    static const char *const unfinished[] = {
        "",
        "12345",
        "12345\n99999999999999999999 00000000000000000000 0 end\n",
        "00000000000000000009 00000000000000000004 0 end\n",
        "00000000000000000000 00000000000000000004 3 end\n",
        "0000000000000000000x 00000000000000000004 0 end\n"};
    p3_left_over left = {.name = "1"};
    p3_problem why = {0};
    (void)state;
    put("box", "old\n");
    put("box.pop3-9", "of a run that is at work");
    put("other.pop3-1", "of another mbox");
    for (size_t i = 0; i < sizeof unfinished / sizeof *unfinished; i++) {
        put("box.pop3-" MARK "-1", unfinished[i]);
        p3_delivery *d = target("mbox", "box");
        assert_true(d->class->settle(d, &left, 1, &why));
        assert_false(left.there);
        assert_false(is_there("box.pop3-" MARK "-1"));
        d->class->close(d);
    }
    assert_true(is_there("box.pop3-9"));
    assert_true(is_there("other.pop3-1"));
}

static void an_mbox_whose_folder_is_gone_cannot_be_settled(void **state)
{
    p3_left_over left = {.name = "1"};
    p3_problem why = {0};
    (void)state;
    p3_delivery *d = target("mbox", "missing/box");
    assert_false(d->class->settle(d, &left, 1, &why));
    assert_non_null(strstr(why.text, "reading the directory of"));
    d->class->close(d);
}

static void a_spool_that_cannot_be_settled_is_kept_for_the_next_run(void **state)
{
    p3_left_over left = {.name = "1"};
    p3_problem why = {0};
    (void)state;
    assert_int_equal(mkdir(in("box"), 0700), 0);
    leave_spool("1", ONE, 4, 0);
    p3_delivery *d = target("mbox", "box");
    assert_false(d->class->settle(d, &left, 1, &why));
    d->class->close(d);
    assert_true(is_there("box.pop3-" MARK "-1"));
}

static void set_time(const char *name, time_t when)
{
    const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};
    assert_int_equal(utimensat(AT_FDCWD, in(name), times, 0), 0);
}

static void put_old(const char *name, const char *text)
{
    put(name, text);
    set_time(name, 1);
}

/* Locks the mbox and dies: its lock stays, and the file that became it. */
static void leave_lock(void)
{
    p3_mbox_lock lock;
    p3_problem why;
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(p3_mbox_lock_acquire(&lock, in("box"), &why) ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(link(in("box.lock"), in("box.pop3-lock-1-a")), 0);
}

static void what_no_intent_names_goes_from_beside_an_mbox_and_what_may_be_needed_stays(void **state)
{
    p3_left_over left = {.name = "1"};
    p3_problem why = {0};
    (void)state;
    for (int intents = 0; intents < 2; intents++) {
        leave_lock();
        put("box.pop3-lock-1-b", "");                               /* just being made, */
        set_time("box.pop3-lock-1-b", time(NULL));                  /* whatever the clock says */
        put_old("box.pop3-lock-1-c", "1\npop3 616ee2e8-6fb1 402");  /* cut in the middle */
        leave_spool("7", ONE, 4, 0);                                /* recorded as delivered */
        put("box.pop3-" MARK "-8", "not sealed");                   /* nothing of it was appended */
        put("box.pop3-fedcba9876543210-9", "another account's");    /* and what it knows by */
        put("box.pop3-" MARK "7", "not ours: no account has this"); /* mark */
        put("box2.pop3-" MARK "-7", "of another mbox");
        p3_delivery *d = target("mbox", "box");
        if (intents > 0)
            assert_true(d->class->settle(d, &left, 1, &why));
        else
            tidy(P3_TARGET_MBOX, "box");
        d->class->close(d);
        assert_false(is_there("box.lock"));
        assert_false(is_there("box.pop3-lock-1-a"));
        assert_false(is_there("box.pop3-" MARK "-7"));
        assert_false(is_there("box.pop3-" MARK "-8"));
        assert_true(is_there("box.pop3-lock-1-b"));
        assert_false(is_there("box.pop3-lock-1-c"));
        assert_true(is_there("box.pop3-fedcba9876543210-9"));
        assert_true(is_there("box.pop3-" MARK "7"));
        assert_true(is_there("box2.pop3-" MARK "-7"));
    }
}

static void a_lock_that_is_held_or_another_programs_is_left_alone(void **state)
{
    p3_mbox_lock lock;
    p3_problem why;
    char text[32];
    (void)state;
    assert_true(p3_mbox_lock_acquire(&lock, in("box"), &why));
    tidy(P3_TARGET_MBOX, "box");
    assert_true(is_there("box.lock"));
    p3_mbox_lock_release(&lock);
    snprintf(text, sizeof text, "%d\n", INT_MAX); /* no process has this number */
    put("box.lock", text);
    tidy(P3_TARGET_MBOX, "box");
    assert_true(is_there("box.lock"));
}

/* Descriptors of this process that are open on a file. */
static unsigned open_on(const struct stat *file)
{
    unsigned count = 0;
    for (int fd = 0; fd < 256; fd++) {
        struct stat st;
        count += fstat(fd, &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
    }
    return count;
}

/* A thread that locks an mbox. */
typedef struct locker {
    char path[256];
    p3_mbox_lock lock;
    bool locked;
} locker;

static void *lock_box(void *ctx)
{
    locker *l = ctx;
    p3_problem why = {0};
    l->locked = p3_mbox_lock_acquire(&l->lock, l->path, &why);
    return NULL;
}

/* What is appended to the file that had been there would be seen by nobody. */
static void an_mbox_that_a_reader_replaces_while_it_has_it_locked_is_opened_again(void **state)
{
    locker l;
    pthread_t waiting;
    struct stat st;
    struct stat locked;
    (void)state;
    snprintf(l.path, sizeof l.path, "%s", in("box"));
    put("box", "From a\n\nold\n\n");
    int reader = open(l.path, O_RDWR | O_CLOEXEC);
    assert_true(reader >= 0 && fstat(reader, &st) == 0);
    assert_int_equal(p3_lock_acquire(reader, 0, 0), 0);
    assert_int_equal(pthread_create(&waiting, NULL, lock_box, &l), 0);
    while (open_on(&st) < 2) /* it waits for the lock */
        (void)sched_yield();
    put("box.new", "From a\n\nnew\n\n");
    assert_int_equal(rename(in("box.new"), l.path), 0);
    p3_lock_end(reader);
    assert_int_equal(close(reader), 0);
    assert_int_equal(pthread_join(waiting, NULL), 0);
    assert_true(l.locked);
    assert_int_equal(stat(l.path, &st), 0);
    assert_int_equal(fstat(l.lock.fd, &locked), 0);
    assert_int_equal(locked.st_ino, st.st_ino);
    p3_mbox_lock_release(&l.lock);
}

/* Else, of two that find it stale, the second removes the lock that the first has made since. */
static void a_stale_lock_is_removed_only_by_who_has_the_mbox(void **state)
{
    (void)state;
    leave_lock();
    int fd = open(in("box"), O_RDWR | O_CLOEXEC);
    assert_int_equal(p3_lock_acquire(fd, 0, 0), 0);
    tidy(P3_TARGET_MBOX, "box");
    assert_true(is_there("box.lock"));
    p3_lock_end(fd);
    assert_int_equal(close(fd), 0);
    tidy(P3_TARGET_MBOX, "box");
    assert_false(is_there("box.lock"));
}

/* ---- several places for a message ---- */

static bool finish_well(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    (void)d;
    (void)out;
    (void)why;
    return true;
}

static bool finish_badly(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    (void)d;
    (void)out;
    return p3_problem_set(why, EX_IOERR, "no");
}

static void abandon_nothing(p3_delivery *d)
{
    (void)d;
}

static bool ends_all(p3_shares *s, size_t place, const p3_problem *why)
{
    (void)s;
    (void)place;
    (void)why;
    return false;
}

static void what_one_place_has_of_a_message_that_another_lost_is_in_no_batch(void **state)
{
    static const p3_delivery_class good = {.finish = finish_well, .abandon = abandon_nothing};
    static const p3_delivery_class bad = {.finish = finish_badly, .abandon = abandon_nothing};
    p3_delivery places[2] = {{.class = &good}, {.class = &good}};
    p3_shares s = {.parts = {{.delivery = &places[0]}, {.delivery = &places[1]}}, .count = 2};
    p3_problem why = {0};
    (void)state;
    for (int message = 0; message < 2; message++) {
        p3_parcel parcel = {.fd = -1};
        for (size_t i = 0; i < 2; i++) {
            s.parts[i].in_hand = true;
            assert_true(p3_shares_make_room(&s, i));
        }
        assert_int_equal(p3_shares_finish(&s, &parcel, 0, ends_all, &why), message == 0);
        places[1].class = &bad;
    }
    p3_shares_abandon(&s.base);
    assert_int_equal(s.filled, 1);
    assert_int_equal(s.at[0].batch.count, 1);
    assert_int_equal(s.at[1].batch.count, 1);
    p3_shares_free(&s, s.at);
}

/* ---- command ---- */

static p3_parcel run_command(const char *command)
{
    char text[256];
    p3_problem why = {0};
    p3_parcel parcel;
    snprintf(text, sizeof text, "command:%s", command);
    p3_delivery *d = open_text(text, &why);
    assert_non_null(d);
    assert_true(write_message(d, "1", "the message", &parcel));
    (void)deliver(d, &parcel, 1);
    (void)close(parcel.fd);
    free(parcel.sender);
    d->class->close(d);
    return parcel;
}

static void check_refusal(const char *command, int status, const char *told)
{
    p3_parcel parcel = run_command(command);
    assert_false(parcel.delivered);
    assert_non_null(parcel.problem);
    assert_int_equal(parcel.problem->exit, status);
    assert_non_null(strstr(parcel.problem->text, told));
    free(parcel.problem);
}

static void a_command_is_told_apart_by_how_it_ends(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "cat >'%s'", in("out"));
    p3_parcel parcel = run_command(command);
    assert_true(parcel.delivered);
    assert_null(parcel.problem);
    assert_string_equal(get("out"), "the message");
    check_refusal("exit 75", EX_TEMPFAIL, "asks to try again later");
    check_refusal("exit 3", EX_UNAVAILABLE, "ended with status 3");
    check_refusal("kill -KILL $$", EX_UNAVAILABLE, "ended with status 137");
    check_refusal("/nonexistent/command 2>/dev/null", EX_UNAVAILABLE, "ended with status 127");
}

static void a_message_for_a_command_needs_a_place_to_be_kept(void **state)
{
    static char text[5000];
    p3_problem why = {0};
    p3_parcel parcel;
    (void)state;
    memset(text, 'x', sizeof text - 1);
    p3_delivery *d = open_text("command:cat >/dev/null", &why);
    assert_int_equal(setenv("TMPDIR", in("missing"), 1), 0);
    bool kept = write_message(d, "1", "text", &parcel);
    assert_int_equal(setenv("TMPDIR", "not/absolute", 1), 0); /* /tmp is used */
    limit_files(4096);
    bool fitted = write_message(d, "2", text, &parcel);
    limit_files(RLIM_INFINITY);
    assert_int_equal(setenv("TMPDIR", folder, 1), 0);
    assert_true(write_message(d, "3", text, &parcel));
    assert_int_equal(unsetenv("TMPDIR"), 0);
    assert_false(kept || fitted);
    (void)deliver(d, &parcel, 1);
    assert_true(parcel.delivered);
    (void)close(parcel.fd);
    free(parcel.sender);
    d->class->close(d);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_unknown_kind_of_target_is_a_mistake_in_the_configuration),
        TEST(a_target_in_the_state_is_read_as_it_was_written),
        TEST(one_server_written_in_several_ways_is_one_target),
        TEST(a_maildir_is_made_with_its_missing_parents),
        TEST(a_file_in_a_folders_place_is_said),
        TEST(a_message_that_a_cleaner_took_out_of_tmp_is_not_delivered),
        TEST(a_folder_that_went_away_fails_the_batch),
        TEST(a_delivered_message_is_never_written_over),
        TEST(a_full_disk_leaves_nothing_in_tmp),
        TEST(closing_leaves_a_finished_message_to_its_batch),
        TEST(many_messages_for_two_accounts_in_one_maildir_are_delivered_together),
        TEST(leftovers_in_a_maildir_are_found_whatever_a_reader_did_with_them),
        TEST(what_no_intent_names_goes_from_tmp_when_this_account_has_made_it),
        TEST(a_leftover_that_cannot_be_removed_is_said),
        TEST(an_abandoned_message_leaves_no_trace_between_two_others),
        TEST(a_message_without_a_sender_is_the_mailer_daemons),
        TEST(closing_removes_a_spool_of_which_nothing_was_handed_in),
        TEST(an_mbox_in_a_missing_folder_or_that_is_a_folder_is_said),
        TEST(a_folder_that_went_away_before_an_mbox_was_locked_is_said),
        TEST(a_full_disk_cuts_an_mbox_back_and_the_next_run_finds_nothing_delivered),
        TEST(what_a_crash_appended_is_kept_when_whole_and_cut_off_when_not),
        TEST(what_was_torn_by_a_power_cut_is_cut_off_and_whole_messages_before_it_are_kept),
        TEST(what_readers_do_to_an_mbox_after_a_crash_is_left_alone_and_seen_through),
        TEST(a_spool_that_never_got_its_trailer_is_removed_and_others_are_left_alone),
        TEST(an_mbox_whose_folder_is_gone_cannot_be_settled),
        TEST(a_spool_that_cannot_be_settled_is_kept_for_the_next_run),
        TEST(what_no_intent_names_goes_from_beside_an_mbox_and_what_may_be_needed_stays),
        TEST(a_lock_that_is_held_or_another_programs_is_left_alone),
        TEST(a_stale_lock_is_removed_only_by_who_has_the_mbox),
        TEST(what_one_place_has_of_a_message_that_another_lost_is_in_no_batch),
        TEST(an_mbox_that_a_reader_replaces_while_it_has_it_locked_is_opened_again),
        TEST(a_command_is_told_apart_by_how_it_ends),
        TEST(a_message_for_a_command_needs_a_place_to_be_kept),
    };
    return cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
}
