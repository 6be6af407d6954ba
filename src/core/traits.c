/* Traits of servers: their names, and sets of them. */
#include <pop3/traits.h>

#include "core/text.h"
#include "core/values.h"

#include <string.h>

static const struct {
    pop3_trait trait;
    const char *name;
} names[] = {
    {POP3_TRAIT_NO_CAPA, "no-capa"},
    {POP3_TRAIT_NO_LATE_CAPA, "no-late-capa"},
    {POP3_TRAIT_NO_APOP, "no-apop"},
    {POP3_TRAIT_BINDS_UNIQUE, "binds-unique"},
    {POP3_TRAIT_NO_INITIAL_RESPONSE, "no-initial-response"},
    {POP3_TRAIT_ONE_AT_A_TIME, "one-at-a-time"},
    {POP3_TRAIT_NO_UIDL, "no-uidl"},
    {POP3_TRAIT_NO_TOP, "no-top"},
};

static const char quit_after[] = "quit-after=";

const char *pop3_trait_name(pop3_trait trait)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].trait == trait)
            return names[i].name;
    }
    return NULL;
}

static uint32_t smaller_limit(uint32_t a, uint32_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

void pop3_server_traits_add(pop3_server_traits *to, pop3_server_traits what)
{
    to->flags |= what.flags;
    to->quit_after = smaller_limit(to->quit_after, what.quit_after);
}

pop3_server_traits pop3_server_traits_beyond(pop3_server_traits what, pop3_server_traits known)
{
    pop3_server_traits more = {.flags = what.flags & ~known.flags};
    if (smaller_limit(known.quit_after, what.quit_after) != known.quit_after)
        more.quit_after = what.quit_after;
    return more;
}

bool pop3_server_traits_empty(pop3_server_traits traits)
{
    return traits.flags == 0 && traits.quit_after == 0;
}

/* One word. */
static bool read_word(pop3_server_traits *t, pop3_str word)
{
    size_t prefix = sizeof quit_after - 1;
    uint64_t n;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!p3_equals_nocase(word, names[i].name))
            continue;
        t->flags |= (uint32_t)names[i].trait;
        return true;
    }
    if (word.len <= prefix || memcmp(word.data, quit_after, prefix) != 0)
        return false;
    word = p3_skip(word, prefix);
    if (!p3_parse_number(&word, &n) || word.len > 0 || n == 0 || n > UINT32_MAX)
        return false;
    t->quit_after = (uint32_t)n;
    return true;
}

bool pop3_server_traits_read(pop3_server_traits *traits, const char *text)
{
    pop3_server_traits t = *traits;
    for (;;) {
        text += strspn(text, ", \t");
        size_t len = strcspn(text, ", \t");
        if (len == 0)
            break;
        if (!read_word(&t, p3_span(text, len)))
            return false;
        text += len;
    }
    *traits = t;
    return true;
}

/* Appends as much of a text as there is room for. */
static void append(char *out, size_t size, size_t *len, const char *text, size_t n)
{
    if (*len + 1 < size)
        memcpy(out + *len, text, *len + n < size ? n : size - *len - 1);
    *len += n;
}

size_t pop3_server_traits_write(const pop3_server_traits *traits, char *out, size_t size)
{
    pop3_server_traits none = {0};
    const pop3_server_traits *t = traits != NULL ? traits : &none;
    char number[24];
    size_t len = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if ((t->flags & (uint32_t)names[i].trait) == 0)
            continue;
        append(out, size, &len, ", ", len > 0 ? 2 : 0);
        append(out, size, &len, names[i].name, strlen(names[i].name));
    }
    if (t->quit_after > 0) {
        append(out, size, &len, ", ", len > 0 ? 2 : 0);
        append(out, size, &len, quit_after, sizeof quit_after - 1);
        append(out, size, &len, number, p3_put_number(number, t->quit_after));
    }
    if (size > 0)
        out[len < size ? len : size - 1] = '\0';
    return len;
}
