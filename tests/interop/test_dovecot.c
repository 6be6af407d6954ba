/* The client against a real server: Dovecot with sixty awkward messages, in the clear, with STLS
 * and under TLS. Started by dovecot.py, which says in the environment where the server is. */
#include <pop3/pop3.h>

#include <dirent.h>
#include <openssl/evp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

enum { MESSAGES = 60 };

/* The ways to connect; each test runs with each. */
typedef enum way { WAY_PLAIN, WAY_STLS, WAY_TLS } way;

/* A test's client, and the files with the octets that it must receive. */
typedef struct session {
    way how;
    pop3_client *client;
    pop3_tls *tls;
} session;

static char *wire_files[MESSAGES];

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "%s is not set: run this through dovecot.py\n", name);
        exit(2);
    }
    return value;
}

/* Fails with the client's own sentence. */
static void must(pop3_client *c, pop3_status status)
{
    if (status != POP3_OK)
        fail_msg("%s: %s", pop3_status_name(status), pop3_client_error(c)->message);
}

static pop3_client *new_client(session *s)
{
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    char why[200];
    pop3_tls_options t = POP3_TLS_OPTIONS_INIT;
    t.ca_file = setting("POP3_TEST_CA_FILE");
    if (s->tls == NULL && pop3_tls_new(&s->tls, &t, why, sizeof why) != POP3_OK)
        fail_msg("%s", why);
    bool tls = s->how == WAY_TLS;
    o.host = setting("POP3_TEST_HOST");
    o.port = (uint16_t)atoi(setting(tls ? "POP3_TEST_TLS_PORT" : "POP3_TEST_PORT"));
    o.security =
        tls ? POP3_SECURITY_TLS : (s->how == WAY_STLS ? POP3_SECURITY_STLS : POP3_SECURITY_PLAIN);
    o.tls = s->tls;
    o.allow_plaintext_password = true;
    pop3_client *c;
    assert_int_equal(pop3_client_new(&c, &o), POP3_OK);
    return c;
}

/* The n-th account of those that may be changed; 0 is the one all share. */
static const char *user(int n)
{
    static char names[1024];
    if (n == 0)
        return setting("POP3_TEST_USER");
    snprintf(names, sizeof names, "%s", setting("POP3_TEST_USERS"));
    char *name = strtok(names, " ");
    while (--n > 0 && name != NULL)
        name = strtok(NULL, " ");
    assert_non_null(name);
    return name;
}

static void log_in(session *s, int n)
{
    must(s->client, pop3_client_connect(s->client));
    must(s->client, pop3_client_user(s->client, user(n)));
    must(s->client, pop3_client_pass(s->client, setting("POP3_TEST_PASSWORD")));
}

static int set_up(void **state)
{
    session *s = *state; /* the way to connect is given as the initial state */
    s->client = new_client(s);
    return 0;
}

static int tear_down(void **state)
{
    session *s = *state;
    pop3_client_free(s->client);
    pop3_tls_free(s->tls);
    s->client = NULL;
    s->tls = NULL;
    return 0;
}

/* Digests, as twenty megabytes are not compared octet by octet in a message of a failed test. */

typedef struct digest {
    EVP_MD_CTX *md;
    unsigned char value[32];
} digest;

static void digest_begin(digest *d)
{
    d->md = EVP_MD_CTX_new();
    assert_non_null(d->md);
    assert_int_equal(EVP_DigestInit_ex(d->md, EVP_sha256(), NULL), 1);
}

static pop3_sink_result digest_add(void *ctx, const char *data, size_t len)
{
    digest *d = ctx;
    return EVP_DigestUpdate(d->md, data, len) == 1 ? POP3_SINK_CONTINUE : POP3_SINK_ABORT;
}

static void digest_end(digest *d)
{
    unsigned len;
    assert_int_equal(EVP_DigestFinal_ex(d->md, d->value, &len), 1);
    EVP_MD_CTX_free(d->md);
}

