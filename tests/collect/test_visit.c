/* Visits of libpop3-collect as programs see them, against the scripted server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pop3/collect.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "collect/in_a_loop.h"
#include "support/guard.h"
#include "support/scratch.h"
#include "support/server.h"
#include "support/text.h"

#define MESSAGES 5

/* pop3_visit(), or the same step by step: all holds for both. */
static pop3_collect_status (*visit_it)(const pop3_visit_options *options,
                                       pop3_visit_report *report) = pop3_visit;

/* ---- a target of a program's own: an array ---- */

/* Which function fails, and when. */
typedef enum deed {
    NOTHING,
    BEGIN,
    WRITE,
    FINISH,
    COMMIT,
    COMMIT_DONE, /* it fails, and has delivered all the same */
    FIND
} deed;

typedef struct held {
    char name[256];
    text octets;
} held;

typedef struct box {
    held kept[64];
    size_t count;
    unsigned begun;
    unsigned ended;
    unsigned found; /* calls of find */
    deed fails;
    unsigned after; /* so many calls of that */
    int error;      /* its errno */
    atomic_int inside;
    bool together; /* two functions ran at a time */
} box;

static void enter(box *b)
{
    b->together = b->together || atomic_fetch_add(&b->inside, 1) != 0;
}

static pop3_collect_status leave(box *b, deed what, pop3_collect_error *error)
{
    bool fails = b->fails == what && b->after-- == 0;
    atomic_fetch_sub(&b->inside, 1);
    if (!fails)
        return POP3_COLLECT_OK;
    b->fails = NOTHING;
    error->sys_errno = b->error;
    snprintf(error->message, sizeof error->message, "the box is\x1b full");
    return POP3_COLLECT_FILE;
}

static void end(box *b, held *h)
{
    b->ended++;
    free(h->octets.data);
    free(h);
}

static pop3_collect_status box_begin(void *ctx, const char *name, void **message,
                                     pop3_collect_error *error)
{
    box *b = ctx;
    enter(b);
    pop3_collect_status status = leave(b, BEGIN, error);
    if (status != POP3_COLLECT_OK)
        return status;
    held *h = calloc(1, sizeof *h);
    assert_non_null(h);
    assert_in_range(strlen(name), 1, 200);
    snprintf(h->name, sizeof h->name, "%s", name);
    b->begun++;
    *message = h;
    return POP3_COLLECT_OK;
}

static pop3_collect_status box_write(void *ctx, void *message, const char *data, size_t len,
                                     pop3_collect_error *error)
{
    enter(ctx);
    text_add(&((held *)message)->octets, data, len);
    return leave(ctx, WRITE, error);
}

static pop3_collect_status box_finish(void *ctx, void *message, pop3_collect_error *error)
{
    (void)message;
    enter(ctx);
    return leave(ctx, FINISH, error);
}

static void keep(box *b, const held *h)
{
    held *to = &b->kept[b->count++];
    assert_true(b->count <= sizeof b->kept / sizeof *b->kept);
    snprintf(to->name, sizeof to->name, "%s", h->name);
    to->octets = (text){0};
    text_add(&to->octets, h->octets.data, h->octets.len);
}

static pop3_collect_status box_commit(void *ctx, void *const *messages, size_t count,
                                      pop3_collect_error *error)
{
    box *b = ctx;
    enter(b);
    bool done = b->fails == COMMIT_DONE;
    pop3_collect_status status = leave(b, done ? COMMIT_DONE : COMMIT, error);
    for (size_t i = 0; i < count; i++) {
        if (status == POP3_COLLECT_OK || done)
            keep(b, messages[i]);
        end(b, messages[i]);
    }
    return status;
}

static void box_abort(void *ctx, void *message)
{
    pop3_collect_error none;
    enter(ctx);
    end(ctx, message);
    (void)leave(ctx, NOTHING, &none);
}

static pop3_collect_status box_find(void *ctx, const char *name, bool *there,
                                    pop3_collect_error *error)
{
    box *b = ctx;
    enter(b);
    b->found++;
    for (size_t i = 0; i < b->count; i++)
        *there = *there || strcmp(b->kept[i].name, name) == 0;
    return leave(b, FIND, error);
}

static void box_clear(box *b)
{
    while (b->count > 0)
        free(b->kept[--b->count].octets.data);
}

