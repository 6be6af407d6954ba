/* Messages whose end is in doubt: on a server that ends lines with CRLF, a lone dot beside a bare
 * LF may be a line of the message that was not stuffed, and so may a first line that is a dot. DONE
 * comes once the next reply has shown which. */
#include "engine_script.h"

#include <stdio.h>

static const char doubt[] = "a line with a single dot did not end the message: the server does not "
                            "stuff every dot; what follows the line";

static script *retrieving(const pop3_engine_options *options)
{
    script *s = script_logged_in(options, NULL);
    asks_number(s, POP3_CMD_RETR, 1);
    sends(s, "RETR 1\r\n");
    return s;
}

static void died_of_doubt(script *s, const char *excerpt)
{
    growing detail = {0};
    growing_text(&detail, doubt);
    growing_text(&detail, excerpt);
    died(s, POP3_ERR_PROTOCOL, detail.text);
    growing_free(&detail);
}

static void a_doubtful_end_is_held_until_a_noop_has_been_answered(void **state)
{
    (void)state;
    static const char *const bodies[] = {"a\n.\r\n", "a\r\n.\n", "a\n.\n"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        script *s = retrieving(NULL);
        says(s, "+OK\r\n");
        says(s, bodies[i]);
        sees(s, i == 1 ? "RETR 1 reply {}\nRETR 1 body {a\r\n}"
                       : "RETR 1 reply {}\nRETR 1 body {a\n}");
        assert_int_equal(pop3_engine_pending(s->engine), 1);
        sends(s, "NOOP\r\n");
        assert_true(pop3_engine_wants_input(s->engine));
        says(s, "+OK\r\n");
        sees(s, "RETR 1 ok");
        assert_int_equal(pop3_engine_pending(s->engine), 0);
        script_end(s);
    }
}

static void the_end_tells_how_the_size_compares_with_what_was_announced(void **state)
{
    (void)state;
    static const struct {
        const char *reply;
        uint64_t listed;
        pop3_size_match size;
    } cases[] = {
        {"+OK\r\n", 0, POP3_SIZE_UNANNOUNCED},
        {"+OK 3 octets\r\n", 0, POP3_SIZE_MATCHES},
        {"+OK 4 octets\r\n", 0, POP3_SIZE_DIFFERS},
        {"+OK\r\n", 3, POP3_SIZE_MATCHES},
        {"+OK\r\n", 4, POP3_SIZE_DIFFERS},
        {"+OK 4 octets\r\n", 3, POP3_SIZE_MATCHES},
        {"+OK 1 follows\r\n", 0, POP3_SIZE_UNANNOUNCED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        script *s = script_logged_in(NULL, NULL);
        pop3_command retr = command_of(POP3_CMD_RETR, 1, NULL);
        retr.octets = cases[i].listed;
        assert_int_equal(pop3_engine_submit(s->engine, &retr), POP3_OK);
        sends(s, "RETR 1\r\n");
        assert_int_equal(pop3_engine_feed(s->engine, cases[i].reply, strlen(cases[i].reply)),
                         POP3_OK);
        pop3_event ev;
        while (pop3_engine_next(s->engine, &ev))
            assert_int_equal(ev.size, POP3_SIZE_UNANNOUNCED);
        assert_int_equal(pop3_engine_feed(s->engine, "a\r\n.\r\n", 6), POP3_OK);
        while (pop3_engine_next(s->engine, &ev) && ev.kind != POP3_EVENT_DONE) {
        }
        assert_int_equal(ev.kind, POP3_EVENT_DONE);
        assert_int_equal(ev.size, cases[i].size);
        script_free(s);
    }
}

static void a_refused_noop_settles_it_as_well(void **state)
{
    (void)state;
    script *s = retrieving(NULL);
    says(s, "+OK\r\na\n.\r\n");
    sends(s, "NOOP\r\n");
    says(s, "-ERR unknown\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}\nRETR 1 ok");
    script_end(s);
}

static void a_reply_in_flight_settles_it_without_a_noop(void **state)
{
    (void)state;
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
    script *s = script_logged_in(&o, NULL);
    asks_number(s, POP3_CMD_RETR, 1);
    asks_number(s, POP3_CMD_RETR, 2);
    sends(s, "RETR 1\r\nRETR 2\r\n");
    says(s, "+OK\r\na\n.\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}");
    sends(s, "");
    says(s, "-ERR no such message\r\n");
    sees(s, "RETR 1 ok\nRETR 2 refused {no such message}");
    script_end(s);
}

static void several_doubtful_ends_in_a_window_settle_each_other(void **state)
{
    (void)state;
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
    script *s = script_logged_in(&o, NULL);
    for (uint32_t i = 1; i <= 3; i++)
        asks_number(s, POP3_CMD_RETR, i);
    sends(s, "RETR 1\r\nRETR 2\r\nRETR 3\r\n");
    says(s, "+OK\r\na\n.\r\n+OK\r\nb\n.\r\n+OK\r\nc\n.\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}\nRETR 1 ok\n"
            "RETR 2 reply {}\nRETR 2 body {b\n}\nRETR 2 ok\n"
            "RETR 3 reply {}\nRETR 3 body {c\n}");
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "RETR 3 ok");
    script_end(s);
}