static uint64_t digest_file(const char *path, digest *d)
{
    static char buffer[1 << 16];
    uint64_t total = 0;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    digest_begin(d);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0; total += n)
        assert_int_equal(digest_add(d, buffer, n), POP3_SINK_CONTINUE);
    assert_false(ferror(f));
    fclose(f);
    digest_end(d);
    return total;
}

static void assert_same_as_file(const digest *d, uint32_t number)
{
    digest expected;
    digest_file(wire_files[number - 1], &expected);
    if (memcmp(d->value, expected.value, sizeof expected.value) != 0)
        fail_msg("message %u differs from %s", (unsigned)number, wire_files[number - 1]);
}

/* Tests */

static void the_greeting_has_a_timestamp_for_apop(void **state)
{
    session *s = *state;
    must(s->client, pop3_client_connect(s->client));
    pop3_str greeting = pop3_client_greeting(s->client);
    assert_true(greeting.len > 4 && memcmp(greeting.data, "+OK ", 4) == 0);
    assert_non_null(memchr(greeting.data, '<', greeting.len));
    must(s->client, pop3_client_quit(s->client));
}

static void the_connection_is_encrypted_when_it_was_asked_to_be(void **state)
{
    session *s = *state;
    must(s->client, pop3_client_connect(s->client));
    assert_int_equal(pop3_client_is_encrypted(s->client), s->how != WAY_PLAIN);
}

static void capabilities_are_parsed_before_and_after_login(void **state)
{
    session *s = *state;
    const pop3_capabilities *caps;
    must(s->client, pop3_client_connect(s->client));
    must(s->client, pop3_client_capa(s->client, &caps));
    assert_true(caps->flags & POP3_CAP_PIPELINING);
    assert_true(caps->flags & POP3_CAP_UIDL);
    assert_true(caps->flags & POP3_CAP_TOP);
    assert_int_equal((caps->flags & POP3_CAP_STLS) != 0, s->how == WAY_PLAIN);
    assert_true(pop3_capabilities_have_sasl(caps, "SCRAM-SHA-256"));
    assert_true(pop3_capabilities_have(caps, "resp-codes"));
    must(s->client, pop3_client_user(s->client, user(0)));
    must(s->client, pop3_client_pass(s->client, setting("POP3_TEST_PASSWORD")));
    assert_null(pop3_client_capabilities(s->client));
    must(s->client, pop3_client_capa(s->client, &caps));
    assert_true(caps->line_count > 3);
}

static void stls_protects_a_plain_connection(void **state)
{
    session *s = *state;
    must(s->client, pop3_client_connect(s->client));
    pop3_status status = pop3_client_stls(s->client);
    if (s->how == WAY_PLAIN)
        must(s->client, status);
    else
        assert_int_equal(status, POP3_ERR_STATE); /* under TLS already */
    assert_true(pop3_client_is_encrypted(s->client));
    /* STLS asked the capabilities again, now under TLS */
    assert_int_equal(pop3_client_capabilities(s->client) != NULL, s->how != WAY_TLS);
    must(s->client, pop3_client_user(s->client, user(0)));
    must(s->client, pop3_client_pass(s->client, setting("POP3_TEST_PASSWORD")));
    must(s->client, pop3_client_quit(s->client));
}

static void apop_logs_in_without_sending_the_password(void **state)
{
    session *s = *state;
    must(s->client, pop3_client_connect(s->client));
    must(s->client, pop3_client_apop(s->client, user(0), setting("POP3_TEST_PASSWORD")));
    assert_int_equal(pop3_client_state(s->client), POP3_STATE_TRANSACTION);
    must(s->client, pop3_client_stat(s->client, NULL));
}

static void a_wrong_password_is_refused_with_the_code_auth(void **state)
{
    session *s = *state;
    must(s->client, pop3_client_connect(s->client));
    must(s->client, pop3_client_user(s->client, user(0)));
    assert_int_equal(pop3_client_pass(s->client, "not it"), POP3_ERR_REFUSED);
    assert_int_equal(pop3_client_error(s->client)->code, POP3_CODE_AUTH);
    assert_null(strstr(pop3_client_error(s->client)->message, "not it"));
    /* the connection is good: the right one works */
    must(s->client, pop3_client_user(s->client, user(0)));
    must(s->client, pop3_client_pass(s->client, setting("POP3_TEST_PASSWORD")));
}

