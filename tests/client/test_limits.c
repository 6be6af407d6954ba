/* Bounds on what a server may make the client take. */
#include "support/suite.h"

#include <stdlib.h>
#include <string.h>

static void a_reply_line_may_be_as_long_as_the_limit(void **state)
{
    fixture *f = *state;
    f->options.engine.limits.reply_line = 512; /* its CRLF counts */
    play(f,
         "line '+OK'; expect 'NOOP'; send '+OK '; fill 506 'x'; send '\\r\\n'\n"
         "expect 'NOOP'; send '+OK '; fill 507 'x'; send '\\r\\n'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_noop(c));
    assert_int_equal(pop3_client_reply(c)->text.len, 506);
    assert_status(POP3_ERR_LIMIT, pop3_client_noop(c));
    assert_error(c, POP3_ERR_LIMIT, "NOOP: a reply line is longer than the limit");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void a_listing_line_has_the_same_limit(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'UIDL'; send '+OK\\r\\n1 '; fill 9000 'x'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_LIMIT, pop3_client_uidl(c, NULL, NULL));
}

static void a_listing_may_have_as_many_entries_as_the_limit(void **state)
{
    fixture *f = *state;
    pop3_listing *listing;
    f->options.engine.limits.entries = 3;
    play(f,
         "line '+OK'; expect 'LIST'; line '+OK'; numbers '%d 9' 1 3; line '.'\n"
         "expect 'LIST'; line '+OK'; numbers '%d 9' 1 4; line '.'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_list_all(c, &listing));
    assert_int_equal(listing->count, 3);
    pop3_listing_free(listing);
    assert_status(POP3_ERR_LIMIT, pop3_client_list_all(c, &listing));
    assert_null(listing);
    assert_error(c, POP3_ERR_LIMIT, "more entries than the limit");
}

static void a_capability_list_has_a_limit(void **state)
{
    fixture *f = *state;
    play(f,
         "line '+OK'; expect 'CAPA'; line '+OK'; numbers 'X-%d' 1 256; line '.'\n"
         "expect 'CAPA'; line '+OK'; numbers 'X-%d' 1 257; line '.'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_capa(c, NULL));
    assert_int_equal(pop3_client_capabilities(c)->line_count, 256);
    assert_status(POP3_ERR_LIMIT, pop3_client_capa(c, NULL));
}

static void a_message_may_be_as_large_as_the_limit(void **state)
{
    fixture *f = *state;
    text got = {0};
    f->options.engine.limits.message_octets = 1000;
    play(f,
         "line '+OK'; expect 'RETR 1'; line '+OK'; fill 998 'x'; send '\\r\\n.\\r\\n'\n"
         "expect 'RETR 2'; line '+OK'; fill 999 'x'; send '\\r\\n.\\r\\n'; expect-eof",
         NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_retr(c, 1, into_text, &got));
    assert_int_equal(got.len, 1000);
    got.len = 0;
    assert_status(POP3_ERR_LIMIT, pop3_client_retr(c, 2, into_text, &got));
    assert_in_range(got.len, 0, 1000);
    assert_error(c, POP3_ERR_LIMIT, "RETR 2: the message is larger than the limit");
    free(got.data);
}

static void an_endless_message_is_cut_off_by_the_limit(void **state)
{
    fixture *f = *state;
    f->options.engine.limits.message_octets = 1024 * 1024;
    f->may_complain = true;
    serve(f, "line '+OK'; expect 'RETR 1'; line '+OK'; loop {\nfill 1K 'endless\\r\\n'\n}", NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_LIMIT, pop3_client_retr(c, 1, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(a_reply_line_may_be_as_long_as_the_limit),
        cmocka_unit_test(a_listing_line_has_the_same_limit),
        cmocka_unit_test(a_listing_may_have_as_many_entries_as_the_limit),
        cmocka_unit_test(a_capability_list_has_a_limit),
        cmocka_unit_test(a_message_may_be_as_large_as_the_limit),
        cmocka_unit_test(an_endless_message_is_cut_off_by_the_limit),
    };
    return run_suite("limits", NULL, 0, both, sizeof both / sizeof *both);
}