static void what_follows_a_false_end_in_a_window_is_seen_for_what_it_is(void **state)
{
    (void)state;
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
    script *s = script_logged_in(&o, NULL);
    asks_number(s, POP3_CMD_RETR, 1);
    asks_number(s, POP3_CMD_DELE, 1);
    sends(s, "RETR 1\r\nDELE 1\r\n");
    says(s, "+OK\r\na\n.\nthe rest of it\r\n.\r\n+OK\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}\nRETR 1 protocol\nDELE 1 protocol");
    died_of_doubt(s, ": \"the rest of it\"");
    assert_int_equal(pop3_engine_deletions(s->engine), 0);
    script_end(s);
}

static void what_follows_a_false_end_at_once_is_seen_for_what_it_is(void **state)
{
    (void)state;
    script *s = retrieving(NULL);
    says(s, "+OK\r\na\n.\nthe rest of it\r\n.\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}\nRETR 1 protocol");
    died_of_doubt(s, ": \"the rest of it\"");
    script_end(s);
}

static void what_follows_a_false_end_later_is_seen_for_what_it_is(void **state)
{
    (void)state;
    script *s = retrieving(NULL);
    says(s, "+OK\r\na\n.\n");
    sends(s, "NOOP\r\n");
    says(s, "the rest of it\r\n.\r\n+OK\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}\nRETR 1 protocol");
    died_of_doubt(s, ": \"the rest of it\"");
    script_end(s);
}

/* The dashes before a signature are no farewell, and no status. */
static void a_line_of_dashes_after_a_false_end_is_no_reply(void **state)
{
    (void)state;
    script *s = retrieving(NULL);
    says(s, "+OK\r\na\n.\n-- \nsignature\r\n.\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}\nRETR 1 protocol");
    died_of_doubt(s, ": \"-- \"");
    script_end(s);

    s = retrieving(NULL);
    says(s, "+OK\r\na\n.\n");
    sends(s, "NOOP\r\n");
    says(s, "-- \n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}\nRETR 1 protocol");
    died_of_doubt(s, ": \"-- \"");
    script_end(s);
}

static void a_connection_that_ends_in_doubt_leaves_the_message_unfinished(void **state)
{
    (void)state;
    script *s = retrieving(NULL);
    says(s, "+OK\r\na\n.\n");
    sends(s, "NOOP\r\n");
    fails(s, POP3_ERR_CLOSED);
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}\nRETR 1 closed");
    script_end(s);
}

static void commands_that_wait_go_after_the_noop(void **state)
{
    (void)state;
    script *s = retrieving(NULL);
    asks(s, POP3_CMD_STAT);
    asks(s, POP3_CMD_QUIT);
    says(s, "+OK\r\na\n.\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}");
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "RETR 1 ok");
    sends(s, "STAT\r\n");
    says(s, "+OK 1 1\r\n");
    sees(s, "STAT ok {1 1} 1 1");
    sends(s, "QUIT\r\n");
    says(s, "+OK\r\n");
    sees(s, "QUIT ok {}");
    script_end(s);
}

