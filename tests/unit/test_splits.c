/* The events are the same for any split of the input: each transcript is fed whole, octet by octet,
 * cut in two at every place, and cut at random. Each piece is a block of its own size, so that a
 * sanitizer sees a read beyond it, and is freed once it is used up. */
#include "engine_script.h"
#include "transcripts.h"

/* How the server's octets are cut. The first n octets of a step that are left: how many come next?
 */
typedef struct cutter {
    size_t piece;    /* pieces of this size, when not 0 */
    size_t cut_at;   /* else a cut behind this octet of the whole transcript, when not 0 */
    uint64_t random; /* else pieces of random sizes, when not 0 */
} cutter;

static size_t next_piece(cutter *how, size_t behind, size_t left)
{
    size_t n = left;
    if (how->piece > 0) {
        n = how->piece;
    } else if (how->cut_at > behind) {
        n = how->cut_at - behind;
    } else if (how->random > 0) {
        how->random ^= how->random << 13;
        how->random ^= how->random >> 7;
        how->random ^= how->random << 17;
        n = 1 + (size_t)((how->random >> 40) % 7);
    }
    return n < left ? n : left;
}

/* What a conversation came to. */
typedef struct outcome {
    growing events;
    growing sent;
    pop3_state state;
    pop3_status error;
} outcome;

typedef struct conversation {
    pop3_engine *engine;
    outcome out;
    bool body_open;
} conversation;

static pop3_command_kind kind_of(const char *word, size_t len, bool argument)
{
    for (int k = POP3_CMD_CAPA; k <= POP3_CMD_QUIT; k++) {
        bool one = k == POP3_CMD_LIST_ONE || k == POP3_CMD_UIDL_ONE;
        bool all = k == POP3_CMD_LIST || k == POP3_CMD_UIDL || k == POP3_CMD_LANG_LIST;
        bool either = k == POP3_CMD_LANG;
        const char *name = pop3_command_name((pop3_command_kind)k);
        if (strlen(name) != len || memcmp(name, word, len) != 0)
            continue;
        if ((one || either) && !argument)
            continue;
        if (all && argument)
            continue;
        return (pop3_command_kind)k;
    }
    fail_msg("no command is named %.*s", (int)len, word);
    return POP3_CMD_NONE;
}

/* Submits one line of a step's commands. */
static void ask(conversation *c, const char *line, size_t len)
{
    pop3_command command = POP3_COMMAND_INIT;
    if (line[0] == '*' || line[0] == '@') {
        command.kind = line[0] == '*' ? POP3_CMD_RAW : POP3_CMD_RAW_LIST;
        command.text = (pop3_str){line + 1, len - 1};
    } else {
        const char *blank = memchr(line, ' ', len);
        size_t word = blank == NULL ? len : (size_t)(blank - line);
        command.kind = kind_of(line, word, blank != NULL);
        char *end = NULL;
        if (blank != NULL)
            command.number = (uint32_t)strtoul(blank, &end, 10);
        if (command.number == 0 && blank != NULL)
            command.text = (pop3_str){blank + 1, len - word - 1};
        else if (command.kind == POP3_CMD_TOP)
            command.lines = (uint32_t)strtoul(end, NULL, 10);
    }
    assert_int_equal(pop3_engine_submit(c->engine, &command), POP3_OK);
}

static void ask_all(conversation *c, const char *lines)
{
    while (*lines != '\0') {
        size_t len = strcspn(lines, "\n");
        ask(c, lines, len);
        lines += len + (lines[len] == '\n');
    }
}

static void gather_output(conversation *c)
{
    size_t len;
    const char *octets = pop3_engine_output(c->engine, &len);
    growing_add(&c->out.sent, octets, len);
    pop3_engine_sent(c->engine, len);
}

static void feed_piece(conversation *c, const char *data, size_t len)
{
    static const pop3_str response = {"QUI=", 4};
    char *piece = malloc(len);
    assert_non_null(piece);
    memcpy(piece, data, len);
    assert_int_equal(pop3_engine_feed(c->engine, piece, len), POP3_OK);
    pop3_event ev;
    while (pop3_engine_next(c->engine, &ev)) {
        write_event(&c->out.events, &c->body_open, &ev);
        if (ev.kind == POP3_EVENT_CHALLENGE)
            assert_int_equal(pop3_engine_respond(c->engine, response), POP3_OK);
    }
    free(piece);
    gather_output(c);
}