/* ---- a mailbox, and a visit to it ---- */

typedef struct fixture {
    server server;
    char mail[400];
    pop3_client_options connection;
    box box;
    pop3_target target;
    pop3_visit_options visit;
    pop3_visit_report report;
    int descriptors;
} fixture;

/* What is delivered of a message. */
static void message_text(int i, text *out)
{
    text_print(out, "Subject: number %d\nMessage-ID: <%d@example.org>\n\nline of %d\n.a dot\n", i,
               i, i);
}

static void put(const fixture *f, int i)
{
    char path[500];
    text t = {0};
    message_text(i, &t);
    snprintf(path, sizeof path, "%s/%03d", f->mail, i);
    assert_true(text_to_file(path, t.data, t.len));
    free(t.data);
}

static void start(fixture *f, const char *option, const char *value)
{
    const char *const options[] = {"--mail", f->mail, "--delete", option, value, NULL};
    assert_true(server_start(&f->server, NULL, options));
    f->connection.port = f->server.port;
}

static void stop_server(fixture *f)
{
    free(server_stop(&f->server));
}

static int set_up(void **state)
{
    static unsigned number;
    char name[40];
    fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    *state = f;
    snprintf(name, sizeof name, "mail-%u", ++number);
    snprintf(f->mail, sizeof f->mail, "%s", scratch_file(name));
    if (mkdir(f->mail, 0700) != 0)
        return -1;
    f->server = SERVER_NONE;
    f->connection = (pop3_client_options)POP3_CLIENT_OPTIONS_INIT;
    f->connection.host = "127.0.0.1";
    f->connection.security = POP3_SECURITY_PLAIN;
    f->connection.allow_plaintext_password = true;
    f->target = (pop3_target)POP3_TARGET_INIT;
    f->target.id = "box";
    f->target.ctx = &f->box;
    f->target.begin = box_begin;
    f->target.write = box_write;
    f->target.finish = box_finish;
    f->target.commit = box_commit;
    f->target.abort = box_abort;
    f->target.find = box_find;
    f->visit = (pop3_visit_options)POP3_VISIT_OPTIONS_INIT;
    f->visit.connection = &f->connection;
    f->visit.user = "user";
    f->visit.account = "the account";
    f->visit.password = "secret";
    snprintf(name, sizeof name, "visit-%u.db", number);
    f->visit.memory = strdup(scratch_file(name));
    f->visit.target = &f->target;
    for (int i = 0; i < MESSAGES; i++)
        put(f, i);
    f->descriptors = guard_descriptors();
    guard_begin();
    return f->visit.memory != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    stop_server(f);
    bool ok = guard_end(f->descriptors) && f->box.begun == f->box.ended && !f->box.together;
    if (!ok)
        fprintf(stderr, "begun %u, ended %u, together %d\n", f->box.begun, f->box.ended,
                f->box.together);
    box_clear(&f->box);
    free((char *)(uintptr_t)f->visit.memory);
    free(f);
    return ok ? 0 : -1;
}

static void visit(fixture *f, pop3_collect_status expected)
{
    f->report = (pop3_visit_report)POP3_VISIT_REPORT_INIT;
    pop3_collect_status status = visit_it(&f->visit, &f->report);
    assert_int_equal(f->report.error.status, status);
    assert_int_equal(f->report.error.message[0] == '\0', status == POP3_COLLECT_OK);
    if (status != expected)
        fail_msg("%s: %s", pop3_collect_status_name(status), f->report.error.message);
}

/* Whether the box has each message once. */
static void assert_complete(const fixture *f, int count)
{
    assert_int_equal(f->box.count, count);
    for (int i = 0; i < count; i++) {
        text t = {0};
        size_t times = 0;
        message_text(i, &t);
        for (size_t k = 0; k < f->box.count; k++)
            times += f->box.kept[k].octets.len == t.len &&
                     memcmp(f->box.kept[k].octets.data, t.data, t.len) == 0;
        free(t.data);
        assert_int_equal(times, 1);
    }
}

/* ---- what comes ---- */

