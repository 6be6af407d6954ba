/* Engine tests as transcripts: see engine_script.h. */
#include "engine_script.h"

#include <stdio.h>

void growing_add(growing *g, const char *data, size_t len)
{
    if (g->len + len + 1 > g->cap) {
        g->cap = (g->len + len + 1) * 2;
        g->text = realloc(g->text, g->cap);
        assert_non_null(g->text);
    }
    if (len > 0)
        memcpy(g->text + g->len, data, len);
    g->len += len;
    g->text[g->len] = '\0';
}

void growing_text(growing *g, const char *text)
{
    growing_add(g, text, strlen(text));
}

void growing_free(growing *g)
{
    free(g->text);
    *g = (growing){0};
}

/* Octets of the server: a NUL, which would cut the text short, is shown as two characters. */
static void growing_octets(growing *g, pop3_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\0')
            growing_text(g, "\\0");
        else
            growing_add(g, &s.data[i], 1);
    }
}

static void growing_braces(growing *g, pop3_str s)
{
    growing_text(g, "{");
    growing_octets(g, s);
    growing_text(g, "}");
}

static void growing_number(growing *g, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, " %llu", (unsigned long long)value);
    growing_text(g, text);
}

static void write_entry(growing *g, const pop3_event *ev)
{
    if (ev->entry.number == 0)
        return;
    growing_number(g, ev->entry.number);
    if (ev->command == POP3_CMD_LIST || ev->command == POP3_CMD_LIST_ONE) {
        growing_number(g, ev->entry.octets);
    } else {
        growing_text(g, " ");
        growing_braces(g, ev->entry.uid);
    }
}

static void write_end(growing *g, const pop3_event *ev)
{
    growing_text(g, " ");
    growing_text(g, pop3_status_name(ev->status));
    if (ev->kind == POP3_EVENT_DONE && !ev->sent)
        growing_text(g, " unsent");
    if (ev->reply.code_text.len > 0) {
        growing_text(g, " [");
        growing_octets(g, ev->reply.code_text);
        growing_text(g, "]");
    }
    if (ev->reply.line.len > 0) {
        growing_text(g, " ");
        growing_braces(g, ev->reply.text);
    }
    if (ev->command == POP3_CMD_STAT && ev->status == POP3_OK) {
        growing_number(g, ev->stat.count);
        growing_number(g, ev->stat.octets);
    }
    write_entry(g, ev);
}

void write_event(growing *g, bool *body_open, const pop3_event *ev)
{
    if (*body_open && ev->kind == POP3_EVENT_BODY) {
        growing_octets(g, ev->data);
        return;
    }
    if (*body_open)
        growing_text(g, "}");
    *body_open = false;
    if (g->len > 0)
        growing_text(g, "\n");
    growing_text(g, pop3_command_name(ev->command));
    if (ev->number > 0)
        growing_number(g, ev->number);
    switch (ev->kind) {
    case POP3_EVENT_GREETING:
    case POP3_EVENT_DONE:
        write_end(g, ev);
        break;
    case POP3_EVENT_REPLY:
        growing_text(g, " reply ");
        growing_braces(g, ev->reply.text);
        break;
    case POP3_EVENT_BODY:
        growing_text(g, " body {");
        growing_octets(g, ev->data);
        *body_open = true;
        break;
    case POP3_EVENT_ENTRY:
        growing_text(g, " entry");
        if (ev->entry.number == 0) {
            growing_text(g, " ");
            growing_braces(g, ev->data);
        }
        write_entry(g, ev);
        break;
    case POP3_EVENT_CHALLENGE:
        growing_text(g, " challenge ");
        growing_braces(g, ev->data);
        break;
    }
}

/* One line for each call: "> line" sent, "< line" received, "- note", ". listing", "# body". */
static void gather_trace(void *ctx, pop3_trace_kind kind, const char *data, size_t len)
{
    static const char *const marks[] = {"> ", "< ", "- ", ". ", "# "};
    script *s = ctx;
    growing_text(&s->trace, marks[kind]);
    growing_octets(&s->trace, (pop3_str){data, len});
    growing_text(&s->trace, "\n");
}

pop3_engine_options with_pipelining(pop3_pipelining pipelining)
{
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.pipelining = pipelining;
    return o;
}

