/* Every command of the interface: the octets sent, the answer, refusals, and what is never sent. */
#define _POSIX_C_SOURCE 200809L
#include "support/suite.h"

#include <stdlib.h>
#include <string.h>

/* A client to whom the server has said +OK, and plays the script. */
static pop3_client *session(fixture *f, const char *script)
{
    text whole = {0};
    text_print(&whole, "line '+OK <1896.697170952@dbc.mtview.ca.us>'\n%s\nexpect-eof", script);
    play(f, whole.data, NULL);
    free(whole.data);
    return client_connected(f);
}

/* Collects entries as "number octets uid;" and, for other listings, lines. */
static bool collect_entry(void *ctx, const pop3_entry *e, pop3_str line)
{
    if (e->number > 0)
        text_print(ctx, "%u %lu %.*s;", (unsigned)e->number, (unsigned long)e->octets,
                   (int)e->uid.len, e->uid.data != NULL ? e->uid.data : "");
    else
        text_print(ctx, "%.*s;", (int)line.len, line.data);
    return true;
}

static bool first_entry_only(void *ctx, const pop3_entry *e, pop3_str line)
{
    unsigned *count = ctx;
    (void)e;
    (void)line;
    (*count)++;
    return false;
}

static void user_and_pass_log_in(void **state)
{
    pop3_client *c = session(*state, "expect 'USER joe'; line '+OK joe is known'\n"
                                     "expect 'PASS a b  c'; line '+OK logged in'");
    assert_ok(c, pop3_client_user(c, "joe"));
    assert_true(pop3_client_reply(c)->ok);
    assert_str(pop3_client_reply(c)->text, "joe is known");
    assert_str(pop3_client_reply(c)->line, "+OK joe is known");
    assert_int_equal(pop3_client_state(c), POP3_STATE_AUTHORIZATION);
    assert_ok(c, pop3_client_pass(c, "a b  c"));
    assert_int_equal(pop3_client_state(c), POP3_STATE_TRANSACTION);
}

static void a_refused_password_tells_the_response_code(void **state)
{
    pop3_client *c = session(*state, "expect 'PASS x'; line '-ERR [AUTH] no such mailbox'\n"
                                     "expect 'PASS y'; line '-ERR [IN-USE] locked'");
    assert_status(POP3_ERR_REFUSED, pop3_client_pass(c, "x"));
    assert_error(c, POP3_ERR_REFUSED, "PASS: ");
    assert_error(c, POP3_ERR_REFUSED, "[AUTH] no such mailbox");
    assert_int_equal(pop3_client_error(c)->code, POP3_CODE_AUTH);
    assert_string_equal(pop3_client_error(c)->server_text, "no such mailbox");
    assert_int_equal(pop3_client_reply(c)->code, POP3_CODE_AUTH);
    assert_str(pop3_client_reply(c)->code_text, "AUTH");
    assert_int_equal(pop3_client_state(c), POP3_STATE_AUTHORIZATION);
    assert_status(POP3_ERR_REFUSED, pop3_client_pass(c, "y"));
    assert_int_equal(pop3_client_error(c)->code, POP3_CODE_IN_USE);
}

static void an_empty_password_is_sent_as_it_is(void **state)
{
    pop3_client *c = session(*state, "expect 'PASS '; line '-ERR'");
    assert_status(POP3_ERR_REFUSED, pop3_client_pass(c, ""));
}

static void utf8_in_names_is_sent_as_it_is(void **state)
{
    pop3_client *c = session(*state, "expect 'USER j\\xC3\\xB6rg'; line '+OK'");
    assert_ok(c, pop3_client_user(c, "j\xC3\xB6rg"));
}