static void each_message_comes_once(void **state)
{
    fixture *f = *state;
    start(f, NULL, NULL);
    visit(f, POP3_COLLECT_OK);
    assert_complete(f, MESSAGES);
    assert_int_equal(f->report.listed, MESSAGES);
    assert_int_equal(f->report.wanted, MESSAGES);
    assert_int_equal(f->report.retrieved, MESSAGES);
    assert_int_equal(f->report.delivered, MESSAGES);
    assert_int_equal(f->report.deleted, 0);
    visit(f, POP3_COLLECT_OK);
    assert_int_equal(f->report.delivered, 0);
    put(f, MESSAGES);
    f->visit.removal = POP3_REMOVAL_DELIVERED;
    visit(f, POP3_COLLECT_OK);
    assert_complete(f, MESSAGES + 1);
    assert_int_equal(f->report.deleted, MESSAGES + 1);
    visit(f, POP3_COLLECT_OK);
    assert_int_equal(f->report.listed, 0);
}

static void a_maildir_gets_each_message_once(void **state)
{
    fixture *f = *state;
    start(f, NULL, NULL);
    f->visit.target = NULL;
    f->visit.maildir = scratch_file("a-maildir");
    visit(f, POP3_COLLECT_OK);
    assert_int_equal(f->report.delivered, MESSAGES);
    visit(f, POP3_COLLECT_OK);
    assert_int_equal(f->report.delivered, 0);
}

static void what_a_program_remembered_by_itself_does_not_come(void **state)
{
    fixture *f = *state;
    pop3_seen *m = NULL;
    pop3_client *c = NULL;
    pop3_listing *l = NULL;
    start(f, NULL, NULL);
    assert_int_equal(pop3_client_new(&c, &f->connection), POP3_OK);
    assert_int_equal(pop3_client_connect(c), POP3_OK);
    assert_int_equal(pop3_client_user(c, "user"), POP3_OK);
    assert_int_equal(pop3_client_pass(c, "secret"), POP3_OK);
    assert_int_equal(pop3_client_uidl_all(c, &l), POP3_OK);
    assert_int_equal(pop3_seen_open(&m, f->visit.memory, "the account", NULL), POP3_COLLECT_OK);
    visit(f, POP3_COLLECT_TEMPORARY); /* it has the account */
    for (size_t i = 1; i < l->count; i++)
        assert_int_equal(pop3_seen_add(m, l->entries[i].uid, NULL), POP3_COLLECT_OK);
    pop3_str first = l->entries[0].uid;
    assert_int_equal(pop3_seen_save(m, NULL), POP3_COLLECT_OK);
    pop3_seen_close(m);
    assert_int_equal(pop3_client_quit(c), POP3_OK);
    visit(f, POP3_COLLECT_OK);
    assert_complete(f, 1);
    assert_int_equal(pop3_seen_open(&m, f->visit.memory, "the account", NULL), POP3_COLLECT_OK);
    assert_true(pop3_seen_contains(m, first)); /* and the other way round */
    pop3_seen_close(m);
    pop3_listing_free(l);
    pop3_client_free(c);
}

/* ---- a target that fails ---- */

static void fails_once(fixture *f, deed what, unsigned after)
{
    f->box.fails = what;
    f->box.after = after;
    visit(f, POP3_COLLECT_FILE);
    assert_non_null(strstr(f->report.error.message, "the box is full")); /* made fit to print */
    assert_int_equal(f->box.begun, f->box.ended);
    visit(f, POP3_COLLECT_OK);
    assert_complete(f, MESSAGES);
}

static void what_a_target_does_not_take_comes_again(void **state)
{
    static const struct {
        deed what;
        unsigned after;
    } cases[] = {{BEGIN, 0}, {BEGIN, 3}, {WRITE, 0}, {WRITE, 4}, {FINISH, 2}, {COMMIT, 0}};
    fixture *f = *state;
    char name[20];
    start(f, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(name, sizeof name, "account %zu", i);
        f->visit.account = name;
        fails_once(f, cases[i].what, cases[i].after);
        box_clear(&f->box);
    }
}

static void what_a_target_took_and_did_not_say_is_found(void **state)
{
    fixture *f = *state;
    start(f, NULL, NULL);
    fails_once(f, COMMIT_DONE, 0);
    assert_int_equal(f->box.found, MESSAGES);
    assert_int_equal(f->report.settled, MESSAGES);
    assert_int_equal(f->report.retrieved, 0);
}