/* One question at a time: the NOOP settles the message before capabilities are asked for. */
static void capabilities_are_asked_for_after_the_message_is_settled(void **state)
{
    (void)state;
    script *s = retrieving(NULL);
    says(s, "+OK\r\na\n.\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}");
    asks_number(s, POP3_CMD_RETR, 2);
    asks_number(s, POP3_CMD_RETR, 3);
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "RETR 1 ok");
    sends(s, "CAPA\r\n");
    script_free(s);
}

static void ends_that_are_not_in_doubt_are_taken_at_once(void **state)
{
    (void)state;
    script *s = retrieving(NULL);
    says(s, "+OK\r\na\nb\r\n.\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\nb\r\n}\nRETR 1 ok");
    script_end(s);
    s = retrieving(NULL); /* a server of bare LFs throughout */
    says(s, "+OK\na\n.\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}\nRETR 1 ok");
    script_end(s);
}

static void an_empty_message_is_in_doubt_as_servers_forget_to_stuff_its_first_dot(void **state)
{
    (void)state;
    script *s = retrieving(NULL);
    says(s, "+OK\r\n.\r\n");
    sees(s, "RETR 1 reply {}");
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "RETR 1 ok");
    script_end(s);
    s = retrieving(NULL); /* the message's first line was a dot */
    says(s, "+OK\r\n.\r\nthe rest of it\r\n.\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 protocol");
    died_of_doubt(s, ": \"the rest of it\"");
    script_end(s);
}

static void the_option_takes_a_doubtful_end_at_its_word(void **state)
{
    (void)state;
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.trust_message_ends = true;
    script *s = retrieving(&o);
    says(s, "+OK\r\na\n.\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\n}\nRETR 1 ok");
    script_end(s);
}

static void the_engine_s_own_commands_do_not_count_as_pending(void **state)
{
    (void)state;
    pop3_command_kind kind;
    uint32_t number;
    script *s = retrieving(NULL);
    says(s, "+OK\r\na\n.\r\n");
    sends(s, "NOOP\r\n");
    assert_int_equal(pop3_engine_pending(s->engine), 1);
    assert_int_equal(pop3_engine_in_flight(s->engine), 0);
    assert_true(pop3_engine_current(s->engine, &kind, &number));
    assert_int_equal(kind, POP3_CMD_RETR);
    assert_int_equal(number, 1);
    script_free(s);

    s = script_logged_in(NULL, NULL);
    asks(s, POP3_CMD_STAT);
    asks(s, POP3_CMD_LIST);
    sends(s, "CAPA\r\n");
    assert_int_equal(pop3_engine_pending(s->engine), 2);
    assert_int_equal(pop3_engine_in_flight(s->engine), 0);
    assert_true(pop3_engine_wants_input(s->engine));
    assert_true(pop3_engine_current(s->engine, &kind, &number));
    assert_int_equal(kind, POP3_CMD_STAT);
    assert_int_equal(number, 0);
    script_free(s);
}

/* A caller may stop taking events when nothing is pending any more: nothing is left behind. */
static void after_the_last_done_event_nothing_is_left_to_take(void **state)
{
    (void)state;
    static const char data[] = "+OK\r\n";
    script *s = retrieving(NULL);
    says(s, "+OK\r\na\n.\r\n");
    sends(s, "NOOP\r\n");
    assert_int_equal(pop3_engine_feed(s->engine, data, 5), POP3_OK);
    pop3_event ev;
    assert_true(pop3_engine_next(s->engine, &ev));
    assert_int_equal(ev.kind, POP3_EVENT_DONE);
    assert_int_equal(pop3_engine_pending(s->engine), 0);
    asks(s, POP3_CMD_STAT);
    growing_free(&s->events);
    growing_text(&s->events, "");
    s->body_open = false;
    sends(s, "STAT\r\n");
    says(s, "+OK 1 2\r\n");
    sees(s, "STAT ok {1 2} 1 2");
    script_end(s);
}

/* ---- the size that was announced ---- */

