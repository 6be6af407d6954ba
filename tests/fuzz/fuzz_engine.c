/* Fuzzing the engine: the input says which commands are submitted and what the server sends, which
 * is fed in pieces of several sizes. Whatever comes, each command ends exactly once, no chunk is
 * empty, and every span can be read until the next call. */
#include <pop3/engine.h>

#include <stdlib.h>
#include <string.h>

/* What was told. The digest makes sure that every span is read. */
typedef struct story {
    uint64_t hash;
    size_t submitted;
    size_t over;
} story;

static void mix(story *s, const void *data, size_t len)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < len; i++)
        s->hash = (s->hash ^ p[i]) * UINT64_C(1099511628211);
}

static void tell(story *s, const pop3_event *ev)
{
    if (ev->kind != POP3_EVENT_BODY) {
        int head[] = {(int)ev->kind, (int)ev->command, (int)ev->number, (int)ev->status,
                      (int)ev->reply.code};
        mix(s, head, sizeof head);
        mix(s, ev->reply.line.data, ev->reply.line.len);
        mix(s, ev->reply.text.data, ev->reply.text.len);
    } else if (ev->data.len == 0) {
        abort(); /* a chunk without octets */
    }
    mix(s, ev->data.data, ev->data.len);
    mix(s, &ev->stat, sizeof ev->stat);
    mix(s, ev->entry.uid.data, ev->entry.uid.len);
    if (ev->kind == POP3_EVENT_DONE)
        s->over++;
}

static void take_events(pop3_engine *e, story *s)
{
    pop3_event ev;
    while (pop3_engine_next(e, &ev)) {
        tell(s, &ev);
        if (ev.kind == POP3_EVENT_CHALLENGE)
            (void)pop3_engine_respond(e, (pop3_str){"dGVzdA==", 8});
    }
    if (pop3_engine_wants_tls(e))
        pop3_engine_tls_started(e);
}

/* Takes and drops what the engine sends. */
static void drain(pop3_engine *e)
{
    for (;;) {
        size_t len;
        (void)pop3_engine_output(e, &len);
        if (len == 0)
            return;
        pop3_engine_sent(e, len);
    }
}

static void submit(pop3_engine *e, story *s, unsigned char choice)
{
    pop3_command c = POP3_COMMAND_INIT;
    c.kind = (pop3_command_kind)(1 + choice % POP3_CMD_RAW_LIST);
    switch (c.kind) {
    case POP3_CMD_USER:
    case POP3_CMD_PASS:
    case POP3_CMD_APOP:
    case POP3_CMD_RPOP:
    case POP3_CMD_AUTH:
    case POP3_CMD_LANG:
    case POP3_CMD_RAW:
    case POP3_CMD_RAW_LIST:
        c.text = (pop3_str){"X", 1};
        break;
    case POP3_CMD_LIST_ONE:
    case POP3_CMD_UIDL_ONE:
    case POP3_CMD_RETR:
    case POP3_CMD_TOP:
    case POP3_CMD_DELE:
        c.number = 1 + choice / POP3_CMD_RAW_LIST;
        break;
    default:
        break;
    }
    if (pop3_engine_submit(e, &c) == POP3_OK)
        s->submitted++;
}

/* Plays the server's octets, `step` at a time (0: all at once). */
static void play(const uint8_t *commands, size_t count, const uint8_t *data, size_t size,
                 size_t step, pop3_pipelining pipelining)
{
    story s = {.hash = UINT64_C(14695981039346656037)};
    pop3_engine *e;
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.pipelining = pipelining;
    o.limits.reply_line = 512;
    o.limits.message_octets = 4096;
    o.limits.entries = 64;
    o.limits.capabilities = 16;
    if (pop3_engine_new(&e, &o) != POP3_OK)
        abort();
    for (size_t i = 0; i < count; i++)
        submit(e, &s, commands[i]);
    for (size_t at = 0; at < size;) {
        size_t n = step == 0 || step > size - at ? size - at : step;
        char *copy = malloc(n); /* of its own, so that a span that outlives it is caught */
        if (copy == NULL)
            abort();
        memcpy(copy, data + at, n);
        drain(e);
        if (pop3_engine_feed(e, copy, n) != POP3_OK)
            abort();
        take_events(e, &s);
        free(copy);
        at += n;
    }
    pop3_engine_fail(e, POP3_ERR_CLOSED);
    take_events(e, &s);
    if (pop3_engine_state(e) == POP3_STATE_DEAD && pop3_engine_pending(e) != 0)
        abort(); /* a command without an end */
    if (pop3_engine_state(e) == POP3_STATE_DEAD && s.over != s.submitted)
        abort();
    pop3_engine_free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 1 << 16)
        return 0;
    size_t count = data[0] % 24;
    pop3_pipelining pipelining = (pop3_pipelining)(data[1] % 3);
    data += 2;
    size -= 2;
    if (count > size)
        return 0;
    /* When commands go out depends on when replies come in, so stories of different cuts may
     * differ: that the same replies give the same events however cut is pinned by the unit tests.
     * Here each cut is to do no harm. */
    static const size_t steps[] = {0, 1, 2, 7, 64};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        play(data, count, data + count, size - count, steps[i], pipelining);
    return 0;
}