static void a_target_that_cannot_be_asked_gets_it_again_under_its_name(void **state)
{
    fixture *f = *state;
    start(f, NULL, NULL);
    f->target.find = NULL;
    f->box.fails = COMMIT_DONE;
    visit(f, POP3_COLLECT_FILE);
    visit(f, POP3_COLLECT_OK);
    assert_int_equal(f->box.count, 2 * MESSAGES);
    for (size_t i = 0; i < MESSAGES; i++) {
        size_t times = 0;
        for (size_t k = MESSAGES; k < f->box.count; k++)
            times += strcmp(f->box.kept[i].name, f->box.kept[k].name) == 0;
        assert_int_equal(times, 1);
    }
}

static void nothing_is_retrieved_while_the_target_cannot_tell(void **state)
{
    fixture *f = *state;
    start(f, NULL, NULL);
    f->box.fails = COMMIT_DONE;
    visit(f, POP3_COLLECT_FILE);
    f->box.fails = FIND;
    f->box.after = 0;
    visit(f, POP3_COLLECT_FILE);
    assert_int_equal(f->report.retrieved, 0);
    visit(f, POP3_COLLECT_OK);
    assert_complete(f, MESSAGES);
}

static void a_message_that_is_too_large_for_the_target_is_left(void **state)
{
    fixture *f = *state;
    start(f, NULL, NULL);
    f->box.fails = WRITE;
    f->box.after = 2;
    f->box.error = EFBIG;
    visit(f, POP3_COLLECT_TEMPORARY);
    assert_int_equal(f->report.failed, 1);
    assert_int_equal(f->report.delivered, MESSAGES - 1);
    visit(f, POP3_COLLECT_OK);
    assert_complete(f, MESSAGES);
}

/* ---- another target ---- */

static void another_target_gets_what_the_caller_chooses(void **state)
{
    static const struct {
        pop3_visit_start start;
        unsigned delivered;
        unsigned passed_over;
    } cases[] = {{POP3_VISIT_FROM_NOW_ON, 0, MESSAGES},
                 {POP3_VISIT_FROM_THE_START, MESSAGES, 0},
                 {POP3_VISIT_CONTINUE, 0, 0}};
    fixture *f = *state;
    char account[20];
    start(f, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(account, sizeof account, "account %zu", i);
        f->visit.account = account;
        f->target.id = "one";
        f->visit.start = POP3_VISIT_ASK;
        visit(f, POP3_COLLECT_OK);
        f->target.id = "another";
        visit(f, POP3_COLLECT_ARGUMENT);
        assert_int_equal(f->report.delivered, 0);
        assert_null(strstr(f->report.error.message, "--"));
        assert_non_null(strstr(f->report.error.message, "the option `start` of the visit"));
        f->visit.start = cases[i].start;
        visit(f, POP3_COLLECT_OK);
        assert_int_equal(f->report.delivered, cases[i].delivered);
        assert_int_equal(f->report.passed_over, cases[i].passed_over);
        f->visit.start = POP3_VISIT_ASK;
        visit(f, POP3_COLLECT_OK);
        assert_int_equal(f->report.delivered, 0);
        box_clear(&f->box);
    }
}

/* ---- limits, secrets, the end ---- */

static void limits_leave_messages_to_later(void **state)
{
    fixture *f = *state;
    start(f, NULL, NULL);
    f->visit.limit = 2;
    visit(f, POP3_COLLECT_OK);
    assert_int_equal(f->report.delivered, 2);
    f->visit.limit = 0;
    f->visit.max_size = 10;
    visit(f, POP3_COLLECT_OK);
    assert_int_equal(f->report.skipped, MESSAGES - 2);
    f->visit.max_size = 0;
    visit(f, POP3_COLLECT_OK);
    assert_complete(f, MESSAGES);
}

static void lines_end_as_the_caller_says(void **state)
{
    fixture *f = *state;
    start(f, NULL, NULL);
    f->visit.line_ends = POP3_LINE_ENDS_CRLF;
    visit(f, POP3_COLLECT_OK);
    for (size_t i = 0; i < f->box.count; i++) {
        assert_int_equal(text_count(f->box.kept[i].octets.data, "\r\n"), 5);
        assert_int_equal(text_count(f->box.kept[i].octets.data, "\n"), 5);
    }
}