static void rpop_is_refused_by_a_server_that_does_not_know_it(void **state)
{
    session *s = *state;
    must(s->client, pop3_client_connect(s->client));
    assert_int_equal(pop3_client_rpop(s->client, "somebody"), POP3_ERR_REFUSED);
    assert_false(pop3_client_reply(s->client)->ok);
}

static void utf8_and_lang_are_answered_one_way_or_the_other(void **state)
{
    session *s = *state;
    const pop3_capabilities *caps;
    must(s->client, pop3_client_connect(s->client));
    must(s->client, pop3_client_capa(s->client, &caps));
    pop3_status expected = caps->flags & POP3_CAP_UTF8 ? POP3_OK : POP3_ERR_REFUSED;
    assert_int_equal(pop3_client_utf8(s->client), expected);
    expected = caps->flags & POP3_CAP_LANG ? POP3_OK : POP3_ERR_REFUSED;
    assert_int_equal(pop3_client_lang(s->client, "*"), expected);
}

static void stat_counts_the_messages(void **state)
{
    session *s = *state;
    pop3_stat drop;
    log_in(s, 0);
    must(s->client, pop3_client_stat(s->client, &drop));
    assert_int_equal(drop.count, MESSAGES);
    assert_true(drop.octets > 20 * 1000 * 1000);
    assert_true(pop3_client_reply(s->client)->ok);
}

static void list_of_all_and_of_one_agree(void **state)
{
    session *s = *state;
    pop3_listing *sizes;
    uint64_t sum = 0;
    pop3_stat drop;
    log_in(s, 0);
    must(s->client, pop3_client_list_all(s->client, &sizes));
    assert_int_equal(sizes->count, MESSAGES);
    for (uint32_t n = 1; n <= MESSAGES; n++) {
        pop3_entry one;
        assert_int_equal(sizes->entries[n - 1].number, n);
        must(s->client, pop3_client_list_one(s->client, n, &one));
        assert_int_equal(one.octets, sizes->entries[n - 1].octets);
        sum += one.octets;
    }
    must(s->client, pop3_client_stat(s->client, &drop));
    assert_int_equal(sum, drop.octets);
    pop3_listing_free(sizes);
}

static void uidl_of_all_and_of_one_agree_and_are_unique(void **state)
{
    session *s = *state;
    pop3_listing *uids;
    log_in(s, 0);
    must(s->client, pop3_client_uidl_all(s->client, &uids));
    assert_int_equal(uids->count, MESSAGES);
    for (uint32_t n = 1; n <= MESSAGES; n++) {
        pop3_entry one;
        must(s->client, pop3_client_uidl_one(s->client, n, &one));
        assert_int_equal(one.uid.len, uids->entries[n - 1].uid.len);
        assert_memory_equal(one.uid.data, uids->entries[n - 1].uid.data, one.uid.len);
        for (uint32_t k = 1; k < n; k++)
            assert_string_not_equal(uids->entries[k - 1].uid.data, uids->entries[n - 1].uid.data);
    }
    pop3_listing_free(uids);
}

static void every_awkward_message_comes_octet_for_octet(void **state)
{
    session *s = *state;
    log_in(s, 0);
    for (uint32_t n = 1; n <= MESSAGES; n++) {
        digest d;
        digest_begin(&d);
        must(s->client, pop3_client_retr(s->client, n, digest_add, &d));
        digest_end(&d);
        assert_same_as_file(&d, n);
    }
    must(s->client, pop3_client_quit(s->client));
}

/* What retr_many's handlers gather: a digest for each message in turn. */
typedef struct many {
    digest current;
    bool begun;
    uint32_t over;
} many;

static pop3_sink_result many_sink(void *ctx, const char *data, size_t len)
{
    many *m = ctx;
    if (!m->begun)
        digest_begin(&m->current);
    m->begun = true;
    return digest_add(&m->current, data, len);
}

