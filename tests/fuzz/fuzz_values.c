/* Fuzzing the parsers of replies: each line of the input is parsed as everything it might be. What
 * comes out lies inside of the line, and numbers are what the line's digits say. */
#include <pop3/engine.h>

#include "core/text.h"
#include "core/values.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* Whether a span lies inside of another, or is empty. */
static bool inside(pop3_str part, pop3_str whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void try_reply(pop3_str line)
{
    pop3_reply reply;
    if (!p3_parse_reply(line, &reply))
        return;
    pop3_str rest = line;
    bool is_err = p3_equals_nocase(p3_parse_word(&rest), "+ERR");
    must(line.len > 0 && reply.ok == (line.data[0] == '+' && !is_err));
    must(inside(reply.text, line) && inside(reply.code_text, line));
    must((reply.code == POP3_CODE_NONE) == (reply.code_text.len == 0));
    pop3_str challenge;
    if (p3_parse_challenge(line, &challenge))
        must(reply.ok && inside(challenge, line) && !pop3_is_status_line(line));
}

static void try_values(pop3_str line)
{
    pop3_stat stat;
    pop3_entry list, uidl;
    bool is_list = p3_parse_list_entry(line, &list);
    bool is_uidl = p3_parse_uidl_entry(line, &uidl);
    if (is_list) {
        /* Two numbers are a STAT too, and their second a unique-id. */
        must(p3_parse_stat(line, &stat) && stat.count == list.number);
        must(stat.octets == list.octets && list.number > 0);
        must(is_uidl && uidl.number == list.number);
    }
    if (is_uidl)
        must(uidl.number > 0 && inside(uidl.uid, line));
    if (p3_parse_uidl_reply(line, 3, &uidl))
        must(uidl.number == 3 && inside(uidl.uid, line));
    else
        must(is_uidl); /* it names another message */
    if (!p3_parse_list_reply(line, 3, &list))
        must(is_list);
}

static void try_number(pop3_str line)
{
    pop3_str rest = line;
    uint64_t value;
    char digits[20];
    if (!p3_parse_number(&rest, &value))
        return;
    must(inside(rest, line) && (rest.len == 0 || !p3_is_digit(rest.data[0])));
    size_t n = p3_put_number(digits, value);
    size_t taken = line.len - rest.len;
    must(n <= taken && memcmp(line.data + (taken - n), digits, n) == 0);
    for (size_t i = 0; i < taken - n; i++)
        must(line.data[i] == '0');
}

static void try_text(pop3_str line)
{
    char buffer[64];
    p3_text t = p3_text_begin(buffer, sizeof buffer);
    p3_text_add_printable(&t, line, 40);
    must(memchr(buffer, '\0', sizeof buffer) != NULL);
    for (const char *p = buffer; *p != '\0'; p++)
        must(*p >= ' ' && *p < 0x7F);
    must(inside(p3_find_timestamp(line), line));
    must(inside(p3_trim_left(line), line) && inside(p3_trim_right(line), line));
    (void)p3_is_utf8(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    while (size > 0) {
        const uint8_t *lf = memchr(data, '\n', size);
        size_t len = lf == NULL ? size : (size_t)(lf - data);
        char *copy = malloc(len > 0 ? len : 1); /* of its very size */
        if (copy == NULL)
            abort();
        memcpy(copy, data, len);
        pop3_str line = p3_span(copy, len);
        try_reply(line);
        try_values(line);
        try_number(line);
        try_text(line);
        free(copy);
        size_t used = lf == NULL ? len : len + 1;
        data += used;
        size -= used;
    }
    return 0;
}