/* RFC 1939 §7 has this example. */
static void apop_sends_the_digest_of_rfc_1939(void **state)
{
    needs_tls();
    pop3_client *c =
        session(*state, "expect 'APOP mrose c4c9334bac560ecc979e58001b3e22fb'; line '+OK'");
    assert_ok(c, pop3_client_apop(c, "mrose", "tanstaaf"));
    assert_int_equal(pop3_client_state(c), POP3_STATE_TRANSACTION);
}

static void apop_waits_for_the_greeting_of_a_connection_just_started(void **state)
{
    needs_tls();
    fixture *f = *state;
    play(f,
         "line '+OK <1896.697170952@dbc.mtview.ca.us>'\n"
         "expect 'APOP mrose c4c9334bac560ecc979e58001b3e22fb'; line '+OK'; expect-eof",
         NULL);
    pop3_client *c = client_started(f);
    assert_ok(c, pop3_client_apop(c, "mrose", "tanstaaf"));
}

static void apop_without_a_timestamp_is_not_offered_and_not_sent(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK ready'; expect 'NOOP'; line '+OK'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_NOT_OFFERED, pop3_client_apop(c, "mrose", "tanstaaf"));
    assert_error(c, POP3_ERR_NOT_OFFERED, "APOP: the greeting has no timestamp");
    assert_ok(c, pop3_client_noop(c));
}

static void rpop_names_the_user(void **state)
{
    pop3_client *c = session(*state, "expect 'RPOP joe'; line '+OK'");
    assert_ok(c, pop3_client_rpop(c, "joe"));
    assert_int_equal(pop3_client_state(c), POP3_STATE_TRANSACTION);
}

static void capa_tells_what_is_announced(void **state)
{
    pop3_client *c = session(*state, "expect 'CAPA'\n"
                                     "capa TOP 'sasl plain XOAUTH2' 'LOGIN-DELAY 900 USER' 'EXPIRE "
                                     "60' 'X-OWN\\t1' 'IMPLEMENTATION Test 1.0'");
    const pop3_capabilities *caps;
    assert_null(pop3_client_capabilities(c));
    assert_ok(c, pop3_client_capa(c, &caps));
    assert_ptr_equal(caps, pop3_client_capabilities(c));
    assert_int_equal(caps->flags, POP3_CAP_TOP | POP3_CAP_SASL | POP3_CAP_LOGIN_DELAY |
                                      POP3_CAP_EXPIRE | POP3_CAP_IMPLEMENTATION);
    assert_int_equal(caps->login_delay, 900);
    assert_true(caps->login_delay_user);
    assert_int_equal(caps->expire_days, 60);
    assert_string_equal(caps->implementation, "Test 1.0");
    assert_true(pop3_capabilities_have_sasl(caps, "xoauth2"));
    assert_true(pop3_capabilities_have(caps, "x-own"));
    assert_false(pop3_capabilities_have(caps, "UIDL"));
}

static void capa_refused_leaves_capabilities_unknown(void **state)
{
    pop3_client *c = session(*state, "expect 'CAPA'; line '-ERR unknown'");
    const pop3_capabilities *caps = (const pop3_capabilities *)(uintptr_t)1;
    assert_status(POP3_ERR_REFUSED, pop3_client_capa(c, &caps));
    assert_null(caps);
    assert_null(pop3_client_capabilities(c));
}

static void masked_capabilities_are_not_announced(void **state)
{
    fixture *f = *state;
    f->options.engine.masked = POP3_CAP_UIDL;
    pop3_client *c = session(f, "expect 'CAPA'; capa UIDL TOP");
    const pop3_capabilities *caps;
    assert_ok(c, pop3_client_capa(c, &caps));
    assert_int_equal(caps->flags, POP3_CAP_TOP);
}

static void a_login_makes_capabilities_unknown_again(void **state)
{
    pop3_client *c = session(*state, "expect 'CAPA'; capa TOP; expect 'PASS x'; line '+OK'");
    assert_ok(c, pop3_client_capa(c, NULL));
    assert_ok(c, pop3_client_pass(c, "x"));
    assert_null(pop3_client_capabilities(c));
}