static script *windowed(const pop3_engine_options *options, uint32_t count)
{
    pop3_engine_options o =
        options != NULL ? *options : (pop3_engine_options)POP3_ENGINE_OPTIONS_INIT;
    o.pipelining = POP3_PIPELINING_ON;
    script *s = script_logged_in(&o, NULL);
    growing asked = {0};
    for (uint32_t i = 1; i <= count; i++) {
        char line[32];
        asks_number(s, POP3_CMD_RETR, i);
        snprintf(line, sizeof line, "RETR %u\r\n", (unsigned)i);
        growing_text(&asked, line);
    }
    sends(s, asked.text);
    growing_free(&asked);
    return s;
}

static pop3_engine_options proving(void)
{
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.prove_message_ends = true;
    return o;
}

/* What somebody wrote into a mail, with everything that a reply and a message have. */
static void two_doubts_are_not_settled_by_a_reply_in_a_window(void **state)
{
    (void)state;
    script *s = windowed(NULL, 3);
    says(s, "+OK 30 octets\r\nhalf\n.\r\n+OK 7 octets\r\nforged\n.\r\n");
    sees(s, "RETR 1 reply {30 octets}\nRETR 1 body {half\n}\n"
            "RETR 1 protocol\nRETR 2 protocol\nRETR 3 protocol");
    died(s, POP3_ERR_PROTOCOL,
         "the message ends next to a bare LF and no announced size confirms that, so that what "
         "follows may belong to it");
    script_end(s);
}

static void two_doubts_alone_take_two_noops(void **state)
{
    (void)state;
    script *s = retrieving(NULL);
    says(s, "+OK 30 octets\r\nwhole\n.\r\n");
    sees(s, "RETR 1 reply {30 octets}\nRETR 1 body {whole\n}");
    asks_number(s, POP3_CMD_DELE, 1);
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "");
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "RETR 1 ok");
    sends(s, "DELE 1\r\n");
    says(s, "+OK\r\n");
    sees(s, "DELE 1 ok {}");
    script_end(s);
}

/* What is decided by a header may be a deletion. */
static void a_doubtful_end_of_top_is_not_settled_by_a_reply_in_a_window(void **state)
{
    (void)state;
    pop3_engine_options o = proving();
    o.pipelining = POP3_PIPELINING_ON;
    script *s = script_logged_in(&o, NULL);
    asks_top(s, 1, 0);
    asks_top(s, 2, 0);
    sends(s, "TOP 1 0\r\nTOP 2 0\r\n");
    says(s, "+OK\r\nhalf\n.\r\n+OK\r\nforged\r\n.\r\n");
    sees(s, "TOP 1 reply {}\nTOP 1 body {half\n}\nTOP 1 protocol\nTOP 2 protocol");
    died(s, POP3_ERR_PROTOCOL,
         "the message ends next to a bare LF and no announced size confirms that, so that what "
         "follows may belong to it");
    script_end(s);
}

static void a_doubtful_end_of_top_alone_takes_two_noops(void **state)
{
    (void)state;
    pop3_engine_options o = proving();
    script *s = script_logged_in(&o, NULL);
    asks_top(s, 1, 0);
    sends(s, "TOP 1 0\r\n");
    says(s, "+OK\r\nwhole\n.\r\n");
    sees(s, "TOP 1 reply {}\nTOP 1 body {whole\n}");
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "");
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "TOP 1 ok");
    script_end(s);
}

/* Commands submitted while the message comes in wait, though they could share a window. */
static void two_doubts_keep_the_window_empty_until_both_noops_are_answered(void **state)
{
    (void)state;
    script *s = windowed(NULL, 1);
    says(s, "+OK 30 octets\r\nwhole\n");
    asks_number(s, POP3_CMD_RETR, 2);
    asks_number(s, POP3_CMD_RETR, 3);
    says(s, ".\r\n");
    sees(s, "RETR 1 reply {30 octets}\nRETR 1 body {whole\n}");
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "");
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "RETR 1 ok");
    sends(s, "RETR 2\r\nRETR 3\r\n");
    script_free(s);
}

static void a_noop_is_not_answered_by_octets(void **state)
{
    (void)state;
    static const char *const texts[] = {"7 octets", "7 octets follow", "7 Bytes follow."};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        script *s = retrieving(NULL);
        says(s, "+OK 30 octets\r\nhalf\n.\r\n");
        sends(s, "NOOP\r\n");
        says(s, "+OK ");
        says(s, texts[i]);
        says(s, "\r\n");
        sees(s, "RETR 1 reply {30 octets}\nRETR 1 body {half\n}\nRETR 1 protocol");
        script_end(s);
    }
}