typedef struct asked {
    unsigned passwords;
    unsigned tokens;
    pop3_status gives;
} asked;

static pop3_status give_secret(void *ctx, pop3_secret_kind kind, const char *user, char *buffer,
                               size_t size, size_t *len)
{
    asked *a = ctx;
    assert_string_equal(user, "user");
    a->passwords += kind == POP3_SECRET_PASSWORD;
    a->tokens += kind == POP3_SECRET_TOKEN;
    assert_true(size >= 6);
    memcpy(buffer, "secret", 6);
    *len = 6;
    return a->gives;
}

static void the_secret_is_asked_for(void **state)
{
    fixture *f = *state;
    asked a = {.gives = POP3_OK};
    start(f, "--password", "secret");
    f->visit.password = NULL;
    visit(f, POP3_COLLECT_ARGUMENT); /* nobody to ask */
    f->visit.secret = give_secret;
    f->visit.secret_ctx = &a;
    visit(f, POP3_COLLECT_OK);
    assert_int_equal(a.passwords, 1);
    assert_int_equal(a.tokens, 0);
    a = (asked){.gives = POP3_ERR_NOT_OFFERED};
    visit(f, POP3_COLLECT_CREDENTIALS);
    assert_int_equal(a.passwords, 1);
    assert_int_equal(a.tokens, 1);
    a = (asked){.gives = POP3_ERR_CANCELLED};
    visit(f, POP3_COLLECT_CREDENTIALS);
    f->visit.password = "wrong-password";
    visit(f, POP3_COLLECT_CREDENTIALS);
    assert_null(strstr(f->report.error.message, "wrong-password"));
    assert_null(strstr(f->report.error.message, "--"));
    f->visit.password = "secret";
    f->connection.allow_plaintext_password = false;
    visit(f, POP3_COLLECT_CREDENTIALS);
    assert_null(strstr(f->report.error.message, "--"));
}

static void a_visit_ends_when_it_is_told_to(void **state)
{
    fixture *f = *state;
    int ends[2];
    start(f, NULL, NULL);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "", 1), 1);
    f->visit.stop_fd = ends[0];
    visit(f, POP3_COLLECT_TEMPORARY);
    assert_non_null(strstr(f->report.error.message, "stopped"));
    assert_null(strstr(f->report.error.message, "signal"));
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(close(ends[1]), 0);
    f->visit.stop_fd = -1;
    visit(f, POP3_COLLECT_OK);
    assert_complete(f, MESSAGES);
}

/* ---- what is told ---- */

typedef struct told {
    unsigned events[POP3_VISIT_WAITING + 1];
    uint64_t delivered;
} told;

static void note(void *ctx, const pop3_visit_notice *n)
{
    told *t = ctx;
    t->events[n->event]++;
    t->delivered = n->report->delivered;
    assert_non_null(n->text);
    if (n->event == POP3_VISIT_RETRIEVED)
        assert_true(n->number >= 1 && n->number <= MESSAGES && n->uid.len > 0 && n->octets > 0);
}

static void what_happens_is_told(void **state)
{
    fixture *f = *state;
    told t = {{0}, 0};
    start(f, NULL, NULL);
    f->visit.notice = note;
    f->visit.notice_ctx = &t;
    visit(f, POP3_COLLECT_OK);
    assert_int_equal(t.events[POP3_VISIT_CONNECTING], 1);
    assert_int_equal(t.events[POP3_VISIT_LISTED], 1);
    assert_int_equal(t.events[POP3_VISIT_RETRIEVED], MESSAGES);
    assert_true(t.events[POP3_VISIT_DELIVERED] >= 1);
    assert_int_equal(t.events[POP3_VISIT_FAILED], 0);
    assert_int_equal(t.delivered, MESSAGES);
}

/* A program that was built when the report ended earlier, or does not want one. */
static void a_report_is_filled_in_as_far_as_the_caller_knows_it(void **state)
{
    fixture *f = *state;
    start(f, NULL, NULL);
    memset(&f->report, 0x55, sizeof f->report);
    f->report.size = offsetof(pop3_visit_report, retrieved);
    assert_int_equal(pop3_visit(&f->visit, &f->report), POP3_COLLECT_OK);
    assert_int_equal(f->report.listed, MESSAGES);
    assert_int_equal(f->report.retrieved, UINT64_C(0x5555555555555555));
    f->visit.size = offsetof(pop3_visit_options, start);
    assert_int_equal(pop3_visit(&f->visit, NULL), POP3_COLLECT_OK);
    f->visit.size = sizeof f->visit;
}