static void utf8_and_lang_are_sent(void **state)
{
    pop3_client *c = session(*state, "expect 'UTF8'; line '+OK'; expect 'LANG fr'; line '+OK'\n"
                                     "expect 'LANG *'; line '-ERR none'");
    assert_ok(c, pop3_client_utf8(c));
    assert_ok(c, pop3_client_lang(c, "fr"));
    assert_status(POP3_ERR_REFUSED, pop3_client_lang(c, "*"));
}

static void lang_lists_languages(void **state)
{
    text got = {0};
    pop3_client *c = session(*state, "expect 'LANG'; capa 'en English' 'fr French'");
    assert_ok(c, pop3_client_lang_list(c, collect_entry, &got));
    assert_string_equal(got.data, "en English;fr French;");
    free(got.data);
}

static void stat_tells_count_and_octets(void **state)
{
    pop3_client *c = session(*state, "expect 'STAT'; line '+OK 2 320'\n"
                                     "expect 'STAT'; line '+OK 0 18446744073709551615 extra'\n"
                                     "expect 'STAT'; line '-ERR not now'");
    pop3_stat stat;
    assert_ok(c, pop3_client_stat(c, &stat));
    assert_int_equal(stat.count, 2);
    assert_int_equal(stat.octets, 320);
    assert_ok(c, pop3_client_stat(c, &stat));
    assert_true(stat.octets == UINT64_MAX);
    assert_status(POP3_ERR_REFUSED, pop3_client_stat(c, NULL));
}

