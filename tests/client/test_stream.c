/* Streams: message bodies octet by octet, sinks that have had enough, long listings, memory, and
 * what the end of the connection means at each octet. */
#define _POSIX_C_SOURCE 200809L
#include "support/guard.h"
#include "support/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Messages that have broken clients. All end as messages do on the wire, in CRLF. */
static const struct {
    const char *data;
    size_t len;
} awkward[] = {
/* Releases of clang-format differ about this line. */
/* clang-format off */
#define OCTETS(s) {s, sizeof(s) - 1}
    /* clang-format on */
    OCTETS(""),
    OCTETS("\r\n"),
    OCTETS("one line\r\n"),
    OCTETS("\r\n\r\n\r\n"),
    OCTETS(".\r\n"),
    OCTETS(".\r\n.\r\n.\r\n"),
    OCTETS("..\r\n...\r\n. \r\n.x\r\n"),
    OCTETS("text\r\n.\r\nmore\r\n.\r\n"),
    OCTETS("+OK not a reply\r\n-ERR neither\r\n"),
    OCTETS("nul \0 in the middle\0\r\n\0\r\n"),
    OCTETS("latin1 \xE4\xF6\xFC, utf-8 \xC3\xA9, \xFF\xFE\x80\r\n"),
    OCTETS("lone cr \r in a line\r\r\nand at its end\r\r\r\n"),
    OCTETS("\r.\r\n\r..\r\n"),
#undef OCTETS
};
#define AWKWARD (sizeof awkward / sizeof *awkward)

/* Retrieves all awkward messages, sent in pieces of so many octets. */
static void retrieve_awkward(fixture *f, unsigned split)
{
    text script = {0};
    text_print(&script, "split %u\nline '+OK'\n", split);
    for (unsigned i = 0; i < AWKWARD; i++) {
        char name[40];
        snprintf(name, sizeof name, "message-%u", i);
        const char *path = scratch_file(name);
        assert_true(text_to_file(path, awkward[i].data, awkward[i].len));
        text_print(&script, "expect 'RETR %u'\nline '+OK'\nbody '%s'\n", i + 1, path);
        /* An empty message may be one whose first line is a dot that the server did not stuff: the
         * client makes sure. */
        if (awkward[i].len == 0)
            text_print(&script, "expect 'NOOP'\nline '+OK'\n");
    }
    text_print(&script, "expect 'NOOP'\nline '+OK'\nexpect-eof\n");
    play(f, script.data, NULL);
    free(script.data);
    pop3_client *c = client_connected(f);
    for (unsigned i = 0; i < AWKWARD; i++) {
        text got = {0};
        assert_ok(c, pop3_client_retr(c, i + 1, into_text, &got));
        assert_int_equal(got.len, awkward[i].len);
        if (got.len > 0)
            assert_memory_equal(got.data, awkward[i].data, got.len);
        free(got.data);
    }
    assert_ok(c, pop3_client_noop(c));
    script_is_met(f);
}

static void awkward_messages_arrive_octet_by_octet_whatever_the_pieces(void **state)
{
    static const unsigned splits[] = {0, 1, 2, 3, 5};
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++)
        retrieve_awkward(*state, splits[i]);
}

/* Octets of any value. Those of this seed happen to hold no two dots after a LF, which the client
 * would take for stuffing though the server stuffs after CRLF only. */
static void large_binary_content_is_intact(void **state)
{
    fixture *f = *state;
    text all = {0};
    uint64_t x = 4711;
    uint64_t got = HASH_BEGIN;
    for (int i = 0; i < 3 * 1024 * 1024 / 8; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        char octets[8];
        for (int k = 0; k < 8; k++)
            octets[k] = (char)(x >> (8 * k));
        text_add(&all, octets, sizeof octets);
    }
    text_add(&all, "\r\n", 2);
    const char *path = scratch_file("random");
    assert_true(text_to_file(path, all.data, all.len));
    text script = {0};
    text_print(&script, "line '+OK'; expect 'RETR 1'; line '+OK'; body '%s'; expect-eof", path);
    play(f, script.data, NULL);
    /* The end of such a message may be doubtful, as it has bare LFs; it is stuffed after CRLF only.
     */
    f->options.engine.trust_message_ends = true;
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_retr(c, 1, into_hash, &got));
    uint64_t expected = hash_octets(HASH_BEGIN, all.data, all.len);
    assert_true(got == expected);
    free(script.data);
    free(all.data);
}