/* ---- what cannot be used ---- */

static void refused(fixture *f, const char *part)
{
    visit(f, POP3_COLLECT_ARGUMENT);
    assert_non_null(strstr(f->report.error.message, part));
}

static void options_that_cannot_be_used_say_why(void **state)
{
    fixture *f = *state;
    pop3_visit_options good = f->visit;
    pop3_target target = f->target;
    assert_int_equal(pop3_visit(NULL, NULL), POP3_COLLECT_ARGUMENT);
    f->visit.size = 0;
    refused(f, "size");
    f->visit = good;
    f->visit.memory = NULL;
    refused(f, "memory");
    f->visit = good;
    f->visit.connection = NULL;
    refused(f, "connection");
    f->visit = good;
    f->visit.maildir = "/tmp";
    refused(f, "set either maildir or target");
    f->visit.maildir = f->visit.account = NULL;
    f->visit.user = NULL;
    refused(f, "user");
    f->visit = good;
    f->visit.account = "two\nlines";
    refused(f, "account's name");
    f->visit = good;
    f->visit.removal = (pop3_removal)9;
    refused(f, "removal");
    f->visit = good;
    f->visit.remove_after = -1;
    refused(f, "remove_after");
    f->visit = good;
    f->target.commit = NULL;
    refused(f, "commit");
    f->target = target;
    f->target.id = "";
    refused(f, "id");
    f->target = target;
    f->target.size = 1;
    refused(f, "size");
    f->target = target;
    f->connection.host = NULL;
    refused(f, "host");
    f->connection.host = "127.0.0.1";
    f->visit.memory = "/nowhere/at/all";
    free((char *)(uintptr_t)good.memory);
    good.memory = NULL;
    visit(f, POP3_COLLECT_FILE);
    f->visit = good;
}

/* ---- hostile servers, and many threads ---- */

static void a_line_that_breaks_anywhere_loses_nothing(void **state)
{
    fixture *f = *state;
    char octets[20];
    for (int n = 1; n < 1600; n += 97) {
        snprintf(octets, sizeof octets, "%d", n);
        start(f, n % 2 == 0 ? "--close-after" : "--reset-after", octets);
        f->report = (pop3_visit_report)POP3_VISIT_REPORT_INIT;
        (void)visit_it(&f->visit, &f->report);
        stop_server(f);
    }
    start(f, NULL, NULL);
    visit(f, POP3_COLLECT_OK);
    assert_complete(f, MESSAGES);
}

static void a_message_without_an_end_is_given_up(void **state)
{
    fixture *f = *state;
    static const char script[] = "on UIDL { line '+OK'; line '1 a'; line '.' }\n"
                                 "on RETR { line '+OK'; repeat 20000 { line 'for ever' } }\n"
                                 "serve\n";
    const char *const options[] = {"--mail", f->mail, NULL};
    assert_true(server_start(&f->server, script, options));
    f->connection.port = f->server.port;
    f->visit.message_limit = 100000;
    visit(f, POP3_COLLECT_SERVER);
    assert_null(strstr(f->report.error.message, "--"));
    assert_int_equal(f->box.count, 0);
}

typedef struct job {
    pthread_t thread;
    pop3_visit_options visit;
    box box;
    pop3_target target;
    char account[20];
    pop3_collect_status status;
    pop3_visit_report report;
} job;

static void *run_job(void *arg)
{
    job *j = arg;
    j->report = (pop3_visit_report)POP3_VISIT_REPORT_INIT;
    j->status = visit_it(&j->visit, &j->report);
    return NULL;
}