static void a_stat_that_makes_no_sense_ends_the_connection(void **state)
{
    pop3_client *c = session(*state, "expect 'STAT'; line '+OK many'");
    pop3_stat stat = {7, 7};
    assert_status(POP3_ERR_PROTOCOL, pop3_client_stat(c, &stat));
    assert_int_equal(stat.count, 7);
    assert_error(c, POP3_ERR_PROTOCOL, "STAT: the reply is invalid: \"+OK many\"");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void list_hands_out_each_size(void **state)
{
    text got = {0};
    pop3_client *c =
        session(*state, "expect 'LIST'; send '+OK 2 messages\\r\\n1 120\\r\\n2 200\\r\\n.\\r\\n'");
    assert_ok(c, pop3_client_list(c, collect_entry, &got));
    assert_string_equal(got.data, "1 120 ;2 200 ;");
    free(got.data);
}

static void an_empty_listing_has_no_entries(void **state)
{
    text got = {0};
    pop3_client *c = session(*state, "expect 'UIDL'; send '+OK\\r\\n.\\r\\n'");
    assert_ok(c, pop3_client_uidl(c, collect_entry, &got));
    assert_null(got.data);
}

static void a_listing_can_be_declined(void **state)
{
    unsigned count = 0;
    pop3_client *c = session(*state, "expect 'LIST'; send '+OK\\r\\n1 1\\r\\n2 2\\r\\n.\\r\\n'\n"
                                     "expect 'NOOP'; line '+OK'");
    assert_status(POP3_ERR_CANCELLED, pop3_client_list(c, first_entry_only, &count));
    assert_int_equal(count, 1);
    assert_error(c, POP3_ERR_CANCELLED, "LIST");
    assert_ok(c, pop3_client_noop(c));
}

static void list_of_one_message_tells_its_size(void **state)
{
    pop3_entry entry;
    pop3_client *c =
        session(*state, "expect 'LIST 2'; line '+OK 2 200'; expect 'LIST 9'; line '-ERR'");
    assert_ok(c, pop3_client_list_one(c, 2, &entry));
    assert_int_equal(entry.number, 2);
    assert_int_equal(entry.octets, 200);
    assert_status(POP3_ERR_REFUSED, pop3_client_list_one(c, 9, NULL));
}

static void uidl_hands_out_each_unique_id(void **state)
{
    text got = {0};
    pop3_client *c = session(
        *state,
        "expect 'UIDL'; send '+OK\\r\\n1 whqtswO00WBw418f9t5JxYwZ\\r\\n2 QhdPYR\\r\\n.\\r\\n'");
    assert_ok(c, pop3_client_uidl(c, collect_entry, &got));
    assert_string_equal(got.data, "1 0 whqtswO00WBw418f9t5JxYwZ;2 0 QhdPYR;");
    free(got.data);
}

static void uidl_of_one_message_tells_its_unique_id(void **state)
{
    pop3_entry entry;
    pop3_client *c = session(*state, "expect 'UIDL 2'; line '+OK 2 QhdPYR:00WBw1Ph7x7'");
    assert_ok(c, pop3_client_uidl_one(c, 2, &entry));
    assert_int_equal(entry.number, 2);
    assert_str(entry.uid, "QhdPYR:00WBw1Ph7x7");
}

static void a_listing_with_gaps_costs_messages_their_values_and_not_the_session(void **state)
{
    pop3_listing *uids, *sizes;
    pop3_stat stat;
    pop3_entry entry;
    pop3_client *c =
        session(*state, "expect 'STAT'; line '+OK 3 -1';"
                        "expect 'UIDL'; line '+OK' ; line '1 abc'; send '\\r\\n'; line '2 '; line "
                        "'3 def'; line '.';"
                        "expect 'LIST'; line '+OK'; line '1'; line '2 -7'; line '3 many'; line '.';"
                        "expect 'UIDL 1'; line '+OK abc'; expect 'LIST 1'; line '+OK 1'");
    assert_ok(c, pop3_client_stat(c, &stat));
    assert_int_equal(stat.count, 3);
    assert_true(stat.octets == POP3_OCTETS_UNKNOWN);
    assert_ok(c, pop3_client_uidl_all(c, &uids));
    assert_ok(c, pop3_client_list_all(c, &sizes));
    assert_int_equal(uids->count, 3);
    assert_int_equal(sizes->count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(sizes->entries[i].octets == POP3_OCTETS_UNKNOWN);
    assert_str(uids->entries[0].uid, "abc");
    assert_int_equal(uids->entries[1].uid.len, 0);
    assert_str(uids->entries[2].uid, "def");
    pop3_listing_free(uids);
    pop3_listing_free(sizes);
    assert_ok(c, pop3_client_uidl_one(c, 1, &entry));
    assert_str(entry.uid, "abc");
    assert_ok(c, pop3_client_list_one(c, 1, &entry));
    assert_true(entry.octets == POP3_OCTETS_UNKNOWN);
}

static void an_answer_about_another_message_ends_the_connection(void **state)
{
    pop3_client *c = session(*state, "expect 'UIDL 2'; line '+OK 3 abc'");
    assert_status(POP3_ERR_PROTOCOL, pop3_client_uidl_one(c, 2, NULL));
}

static void retr_hands_out_the_message_without_stuffing(void **state)
{
    text got = {0};
    pop3_client *c =
        session(*state, "expect 'RETR 1'\n"
                        "send '+OK 30 octets\\r\\nFrom: x\\r\\n\\r\\n..dot\\r\\nend\\r\\n.\\r\\n'");
    assert_ok(c, pop3_client_retr(c, 1, into_text, &got));
    assert_string_equal(got.data, "From: x\r\n\r\n.dot\r\nend\r\n");
    assert_str(pop3_client_reply(c)->line, "+OK 30 octets");
    free(got.data);
}

static void retr_without_a_sink_discards(void **state)
{
    pop3_client *c = session(*state, "expect 'RETR 4294967295'; send '+OK\\r\\nx\\r\\n.\\r\\n'");
    assert_ok(c, pop3_client_retr(c, UINT32_MAX, NULL, NULL));
}

static void a_refused_message_leaves_the_session_good(void **state)
{
    text got = {0};
    pop3_client *c =
        session(*state, "expect 'RETR 1'; line '-ERR no such message'; expect 'NOOP'; line '+OK'");
    assert_status(POP3_ERR_REFUSED, pop3_client_retr(c, 1, into_text, &got));
    assert_null(got.data);
    assert_error(c, POP3_ERR_REFUSED, "RETR 1: ");
    assert_error(c, POP3_ERR_REFUSED, ": no such message");
    assert_ok(c, pop3_client_noop(c));
}

static void top_asks_for_so_many_lines(void **state)
{
    text got = {0};
    pop3_client *c = session(*state, "expect 'TOP 3 10'; send '+OK\\r\\nA: b\\r\\n.\\r\\n'\n"
                                     "expect 'TOP 3 0'; send '+OK\\r\\nA: b\\r\\n.\\r\\n'");
    assert_ok(c, pop3_client_top(c, 3, 10, into_text, &got));
    assert_ok(c, pop3_client_top(c, 3, 0, into_text, &got));
    assert_string_equal(got.data, "A: b\r\nA: b\r\n");
    free(got.data);
}

static void dele_and_rset_count_deletions(void **state)
{
    pop3_client *c =
        session(*state, "expect 'DELE 1'; line '+OK'; expect 'DELE 1'; line '-ERR gone'\n"
                        "expect 'DELE 2'; line '+OK'; expect 'RSET'; line '-ERR no'\n"
                        "expect 'RSET'; line '+OK'");
    assert_ok(c, pop3_client_dele(c, 1));
    assert_int_equal(pop3_client_deletions(c), 1);
    assert_status(POP3_ERR_REFUSED, pop3_client_dele(c, 1));
    assert_ok(c, pop3_client_dele(c, 2));
    assert_int_equal(pop3_client_deletions(c), 2);
    assert_status(POP3_ERR_REFUSED, pop3_client_rset(c));
    assert_int_equal(pop3_client_deletions(c), 2);
    assert_ok(c, pop3_client_rset(c));
    assert_int_equal(pop3_client_deletions(c), 0);
}

static void noop_takes_any_text(void **state)
{
    pop3_client *c =
        session(*state, "expect 'NOOP'; line '+OK'; expect 'NOOP'; line '+OK   \\xFF'");
    assert_ok(c, pop3_client_noop(c));
    assert_str(pop3_client_reply(c)->text, "");
    assert_ok(c, pop3_client_noop(c));
}

static void raw_commands_are_sent_as_they_are(void **state)
{
    text got = {0};
    pop3_client *c =
        session(*state, "expect 'XTND  one'; line '+OK raw'\n"
                        "expect 'XLST'; send '+OK\\r\\nfirst\\r\\n..second\\r\\n.\\r\\n'");
    assert_ok(c, pop3_client_raw(c, "XTND  one"));
    assert_str(pop3_client_reply(c)->text, "raw");
    assert_ok(c, pop3_client_raw_list(c, "XLST", collect_entry, &got));
    assert_string_equal(got.data, "first;.second;");
    free(got.data);
}

static void quit_ends_the_session(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'QUIT'; line '+OK bye'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_quit(c));
    assert_str(pop3_client_reply(c)->text, "bye");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
    assert_status(POP3_ERR_STATE, pop3_client_quit(c));
    assert_status(POP3_OK, pop3_client_step(c));
}

static void a_refused_quit_is_told_and_closes(void **state)
{
    pop3_client *c =
        session(*state, "expect 'QUIT'; line '-ERR some deleted messages not removed'");
    assert_status(POP3_ERR_REFUSED, pop3_client_quit(c));
    assert_error(c, POP3_ERR_REFUSED, "QUIT: ");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void arguments_that_cannot_be_sent_send_nothing(void **state)
{
    pop3_client *c = session(*state, "expect 'NOOP'; line '+OK'");
    static char too_long[9000];
    memset(too_long, 'x', sizeof too_long - 1);
    static const char *const lines[] = {"joe\r\nDELE 1", "joe\nDELE 1", "joe\r", too_long, NULL};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        assert_status(POP3_ERR_ARGUMENT, pop3_client_user(c, lines[i]));
        assert_status(POP3_ERR_ARGUMENT, pop3_client_pass(c, lines[i]));
        assert_status(lines[i] == NULL || tls_is_there() ? POP3_ERR_ARGUMENT : POP3_ERR_NOT_OFFERED,
                      pop3_client_apop(c, lines[i], "secret"));
        assert_status(POP3_ERR_ARGUMENT, pop3_client_rpop(c, lines[i]));
        assert_status(POP3_ERR_ARGUMENT, pop3_client_lang(c, lines[i]));
        assert_status(POP3_ERR_ARGUMENT, pop3_client_raw(c, lines[i]));
        assert_status(POP3_ERR_ARGUMENT, pop3_client_raw_list(c, lines[i], NULL, NULL));
    }
    assert_status(POP3_ERR_ARGUMENT, pop3_client_user(c, ""));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_user(c, "\xFF not UTF-8"));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_apop(c, "", "secret"));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_apop(c, "joe", NULL));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_raw(c, ""));
    assert_error(c, POP3_ERR_ARGUMENT, "an argument is empty, too long");
    assert_ok(c, pop3_client_noop(c));
}