static pop3_sink_result discard_at_once(void *ctx, const char *data, size_t len)
{
    unsigned *calls = ctx;
    (void)data;
    (void)len;
    (*calls)++;
    return POP3_SINK_DISCARD;
}

static pop3_sink_result abort_at_once(void *ctx, const char *data, size_t len)
{
    discard_at_once(ctx, data, len);
    return POP3_SINK_ABORT;
}

static void a_sink_that_discards_is_not_called_again_and_the_session_goes_on(void **state)
{
    fixture *f = *state;
    unsigned calls = 0;
    play(f,
         "line '+OK'; expect 'RETR 1'; line '+OK'; fill 1M 'a line\\r\\n'; line '.'\n"
         "expect 'NOOP'; line '+OK'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_CANCELLED, pop3_client_retr(c, 1, discard_at_once, &calls));
    assert_int_equal(calls, 1);
    assert_ok(c, pop3_client_noop(c));
}

static void a_sink_that_aborts_closes_the_connection(void **state)
{
    fixture *f = *state;
    unsigned calls = 0;
    serve(f, "line '+OK'; expect 'RETR 1'; line '+OK'; fill 1M 'a line\\r\\n'; line '.'", NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_CANCELLED, pop3_client_retr(c, 1, abort_at_once, &calls));
    assert_int_equal(calls, 1);
    assert_error(c, POP3_ERR_CANCELLED, "RETR 1: the receiver of the message aborted it");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
    calls = 0;
    assert_ok(c, pop3_client_connect(c));
    assert_ok(c, pop3_client_retr(c, 1, NULL, NULL));
}

static void a_message_fits_into_memory_up_to_the_limit(void **state)
{
    fixture *f = *state;
    char *data = NULL;
    size_t len = 1;
    play(f,
         "line '+OK'\n"
         "repeat 3 {\nexpect 'RETR 1'; line '+OK'; send 'A\\0B\\r\\n..\\r\\n.\\r\\n'\n}\n"
         "expect 'RETR 2'; send '+OK\\r\\n.\\r\\n'; expect 'NOOP'; line '+OK'\n"
         "expect 'RETR 3'; line '-ERR'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_retr_memory(c, 1, 0, &data, &len));
    assert_int_equal(len, 8);
    assert_memory_equal(data, "A\0B\r\n.\r\n", 9); /* with the terminator */
    free(data);
    assert_ok(c, pop3_client_retr_memory(c, 1, 8, &data, &len));
    free(data);
    assert_status(POP3_ERR_LIMIT, pop3_client_retr_memory(c, 1, 7, &data, &len));
    assert_null(data);
    assert_error(c, POP3_ERR_LIMIT, "RETR 1: the message is larger than the caller's limit");
    assert_ok(c, pop3_client_retr_memory(c, 2, 1, &data, &len));
    assert_int_equal(len, 0);
    assert_string_equal(data, "");
    free(data);
    assert_status(POP3_ERR_REFUSED, pop3_client_retr_memory(c, 3, 1, &data, &len));
    assert_null(data);
}

static void a_message_of_megabytes_fits_into_memory(void **state)
{
    fixture *f = *state;
    char *data;
    size_t len;
    play(f,
         "line '+OK'; expect 'RETR 1'; line '+OK'; fill 256K '0123456789abcd\\r\\n'; line '.'\n"
         "expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_retr_memory(c, 1, 0, &data, &len));
    assert_int_equal(len, 4 * 1024 * 1024);
    assert_memory_equal(data + len - 16, "0123456789abcd\r\n", 17);
    free(data);
}

static void listings_of_100000_are_collected(void **state)
{
    fixture *f = *state;
    pop3_listing *sizes;
    pop3_listing *uids;
    play(f,
         "line '+OK'; expect 'LIST'; line '+OK'; numbers '%d 1%d' 1 100000; line '.'\n"
         "expect 'UIDL'; line '+OK'; numbers '%d uid-%d' 1 100000; line '.'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_list_all(c, &sizes));
    assert_ok(c, pop3_client_uidl_all(c, &uids));
    assert_int_equal(sizes->count, 100000);
    assert_int_equal(uids->count, 100000);
    for (uint32_t i = 0; i < 100000; i++) {
        char expected[20];
        int n = snprintf(expected, sizeof expected, "uid-%u", (unsigned)i + 1);
        assert_int_equal(sizes->entries[i].number, i + 1);
        assert_int_equal(uids->entries[i].number, i + 1);
        assert_int_equal(uids->entries[i].uid.len, n);
        assert_string_equal(uids->entries[i].uid.data, expected);
    }
    assert_int_equal(sizes->entries[99999].octets, 1100000);
    pop3_listing_free(sizes);
    pop3_listing_free(uids);
    pop3_listing_free(NULL);
}

static void a_listing_that_breaks_off_is_not_collected(void **state)
{
    fixture *f = *state;
    pop3_listing *sizes = (pop3_listing *)(uintptr_t)1;
    play(f, "line '+OK'; expect 'LIST'; line '+OK'; numbers '%d 100' 1 1000; close", NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_CLOSED, pop3_client_list_all(c, &sizes));
    assert_null(sizes);
}

static long kilobytes(const char *field)
{
    long value = guard_memory(field);
    assert_true(value > 0);
    return value;
}

/* Makes the highest memory so far the present one. */
static void forget_highest_memory(void)
{
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "5", 1), 1);
    close(fd);
}

static pop3_sink_result count_octets(void *ctx, const char *data, size_t len)
{
    uint64_t *count = ctx;
    (void)data;
    *count += len;
    return POP3_SINK_CONTINUE;
}

#ifdef __SANITIZE_ADDRESS__
/* What is freed is to be used again, as OpenSSL's buffers are, and not kept aside by the megabyte:
 * memory is measured here. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=1:thread_local_quarantine_size_kb=64";
}
#endif

static void memory_does_not_grow_with_the_message(void **state)
{
    fixture *f = *state;
    uint64_t count = 0;
    play(
        f,
        "line '+OK'; expect 'RETR 1'; line '+OK'\n"
        "fill 1M '.123456789012345678901234567890123456789012345678901234567890b\\r\\n'; line '.'\n"
        "expect-eof",
        NULL);
    pop3_client *c = client_connected(f);
    forget_highest_memory();
    long before = kilobytes("VmRSS:");
    assert_ok(c, pop3_client_retr(c, 1, count_octets, &count));
    assert_int_equal(count, 64 * 1024 * 1024);
    long grown = kilobytes("VmHWM:") - before;
    assert_in_range(grown > 0 ? grown : 0, 0, 4096); /* the kernel's figures are a little behind */
}

/* A session's steps, the server's part of each, and what ends well only when all of that has come.
 */
static const struct {
    const char *expect; /* the client's command */
    const char *answer; /* in the script's escapes */
    size_t len;         /* octets of the answer */
} steps[] = {
    {NULL, "+OK hi\\r\\n", 8},
    {"PASS x", "+OK\\r\\n", 5},
    {"STAT", "+OK 1 9\\r\\n", 9},
    {"UIDL", "+OK\\r\\n1 a\\r\\n.\\r\\n", 13},
    {"RETR 1", "+OK 9\\r\\n..a\\r\\n\\r\\nb\\r\\n.\\r\\n", 20},
    {"DELE 1", "+OK\\r\\n", 5},
    {"QUIT", "+OK\\r\\n", 5},
};
#define STEPS (sizeof steps / sizeof *steps)

/* Adds the first `len` octets of an answer, given in escapes of which each means one octet. */
static void add_part(text *script, const char *answer, size_t len)
{
    size_t n = 0;
    for (size_t octets = 0; octets < len; octets++)
        n += answer[n] == '\\' ? 2 : 1;
    text_print(script, "send '%.*s'\n", (int)n, answer);
}

/* Writes the script in which the server closes after so many octets. */
static void write_broken_script(const char *path, size_t octets)
{
    text script = {0};
    for (size_t i = 0; i < STEPS; i++) {
        if (steps[i].expect != NULL)
            text_print(&script, "expect '%s'\n", steps[i].expect);
        size_t len = octets < steps[i].len ? octets : steps[i].len;
        if (len > 0)
            add_part(&script, steps[i].answer, len);
        octets -= len;
        if (len < steps[i].len)
            break;
    }
    text_print(&script, "close\n");
    for (size_t i = 0; i < script.len; i++) {
        if (script.data[i] == '\'')
            script.data[i] = '"';
    }
    assert_true(text_to_file(path, script.data, script.len));
    free(script.data);
}

/* Does the session. Returns how many steps ended well before one did not. */
static size_t do_steps(pop3_client *c)
{
    text message = {0};
    size_t done = 0;
    if (pop3_client_connect(c) == POP3_OK && ++done && pop3_client_pass(c, "x") == POP3_OK &&
        ++done && pop3_client_stat(c, NULL) == POP3_OK && ++done &&
        pop3_client_uidl(c, NULL, NULL) == POP3_OK && ++done &&
        pop3_client_retr(c, 1, into_text, &message) == POP3_OK && ++done) {
        assert_string_equal(message.data, ".a\r\n\r\nb\r\n");
        if (pop3_client_dele(c, 1) == POP3_OK && ++done && pop3_client_quit(c) == POP3_OK)
            ++done;
    }
    free(message.data);
    return done;
}

static void the_end_at_any_octet_is_an_error_and_never_a_whole_answer(void **state)
{
    fixture *f = *state;
    size_t total = 0;
    for (size_t i = 0; i < STEPS; i++)
        total += steps[i].len;
    const char *options[2 * 80 + 3];
    static char paths[80][400];
    char sessions[24];
    size_t n = 0;
    assert_in_range(total, 1, 79);
    for (size_t octets = 0; octets <= total; octets++) {
        char name[40];
        snprintf(name, sizeof name, "broken-%zu", octets);
        snprintf(paths[octets], sizeof paths[octets], "%s", scratch_file(name));
        write_broken_script(paths[octets], octets);
        options[n++] = "--script";
        options[n++] = paths[octets];
    }
    snprintf(sessions, sizeof sessions, "%zu", total + 1);
    options[n++] = "--max-sessions";
    options[n++] = sessions;
    options[n] = NULL;
    play_options(f, options);
    for (size_t octets = 0; octets <= total; octets++) {
        size_t expected = 0;
        size_t end = 0;
        while (expected < STEPS && octets >= end + steps[expected].len)
            end += steps[expected++].len;
        pop3_client *c = client_new(f);
        if (do_steps(c) != expected)
            fail_msg("after %zu octets not %zu steps ended well", octets, expected);
        if (expected < STEPS)
            assert_status(POP3_ERR_CLOSED, pop3_client_error(c)->status);
    }
}

static void a_quit_without_a_reply_does_no_harm_when_nothing_was_deleted(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'QUIT'; close", NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_quit(c));
    assert_int_equal(pop3_client_error(c)->status, POP3_OK);
    assert_status(POP3_OK, pop3_client_step(c));
}

static void a_quit_without_a_reply_is_an_error_when_messages_were_deleted(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'DELE 1'; line '+OK'; expect 'QUIT'; close", NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_dele(c, 1));
    assert_status(POP3_ERR_CLOSED, pop3_client_quit(c));
    assert_error(c, POP3_ERR_CLOSED, "QUIT: ");
}

static void a_quit_that_is_reset_counts_as_closed(void **state)
{
    fixture *f = *state;
    play(f,
         "line '+OK'; expect 'DELE 1'; line '+OK'; expect 'RSET'; line '+OK'; expect 'QUIT'; reset",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_dele(c, 1));
    assert_ok(c, pop3_client_rset(c));
    assert_ok(c, pop3_client_quit(c));
}

int main(void)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(awkward_messages_arrive_octet_by_octet_whatever_the_pieces),
        cmocka_unit_test(large_binary_content_is_intact),
        cmocka_unit_test(a_sink_that_discards_is_not_called_again_and_the_session_goes_on),
        cmocka_unit_test(a_sink_that_aborts_closes_the_connection),
        cmocka_unit_test(a_message_fits_into_memory_up_to_the_limit),
        cmocka_unit_test(a_message_of_megabytes_fits_into_memory),
        cmocka_unit_test(listings_of_100000_are_collected),
        cmocka_unit_test(a_listing_that_breaks_off_is_not_collected),
        cmocka_unit_test(memory_does_not_grow_with_the_message),
        cmocka_unit_test(the_end_at_any_octet_is_an_error_and_never_a_whole_answer),
        cmocka_unit_test(a_quit_without_a_reply_does_no_harm_when_nothing_was_deleted),
        cmocka_unit_test(a_quit_without_a_reply_is_an_error_when_messages_were_deleted),
        cmocka_unit_test(a_quit_that_is_reset_counts_as_closed),
    };
    return run_suite("stream", NULL, 0, both, sizeof both / sizeof *both);
}