static void a_dele_is_not_answered_by_octets(void **state)
{
    (void)state;
    script *s = script_logged_in(NULL, NULL);
    asks_number(s, POP3_CMD_DELE, 1);
    sends(s, "DELE 1\r\n");
    says(s, "+OK 120 octets\r\n");
    sees(s, "DELE 1 protocol");
    died(s, POP3_ERR_PROTOCOL, "the reply belongs to another command: \"+OK 120 octets\"");
    assert_int_equal(pop3_engine_deletions(s->engine), 0);
    script_end(s);
    s = script_logged_in(NULL, NULL);
    asks_number(s, POP3_CMD_DELE, 1);
    sends(s, "DELE 1\r\n");
    says(s, "+OK 120 octets deleted\r\n");
    sees(s, "DELE 1 ok {120 octets deleted}");
    script_end(s);
}

/* WildDuck's way: what belongs to another reply is within the message. */
static void another_size_than_announced_waits_for_the_next_reply_in_a_window(void **state)
{
    (void)state;
    script *s = windowed(NULL, 2);
    says(s, "+OK 3 octets\r\na\r\n+OK 3 octets\r\n.\r\n");
    sees(s, "RETR 1 reply {3 octets}\nRETR 1 body {a\r\n+OK 3 octets\r\n}");
    says(s, "b\r\n.\r\n");
    sees(s, "RETR 1 protocol\nRETR 2 protocol");
    died(s, POP3_ERR_PROTOCOL,
         "what follows the message is not a reply, so that it may not be whole: \"b\"");
    script_end(s);
    s = windowed(NULL, 2); /* a server that counts in a way of its own */
    says(s, "+OK 3 octets\r\nabc\r\n.\r\n-ERR gone\r\n");
    sees(s, "RETR 1 reply {3 octets}\nRETR 1 body {abc\r\n}\nRETR 1 ok\nRETR 2 refused {gone}");
    script_end(s);
}

static void the_option_has_a_reply_behind_what_has_not_the_octets(void **state)
{
    (void)state;
    static const char *const replies[] = {"+OK\r\n", "+OK 3 octets\r\n", "+OK message 1\r\n"};
    pop3_engine_options o = proving();
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        script *s = retrieving(&o);
        says(s, replies[i]);
        says(s, "abc\r\n.\r\n");
        assert_int_equal(pop3_engine_pending(s->engine), 1);
        sends(s, "NOOP\r\n");
        says(s, "+OK\r\n");
        assert_int_equal(pop3_engine_pending(s->engine), 0);
        script_free(s);
    }
    script *s = retrieving(&o);
    says(s, "+OK 5 octets\r\nabc\r\n.\r\n");
    sees(s, "RETR 1 reply {5 octets}\nRETR 1 body {abc\r\n}\nRETR 1 ok");
    script_end(s);
}

static void a_command_that_waits_is_proof_enough_but_for_quit(void **state)
{
    (void)state;
    pop3_engine_options o = proving();
    o.pipelining = POP3_PIPELINING_OFF;
    script *s = script_logged_in(&o, NULL);
    asks_number(s, POP3_CMD_RETR, 1);
    asks_number(s, POP3_CMD_RETR, 2);
    asks(s, POP3_CMD_QUIT);
    sends(s, "RETR 1\r\n");
    says(s, "+OK\r\na\r\n.\r\n");
    sends(s, "RETR 2\r\n");
    says(s, "+OK\r\nb\r\n.\r\n");
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\r\n}\nRETR 1 ok\n"
            "RETR 2 reply {}\nRETR 2 body {b\r\n}");
    sends(s, "NOOP\r\n");
    says(s, "+OK\r\n");
    sees(s, "RETR 2 ok");
    sends(s, "QUIT\r\n");
    script_free(s);
}