static void message_number_zero_is_never_sent(void **state)
{
    pop3_client *c = session(*state, "expect 'NOOP'; line '+OK'");
    char *data;
    size_t len;
    assert_status(POP3_ERR_ARGUMENT, pop3_client_retr(c, 0, NULL, NULL));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_top(c, 0, 1, NULL, NULL));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_dele(c, 0));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_list_one(c, 0, NULL));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_uidl_one(c, 0, NULL));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_retr_memory(c, 0, 0, &data, &len));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_retr_memory(c, 1, 0, NULL, &len));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_list_all(c, NULL));
    const uint32_t numbers[] = {1, 0};
    assert_status(POP3_ERR_ARGUMENT, pop3_client_retr_many(c, numbers, 2, NULL));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_retr_many(c, NULL, 2, NULL));
    assert_ok(c, pop3_client_noop(c));
}

static void the_password_is_not_sent_in_the_clear_unless_allowed(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'NOOP'; line '+OK'; expect-eof", NULL);
    f->options.allow_plaintext_password = false;
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_INSECURE, pop3_client_pass(c, "secret"));
    assert_error(c, POP3_ERR_INSECURE, "PASS: ");
    assert_null(strstr(pop3_client_error(c)->message, "secret"));
    assert_ok(c, pop3_client_noop(c));
}