static void many_done(void *ctx, pop3_client *c, const pop3_result *result)
{
    many *m = ctx;
    must(c, result->status);
    if (!m->begun)
        digest_begin(&m->current);
    digest_end(&m->current);
    m->begun = false;
    m->over++;
    assert_int_equal(result->number, m->over);
    assert_same_as_file(&m->current, result->number);
}

static void every_awkward_message_comes_pipelined_too(void **state)
{
    session *s = *state;
    uint32_t numbers[MESSAGES];
    many m = {.over = 0};
    pop3_handlers h = POP3_HANDLERS_INIT;
    h.sink = many_sink;
    h.done = many_done;
    h.ctx = &m;
    for (uint32_t n = 1; n <= MESSAGES; n++)
        numbers[n - 1] = n;
    log_in(s, 0);
    must(s->client, pop3_client_retr_many(s->client, numbers, MESSAGES, &h));
    assert_int_equal(m.over, MESSAGES);
}

static pop3_sink_result count_lines(void *ctx, const char *data, size_t len)
{
    size_t *lines = ctx;
    for (size_t i = 0; i < len; i++)
        *lines += data[i] == '\n';
    return POP3_SINK_CONTINUE;
}

static void top_gives_header_and_as_many_lines_as_asked(void **state)
{
    session *s = *state;
    size_t none = 0;
    size_t three = 0;
    log_in(s, 0);
    /* the largest message has lines enough */
    uint32_t n = 1;
    pop3_listing *sizes;
    must(s->client, pop3_client_list_all(s->client, &sizes));
    for (uint32_t i = 1; i <= MESSAGES; i++) {
        if (sizes->entries[i - 1].octets > sizes->entries[n - 1].octets)
            n = i;
    }
    pop3_listing_free(sizes);
    must(s->client, pop3_client_top(s->client, n, 0, count_lines, &none));
    must(s->client, pop3_client_top(s->client, n, 3, count_lines, &three));
    assert_int_equal(three, none + 3);
}

static void a_message_that_is_not_there_is_refused(void **state)
{
    session *s = *state;
    log_in(s, 0);
    assert_int_equal(pop3_client_retr(s->client, MESSAGES + 1, NULL, NULL), POP3_ERR_REFUSED);
    assert_int_equal(pop3_client_dele(s->client, UINT32_MAX), POP3_ERR_REFUSED);
    assert_int_equal(pop3_client_top(s->client, MESSAGES + 1, 1, NULL, NULL), POP3_ERR_REFUSED);
    assert_int_equal(pop3_client_list_one(s->client, MESSAGES + 1, NULL), POP3_ERR_REFUSED);
    must(s->client, pop3_client_noop(s->client));
}

static void rset_takes_deletions_back(void **state)
{
    session *s = *state;
    pop3_stat drop;
    log_in(s, 0);
    must(s->client, pop3_client_dele(s->client, 1));
    must(s->client, pop3_client_dele(s->client, 2));
    assert_int_equal(pop3_client_deletions(s->client), 2);
    must(s->client, pop3_client_stat(s->client, &drop));
    assert_int_equal(drop.count, MESSAGES - 2);
    must(s->client, pop3_client_rset(s->client));
    assert_int_equal(pop3_client_deletions(s->client), 0);
    must(s->client, pop3_client_stat(s->client, &drop));
    assert_int_equal(drop.count, MESSAGES);
    must(s->client, pop3_client_quit(s->client));
}