static void visits_in_many_threads_share_a_memory(void **state)
{
    enum { THREADS = 6 };
    fixture *f = *state;
    static job jobs[THREADS];
    start(f, NULL, NULL);
    for (int round = 0; round < 3; round++) {
        put(f, MESSAGES + round);
        for (int i = 0; i < THREADS; i++) {
            job *j = &jobs[i];
            snprintf(j->account, sizeof j->account, "account %d", i);
            j->target = f->target;
            j->target.ctx = &j->box;
            j->visit = f->visit;
            j->visit.account = j->account;
            j->visit.target = &j->target;
            assert_int_equal(pthread_create(&j->thread, NULL, run_job, j), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
            if (jobs[i].status != POP3_COLLECT_OK)
                fail_msg("%s", jobs[i].report.error.message);
            assert_int_equal(jobs[i].box.count, MESSAGES + 1 + round);
            assert_int_equal(jobs[i].box.begun, jobs[i].box.ended);
            assert_false(jobs[i].box.together);
        }
    }
    for (int i = 0; i < THREADS; i++)
        box_clear(&jobs[i].box);
}

/* A second visit of an account, in a thread of its own, while the first one is at work. */
typedef struct rival {
    job job;
    bool came;
} rival;

static void visit_meanwhile(void *ctx, const pop3_visit_notice *n)
{
    rival *r = ctx;
    if (n->event != POP3_VISIT_LISTED)
        return;
    r->came = true;
    assert_int_equal(pthread_create(&r->job.thread, NULL, run_job, &r->job), 0);
    assert_int_equal(pthread_join(r->job.thread, NULL), 0);
}

static void a_second_visit_to_an_account_is_told_that_another_has_it(void **state)
{
    fixture *f = *state;
    rival r = {.job = {.visit = f->visit, .target = f->target}};
    start(f, NULL, NULL);
    r.job.target.ctx = &r.job.box;
    r.job.visit.target = &r.job.target;
    f->visit.notice = visit_meanwhile;
    f->visit.notice_ctx = &r;
    visit(f, POP3_COLLECT_OK);
    assert_complete(f, MESSAGES);
    assert_true(r.came);
    assert_int_equal(r.job.status, POP3_COLLECT_TEMPORARY);
    assert_non_null(strstr(r.job.report.error.message, "another run"));
    assert_int_equal(r.job.report.retrieved, 0);
    assert_int_equal(r.job.box.begun, 0);
    r.job.visit.notice = NULL;
    (void)run_job(&r.job); /* afterwards it may, and finds nothing left to do */
    assert_int_equal(r.job.status, POP3_COLLECT_OK);
    assert_int_equal(r.job.report.retrieved, 0);
}

/* SQLite keeps /dev/null open in place of a standard descriptor that is closed: here that is done
 * before descriptors are counted. */
static void open_standard_descriptors(void)
{
    int fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR);
    close(fd);
}

/* ---- many in one loop ---- */

enum { LOOPED = 100 };

typedef struct crowd {
    looped visits[LOOPED];
    box boxes[LOOPED];
    pop3_target targets[LOOPED];
    char accounts[LOOPED][20];
} crowd;

static void begin_crowd(crowd *c, const fixture *f, int epoll)
{
    for (int i = 0; i < LOOPED; i++) {
        pop3_visit_options o = f->visit;
        snprintf(c->accounts[i], sizeof c->accounts[i], "account %d", i);
        c->targets[i] = f->target;
        c->targets[i].ctx = &c->boxes[i];
        o.account = c->accounts[i];
        o.target = &c->targets[i];
        loop_begin(&c->visits[i], &o, epoll);
        assert_non_null(c->visits[i].visit);
    }
}

static void a_hundred_visits_go_on_in_one_loop(void **state)
{
    fixture *f = *state;
    crowd *c = calloc(1, sizeof *c);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    start(f, NULL, NULL);
    assert_non_null(c);
    for (int round = 0; round < 2; round++) {
        put(f, MESSAGES + round);
        begin_crowd(c, f, epoll);
        while (loop_once(c->visits, LOOPED, epoll) > 0)
            continue;
        for (int i = 0; i < LOOPED; i++) {
            if (c->visits[i].status != POP3_COLLECT_OK)
                fail_msg("%s", c->visits[i].report.error.message);
            assert_int_equal(c->boxes[i].count, MESSAGES + 1 + round);
            assert_int_equal(c->boxes[i].begun, c->boxes[i].ended);
            assert_false(c->boxes[i].together);
        }
    }
    for (int i = 0; i < LOOPED; i++)
        box_clear(&c->boxes[i]);
    assert_int_equal(close(epoll), 0);
    free(c);
}