static void a_reply_of_one_octet_at_a_time_is_understood(void **state)
{
    text got = {0};
    pop3_client *c =
        session(*state, "split 1; expect 'RETR 1'; send '+OK\\r\\n..\\r\\n.x\\r\\n\\r\\n.\\r\\n'\n"
                        "expect 'STAT'; line '+OK 1 2'");
    assert_ok(c, pop3_client_retr(c, 1, into_text, &got));
    assert_string_equal(got.data, ".\r\n.x\r\n\r\n");
    assert_ok(c, pop3_client_stat(c, NULL));
    free(got.data);
}

static void a_reply_that_is_none_ends_the_connection(void **state)
{
    pop3_client *c = session(*state, "expect 'NOOP'; line 'hello?'");
    assert_status(POP3_ERR_PROTOCOL, pop3_client_noop(c));
    assert_error(c, POP3_ERR_PROTOCOL, "neither + nor -: \"hello?\"");
}

static void a_command_without_an_answer_times_out_and_ends_the_connection(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'NOOP'; expect-eof", NULL);
    f->options.timeout_ms = 50;
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_TIMEOUT, pop3_client_noop(c));
    assert_error(c, POP3_ERR_TIMEOUT, "NOOP: the server did not answer within 50 ms");
    assert_status(POP3_ERR_STATE, pop3_client_noop(c));
}