static void close_without_quit_deletes_nothing_and_quit_does(void **state)
{
    session *s = *state;
    pop3_stat drop;
    int account = 1 + (int)s->how; /* one for each way: this one is changed */
    log_in(s, account);
    must(s->client, pop3_client_dele(s->client, 1));
    pop3_client_close(s->client);
    log_in(s, account);
    must(s->client, pop3_client_stat(s->client, &drop));
    assert_int_equal(drop.count, MESSAGES);
    must(s->client, pop3_client_dele(s->client, 1));
    must(s->client, pop3_client_dele(s->client, 60));
    must(s->client, pop3_client_quit(s->client));
    assert_int_equal(pop3_client_state(s->client), POP3_STATE_DEAD);
    log_in(s, account);
    must(s->client, pop3_client_stat(s->client, &drop));
    assert_int_equal(drop.count, MESSAGES - 2);
    /* what was number 2 is number 1 now */
    digest d;
    digest_begin(&d);
    must(s->client, pop3_client_retr(s->client, 1, digest_add, &d));
    digest_end(&d);
    assert_same_as_file(&d, 2);
}

static void an_unknown_command_is_refused_and_the_session_goes_on(void **state)
{
    session *s = *state;
    log_in(s, 0);
    assert_int_equal(pop3_client_raw(s->client, "XTND"), POP3_ERR_REFUSED);
    must(s->client, pop3_client_raw(s->client, "NOOP"));
    must(s->client, pop3_client_raw_list(s->client, "LIST", NULL, NULL));
    must(s->client, pop3_client_stat(s->client, NULL));
}

static void a_message_fits_into_memory_or_hits_the_limit(void **state)
{
    session *s = *state;
    char *data;
    size_t len;
    digest expected;
    log_in(s, 0);
    uint64_t size = digest_file(wire_files[9], &expected);
    must(s->client, pop3_client_retr_memory(s->client, 10, (size_t)size, &data, &len));
    assert_int_equal(len, size);
    free(data);
    assert_int_equal(pop3_client_retr_memory(s->client, 10, (size_t)size - 1, &data, &len),
                     POP3_ERR_LIMIT);
    must(s->client, pop3_client_noop(s->client));
}

static pop3_sink_result want_no_more(void *ctx, const char *data, size_t len)
{
    (void)ctx;
    (void)data;
    (void)len;
    return POP3_SINK_DISCARD;
}

static void a_sink_that_wants_no_more_leaves_the_connection_good(void **state)
{
    session *s = *state;
    log_in(s, 0);
    for (uint32_t n = 1; n <= MESSAGES; n++) {
        pop3_status status = pop3_client_retr(s->client, n, want_no_more, NULL);
        assert_int_equal(status, POP3_ERR_CANCELLED);
    }
    must(s->client, pop3_client_stat(s->client, NULL));
}

/* Only what an application with an event loop calls. */
static void the_event_loop_interface_fetches_the_mailbox(void **state)
{
    session *s = *state;
    many m = {.over = 0};
    pop3_handlers h = POP3_HANDLERS_INIT;
    h.sink = many_sink;
    h.done = many_done;
    h.ctx = &m;
    must(s->client, pop3_client_start(s->client));
    pop3_command command = POP3_COMMAND_INIT;
    command.kind = POP3_CMD_USER;
    command.text = (pop3_str){user(0), strlen(user(0))};
    must(s->client, pop3_client_submit(s->client, &command, NULL));
    command.kind = POP3_CMD_PASS;
    command.text.data = setting("POP3_TEST_PASSWORD");
    command.text.len = strlen(command.text.data);
    must(s->client, pop3_client_submit(s->client, &command, NULL));
    command.kind = POP3_CMD_RETR;
    command.text = (pop3_str){NULL, 0};
    for (command.number = 1; command.number <= MESSAGES; command.number++)
        must(s->client, pop3_client_submit(s->client, &command, &h));
    while (pop3_client_step(s->client) == POP3_PENDING) {
        pop3_waitable waits[POP3_MAX_WAITABLES];
        struct pollfd fds[POP3_MAX_WAITABLES];
        size_t n = pop3_client_waitables(s->client, waits, POP3_MAX_WAITABLES);
        for (size_t i = 0; i < n; i++) {
            int events = (waits[i].read ? POLLIN : 0) | (waits[i].write ? POLLOUT : 0);
            fds[i] = (struct pollfd){.fd = waits[i].fd, .events = (short)events};
        }
        poll(fds, (nfds_t)n, pop3_client_deadline(s->client));
    }
    assert_int_equal(pop3_client_error(s->client)->status, POP3_OK);
    assert_int_equal(m.over, MESSAGES);
}