static outcome converse(const transcript *t, cutter how)
{
    pop3_engine_options o = with_pipelining(POP3_PIPELINING_ON);
    conversation c = {0};
    assert_int_equal(pop3_engine_new(&c.engine, &o), POP3_OK);
    growing_text(&c.out.events, "");
    growing_text(&c.out.sent, "");
    const char *greeting = t->greeting == NULL ? "+OK ready\r\n" : t->greeting;
    step steps[1 + sizeof t->steps / sizeof t->steps[0]] = {{"", greeting, strlen(greeting)}};
    memcpy(steps + 1, t->steps, sizeof t->steps);
    size_t behind = 0;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && steps[i].asks != NULL; i++) {
        ask_all(&c, steps[i].asks);
        gather_output(&c);
        for (size_t at = 0; at < steps[i].len;) {
            size_t n = next_piece(&how, behind, steps[i].len - at);
            feed_piece(&c, steps[i].says + at, n);
            at += n;
            behind += n;
        }
        if (pop3_engine_wants_tls(c.engine))
            pop3_engine_tls_started(c.engine);
    }
    if (c.body_open)
        growing_text(&c.out.events, "}");
    c.out.state = pop3_engine_state(c.engine);
    c.out.error = pop3_engine_error(c.engine, NULL);
    pop3_engine_free(c.engine);
    return c.out;
}

static void outcome_free(outcome *o)
{
    growing_free(&o->events);
    growing_free(&o->sent);
}

static void check_same(const transcript *t, cutter how, const outcome *whole)
{
    outcome o = converse(t, how);
    if (strcmp(o.events.text, whole->events.text) != 0 ||
        strcmp(o.sent.text, whole->sent.text) != 0 || o.state != whole->state ||
        o.error != whole->error)
        print_error("pieces of %zu, cut at %zu\n", how.piece, how.cut_at);
    assert_string_equal(o.events.text, whole->events.text);
    assert_string_equal(o.sent.text, whole->sent.text);
    assert_int_equal(o.state, whole->state);
    assert_int_equal(o.error, whole->error);
    outcome_free(&o);
}

static size_t octets_of(const transcript *t)
{
    size_t n = t->greeting == NULL ? strlen("+OK ready\r\n") : strlen(t->greeting);
    for (size_t i = 0; i < sizeof t->steps / sizeof t->steps[0]; i++)
        n += t->steps[i].len;
    return n;
}

static void gives_the_same_events_for_any_split(void **state)
{
    const transcript *t = *state;
    outcome whole = converse(t, (cutter){0});
    growing expected = {0};
    growing_text(&expected, "greeting ok {ready}");
    growing_text(&expected, *t->sees == '\0' ? "" : "\n");
    growing_text(&expected, t->sees);
    assert_string_equal(whole.events.text, expected.text);
    assert_string_equal(whole.sent.text, t->sends);
    for (size_t piece = 1; piece <= 5; piece++)
        check_same(t, (cutter){.piece = piece}, &whole);
    for (size_t at = 1; at < octets_of(t); at++)
        check_same(t, (cutter){.cut_at = at}, &whole);
    for (uint64_t seed = 1; seed <= 100; seed++)
        check_same(t, (cutter){.random = seed * 0x9E3779B97F4A7C15u}, &whole);
    growing_free(&expected);
    outcome_free(&whole);
}

int main(void)
{
    struct CMUnitTest *tests = calloc(transcript_count, sizeof *tests);
    if (tests == NULL)
        return 1;
    for (size_t i = 0; i < transcript_count; i++) {
        tests[i] = (struct CMUnitTest){
            .name = transcripts[i].name,
            .test_func = gives_the_same_events_for_any_split,
            .initial_state = (void *)(uintptr_t)&transcripts[i],
        };
    }
    int failed = _cmocka_run_group_tests("splits", tests, transcript_count, NULL, NULL);
    free(tests);
    return failed;
}