static void a_refusal_is_shown_printable(void **state)
{
    pop3_client *c = session(*state, "expect 'NOOP'; line '-ERR \\x1B[31mred \\xC3\\xA9'");
    assert_status(POP3_ERR_REFUSED, pop3_client_noop(c));
    assert_null(strchr(pop3_client_error(c)->message, '\x1B'));
    assert_non_null(strstr(pop3_client_error(c)->server_text, "\\x1b[31mred"));
}

int main(void)
{
    const struct CMUnitTest once[] = {
        cmocka_unit_test(the_password_is_not_sent_in_the_clear_unless_allowed),
    };
    const struct CMUnitTest both[] = {
        cmocka_unit_test(user_and_pass_log_in),
        cmocka_unit_test(a_refused_password_tells_the_response_code),
        cmocka_unit_test(an_empty_password_is_sent_as_it_is),
        cmocka_unit_test(utf8_in_names_is_sent_as_it_is),
        cmocka_unit_test(apop_sends_the_digest_of_rfc_1939),
        cmocka_unit_test(apop_waits_for_the_greeting_of_a_connection_just_started),
        cmocka_unit_test(apop_without_a_timestamp_is_not_offered_and_not_sent),
        cmocka_unit_test(rpop_names_the_user),
        cmocka_unit_test(capa_tells_what_is_announced),
        cmocka_unit_test(capa_refused_leaves_capabilities_unknown),
        cmocka_unit_test(masked_capabilities_are_not_announced),
        cmocka_unit_test(a_login_makes_capabilities_unknown_again),
        cmocka_unit_test(utf8_and_lang_are_sent),
        cmocka_unit_test(lang_lists_languages),
        cmocka_unit_test(stat_tells_count_and_octets),
        cmocka_unit_test(a_stat_that_makes_no_sense_ends_the_connection),
        cmocka_unit_test(list_hands_out_each_size),
        cmocka_unit_test(an_empty_listing_has_no_entries),
        cmocka_unit_test(a_listing_can_be_declined),
        cmocka_unit_test(list_of_one_message_tells_its_size),
        cmocka_unit_test(uidl_hands_out_each_unique_id),
        cmocka_unit_test(uidl_of_one_message_tells_its_unique_id),
        cmocka_unit_test(a_listing_with_gaps_costs_messages_their_values_and_not_the_session),
        cmocka_unit_test(an_answer_about_another_message_ends_the_connection),
        cmocka_unit_test(retr_hands_out_the_message_without_stuffing),
        cmocka_unit_test(retr_without_a_sink_discards),
        cmocka_unit_test(a_refused_message_leaves_the_session_good),
        cmocka_unit_test(top_asks_for_so_many_lines),
        cmocka_unit_test(dele_and_rset_count_deletions),
        cmocka_unit_test(noop_takes_any_text),
        cmocka_unit_test(raw_commands_are_sent_as_they_are),
        cmocka_unit_test(quit_ends_the_session),
        cmocka_unit_test(a_refused_quit_is_told_and_closes),
        cmocka_unit_test(arguments_that_cannot_be_sent_send_nothing),
        cmocka_unit_test(message_number_zero_is_never_sent),
        cmocka_unit_test(a_reply_of_one_octet_at_a_time_is_understood),
        cmocka_unit_test(a_reply_that_is_none_ends_the_connection),
        cmocka_unit_test(a_command_without_an_answer_times_out_and_ends_the_connection),
        cmocka_unit_test(a_refusal_is_shown_printable),
    };
    return run_suite("commands", once, sizeof once / sizeof *once, both,
                     sizeof both / sizeof *both);
}