/* A pop3_visit_fn. */
static void count_retrieved(void *ctx, const pop3_visit_notice *n)
{
    *(unsigned *)ctx += n->event == POP3_VISIT_RETRIEVED;
}

static void a_visit_that_is_ended_early_keeps_what_has_come(void **state)
{
    fixture *f = *state;
    looped l;
    unsigned retrieved = 0;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    static const char script[] =
        "on 'RETR 3' { line '+OK'; repeat 9000 { line 'cut' }; delay 600000 }\n"
        "serve\n";
    const char *const options[] = {"--mail", f->mail, NULL};
    assert_true(server_start(&f->server, script, options));
    f->connection.port = f->server.port;
    f->visit.notice = count_retrieved;
    f->visit.notice_ctx = &retrieved;
    loop_begin(&l, &f->visit, epoll);
    while (retrieved < 2)
        assert_int_equal(loop_once(&l, 1, epoll), 1);
    loop_end(&l);
    assert_int_equal(l.status, POP3_COLLECT_TEMPORARY);
    assert_non_null(strstr(l.report.error.message, "stopped"));
    assert_int_equal(f->box.count, 2);
    assert_int_equal(close(epoll), 0);
    stop_server(f);
    start(f, NULL, NULL);
    visit(f, POP3_COLLECT_OK);
    assert_complete(f, MESSAGES);
}

static void *one_turn(void *arg)
{
    looped *l = arg;
    loop_once(l, 1, l->epoll);
    return NULL;
}

/* Each turn in a thread of its own, the end in the last of them. */
static void a_visit_may_go_from_thread_to_thread(void **state)
{
    fixture *f = *state;
    looped l;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    start(f, NULL, NULL);
    loop_begin(&l, &f->visit, epoll);
    while (l.visit != NULL) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, one_turn, &l), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    assert_int_equal(l.status, POP3_COLLECT_OK);
    assert_complete(f, MESSAGES);
    assert_int_equal(close(epoll), 0);
}

static void a_visit_may_be_ended_before_it_is_stepped(void **state)
{
    fixture *f = *state;
    looped l;
    loop_begin(&l, &f->visit, -1);
    assert_int_equal(pop3_visit_deadline(l.visit), 0);
    loop_end(&l);
    assert_int_equal(l.status, POP3_COLLECT_TEMPORARY);
    assert_int_equal(pop3_visit_end(NULL, NULL), POP3_COLLECT_OK);
}

#define VISIT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        VISIT(each_message_comes_once),
        VISIT(a_maildir_gets_each_message_once),
        VISIT(what_a_program_remembered_by_itself_does_not_come),
        VISIT(what_a_target_does_not_take_comes_again),
        VISIT(what_a_target_took_and_did_not_say_is_found),
        VISIT(a_target_that_cannot_be_asked_gets_it_again_under_its_name),
        VISIT(nothing_is_retrieved_while_the_target_cannot_tell),
        VISIT(a_message_that_is_too_large_for_the_target_is_left),
        VISIT(another_target_gets_what_the_caller_chooses),
        VISIT(limits_leave_messages_to_later),
        VISIT(lines_end_as_the_caller_says),
        VISIT(the_secret_is_asked_for),
        VISIT(a_visit_ends_when_it_is_told_to),
        VISIT(what_happens_is_told),
        VISIT(a_report_is_filled_in_as_far_as_the_caller_knows_it),
        VISIT(options_that_cannot_be_used_say_why),
        VISIT(a_line_that_breaks_anywhere_loses_nothing),
        VISIT(a_message_without_an_end_is_given_up),
        VISIT(visits_in_many_threads_share_a_memory),
        VISIT(a_second_visit_to_an_account_is_told_that_another_has_it),
        VISIT(a_hundred_visits_go_on_in_one_loop),
        VISIT(a_visit_that_is_ended_early_keeps_what_has_come),
        VISIT(a_visit_may_go_from_thread_to_thread),
        VISIT(a_visit_may_be_ended_before_it_is_stepped),
    };
    if (argc > 1 && strcmp(argv[1], "steps") == 0)
        visit_it = visit_in_a_loop;
    open_standard_descriptors();
    guard_install();
    int failed = cmocka_run_group_tests_name(argc > 1 ? "collect-visit-steps" : "collect-visit",
                                             tests, NULL, NULL);
    scratch_remove();
    return failed;
}