static void a_certificate_of_an_unknown_authority_is_not_accepted(void **state)
{
    session *s = *state;
    pop3_client_free(s->client);
    pop3_tls_free(s->tls);
    assert_int_equal(pop3_tls_new(&s->tls, NULL, NULL, 0), POP3_OK); /* the system's authorities */
    s->client = new_client(s);
    pop3_status status = pop3_client_connect(s->client);
    if (s->how == WAY_PLAIN) {
        must(s->client, status);
        status = pop3_client_stls(s->client);
    }
    assert_int_equal(status, POP3_ERR_CERTIFICATE);
    assert_int_equal(pop3_client_state(s->client), POP3_STATE_DEAD);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_message(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

static void find_wire_files(void)
{
    const char *folder = setting("POP3_TEST_MAIL_DIR");
    struct dirent **names;
    int n = scandir(folder, &names, is_message, by_name);
    if (n != MESSAGES) {
        fprintf(stderr, "%s has %d messages, not %d\n", folder, n, MESSAGES);
        exit(2);
    }
    for (int i = 0; i < n; i++) {
        size_t size = strlen(folder) + strlen(names[i]->d_name) + 2;
        wire_files[i] = malloc(size);
        if (wire_files[i] == NULL)
            exit(2);
        snprintf(wire_files[i], size, "%s/%s", folder, names[i]->d_name);
        free(names[i]);
    }
    free(names);
}

int main(void)
{
    static session ways[] = {{.how = WAY_PLAIN}, {.how = WAY_STLS}, {.how = WAY_TLS}};
    static const char *const way_names[] = {"plain", "STLS", "TLS"};
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        TEST(the_greeting_has_a_timestamp_for_apop),
        TEST(the_connection_is_encrypted_when_it_was_asked_to_be),
        TEST(capabilities_are_parsed_before_and_after_login),
        TEST(stls_protects_a_plain_connection),
        TEST(apop_logs_in_without_sending_the_password),
        TEST(a_wrong_password_is_refused_with_the_code_auth),
        TEST(rpop_is_refused_by_a_server_that_does_not_know_it),
        TEST(utf8_and_lang_are_answered_one_way_or_the_other),
        TEST(stat_counts_the_messages),
        TEST(list_of_all_and_of_one_agree),
        TEST(uidl_of_all_and_of_one_agree_and_are_unique),
        TEST(every_awkward_message_comes_octet_for_octet),
        TEST(every_awkward_message_comes_pipelined_too),
        TEST(top_gives_header_and_as_many_lines_as_asked),
        TEST(a_message_that_is_not_there_is_refused),
        TEST(rset_takes_deletions_back),
        TEST(close_without_quit_deletes_nothing_and_quit_does),
        TEST(an_unknown_command_is_refused_and_the_session_goes_on),
        TEST(a_message_fits_into_memory_or_hits_the_limit),
        TEST(a_sink_that_wants_no_more_leaves_the_connection_good),
        TEST(the_event_loop_interface_fetches_the_mailbox),
        TEST(a_certificate_of_an_unknown_authority_is_not_accepted),
    };
    enum { COUNT = sizeof tests / sizeof tests[0] };
    static struct CMUnitTest all[3 * COUNT];
    static char names[3 * COUNT][120];
    find_wire_files();
    for (size_t w = 0; w < 3; w++) {
        for (size_t i = 0; i < COUNT; i++) {
            struct CMUnitTest *t = &all[w * COUNT + i];
            *t = tests[i];
            snprintf(names[w * COUNT + i], sizeof names[0], "%s (%s)", tests[i].name, way_names[w]);
            t->name = names[w * COUNT + i];
            t->initial_state = &ways[w];
        }
    }
    int failed = cmocka_run_group_tests_name("dovecot", all, NULL, NULL);
    for (size_t i = 0; i < MESSAGES; i++)
        free(wire_files[i]);
    return failed;
}