script *script_begin(const pop3_engine_options *options)
{
    script *s = calloc(1, sizeof *s);
    assert_non_null(s);
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    if (options != NULL)
        o = *options;
    o.trace = gather_trace;
    o.trace_ctx = s;
    assert_int_equal(pop3_engine_new(&s->engine, &o), POP3_OK);
    growing_text(&s->events, "");
    growing_text(&s->trace, "");
    return s;
}

script *script_logged_in(const pop3_engine_options *options, const char *capabilities)
{
    script *s = script_begin(options);
    says(s, "+OK ready\r\n");
    sees(s, "greeting ok {ready}");
    asks_text(s, POP3_CMD_PASS, "x");
    sends(s, "PASS x\r\n");
    says(s, "+OK\r\n");
    sees(s, "PASS ok {}");
    if (capabilities != NULL) {
        asks(s, POP3_CMD_CAPA);
        sends(s, "CAPA\r\n");
        says(s, "+OK\r\n");
        says(s, capabilities);
        says(s, ".\r\n");
        growing_free(&s->events);
        growing_text(&s->events, "");
    }
    return s;
}

void script_free(script *s)
{
    pop3_engine_free(s->engine);
    growing_free(&s->events);
    growing_free(&s->trace);
    free(s);
}

void script_end_at(script *s, const char *file, int line)
{
    sees_at(s, "", file, line);
    sends_at(s, "", file, line);
    script_free(s);
}

void script_drain(script *s)
{
    pop3_event ev;
    while (pop3_engine_next(s->engine, &ev))
        write_event(&s->events, &s->body_open, &ev);
}

void says_octets(script *s, const char *data, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    assert_int_equal(pop3_engine_feed(s->engine, copy, len), POP3_OK);
    script_drain(s);
    free(copy); /* all of it has been used: nothing may point into it any more */
}

void says(script *s, const char *text)
{
    says_octets(s, text, strlen(text));
}

void fails(script *s, pop3_status status)
{
    pop3_engine_fail(s->engine, status);
    script_drain(s);
}

pop3_command command_of(pop3_command_kind kind, uint32_t number, const char *text)
{
    pop3_command c = POP3_COMMAND_INIT;
    c.kind = kind;
    c.number = number;
    if (text != NULL)
        c.text = (pop3_str){text, strlen(text)};
    return c;
}

static void submit(script *s, const pop3_command *c)
{
    assert_int_equal(pop3_engine_submit(s->engine, c), POP3_OK);
}

void asks(script *s, pop3_command_kind kind)
{
    asks_number(s, kind, 0);
}

void asks_number(script *s, pop3_command_kind kind, uint32_t number)
{
    pop3_command c = command_of(kind, number, NULL);
    submit(s, &c);
}

void asks_text(script *s, pop3_command_kind kind, const char *text)
{
    pop3_command c = command_of(kind, 0, text);
    submit(s, &c);
}

void asks_top(script *s, uint32_t number, uint32_t lines)
{
    pop3_command c = command_of(POP3_CMD_TOP, number, NULL);
    c.lines = lines;
    submit(s, &c);
}

void asks_auth(script *s, const char *mechanism, const char *initial)
{
    pop3_command c = command_of(POP3_CMD_AUTH, 0, mechanism);
    if (initial != NULL)
        c.initial = (pop3_str){initial, strlen(initial)};
    submit(s, &c);
}

void sees_at(script *s, const char *expected, const char *file, int line)
{
    if (s->body_open)
        growing_text(&s->events, "}");
    s->body_open = false;
    _assert_string_equal(s->events.text, expected, file, line);
    s->events.len = 0;
    s->events.text[0] = '\0';
}

void sends_at(script *s, const char *expected, const char *file, int line)
{
    size_t len;
    const char *octets = pop3_engine_output(s->engine, &len);
    growing sent = {0};
    growing_octets(&sent, (pop3_str){octets, len});
    growing_text(&sent, "");
    _assert_string_equal(sent.text, expected, file, line);
    growing_free(&sent);
    pop3_engine_sent(s->engine, len);
}

void died_at(script *s, pop3_status status, const char *detail, const char *file, int line)
{
    const char *said;
    pop3_status how = pop3_engine_error(s->engine, &said);
    _assert_int_equal(pop3_engine_state(s->engine), POP3_STATE_DEAD, file, line);
    _assert_string_equal(pop3_status_name(how), pop3_status_name(status), file, line);
    _assert_string_equal(said, detail, file, line);
}