static void a_clean_end_counts_when_the_connection_is_lost_unless_the_size_differs(void **state)
{
    (void)state;
    pop3_engine_options o = proving();
    script *s = retrieving(&o);
    says(s, "+OK\r\na\r\n.\r\n");
    sends(s, "NOOP\r\n");
    fails(s, POP3_ERR_CLOSED);
    sees(s, "RETR 1 reply {}\nRETR 1 body {a\r\n}\nRETR 1 ok");
    script_end(s);
    s = retrieving(&o);
    says(s, "+OK 30 octets\r\na\r\n.\r\n");
    sends(s, "NOOP\r\n");
    fails(s, POP3_ERR_CLOSED);
    sees(s, "RETR 1 reply {30 octets}\nRETR 1 body {a\r\n}\nRETR 1 closed");
    script_end(s);
}

static void the_size_that_list_gave_counts_as_announced(void **state)
{
    (void)state;
    pop3_engine_options o = proving();
    for (int right = 0; right < 2; right++) {
        script *s = script_logged_in(&o, NULL);
        pop3_command c = command_of(POP3_CMD_RETR, 1, NULL);
        c.octets = right ? 3 : 4;
        assert_int_equal(pop3_engine_submit(s->engine, &c), POP3_OK);
        sends(s, "RETR 1\r\n");
        says(s, "+OK\r\na\r\n.\r\n");
        sees(s, right ? "RETR 1 reply {}\nRETR 1 body {a\r\n}\nRETR 1 ok"
                      : "RETR 1 reply {}\nRETR 1 body {a\r\n}");
        script_free(s);
    }
    script *s = script_logged_in(NULL, NULL);
    pop3_command top = command_of(POP3_CMD_DELE, 1, NULL);
    top.octets = 3;
    assert_int_equal(pop3_engine_submit(s->engine, &top), POP3_ERR_ARGUMENT);
    script_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_doubtful_end_is_held_until_a_noop_has_been_answered),
        cmocka_unit_test(the_end_tells_how_the_size_compares_with_what_was_announced),
        cmocka_unit_test(a_refused_noop_settles_it_as_well),
        cmocka_unit_test(a_reply_in_flight_settles_it_without_a_noop),
        cmocka_unit_test(several_doubtful_ends_in_a_window_settle_each_other),
        cmocka_unit_test(what_follows_a_false_end_in_a_window_is_seen_for_what_it_is),
        cmocka_unit_test(what_follows_a_false_end_at_once_is_seen_for_what_it_is),
        cmocka_unit_test(what_follows_a_false_end_later_is_seen_for_what_it_is),
        cmocka_unit_test(a_line_of_dashes_after_a_false_end_is_no_reply),
        cmocka_unit_test(a_connection_that_ends_in_doubt_leaves_the_message_unfinished),
        cmocka_unit_test(commands_that_wait_go_after_the_noop),
        cmocka_unit_test(capabilities_are_asked_for_after_the_message_is_settled),
        cmocka_unit_test(ends_that_are_not_in_doubt_are_taken_at_once),
        cmocka_unit_test(an_empty_message_is_in_doubt_as_servers_forget_to_stuff_its_first_dot),
        cmocka_unit_test(the_option_takes_a_doubtful_end_at_its_word),
        cmocka_unit_test(the_engine_s_own_commands_do_not_count_as_pending),
        cmocka_unit_test(after_the_last_done_event_nothing_is_left_to_take),
        cmocka_unit_test(two_doubts_are_not_settled_by_a_reply_in_a_window),
        cmocka_unit_test(two_doubts_alone_take_two_noops),
        cmocka_unit_test(a_doubtful_end_of_top_is_not_settled_by_a_reply_in_a_window),
        cmocka_unit_test(a_doubtful_end_of_top_alone_takes_two_noops),
        cmocka_unit_test(two_doubts_keep_the_window_empty_until_both_noops_are_answered),
        cmocka_unit_test(a_noop_is_not_answered_by_octets),
        cmocka_unit_test(a_dele_is_not_answered_by_octets),
        cmocka_unit_test(another_size_than_announced_waits_for_the_next_reply_in_a_window),
        cmocka_unit_test(the_option_has_a_reply_behind_what_has_not_the_octets),
        cmocka_unit_test(a_command_that_waits_is_proof_enough_but_for_quit),
        cmocka_unit_test(a_clean_end_counts_when_the_connection_is_lost_unless_the_size_differs),
        cmocka_unit_test(the_size_that_list_gave_counts_as_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
