/* Parsers of replies: status lines, STAT, LIST and UIDL entries. */
#include "core/values.h"

#include "core/text.h"

#include <pop3/engine.h>

#include <string.h>

/* Splits "[CODE] text" (RFC 2449 §8). Text without a complete code is unchanged. */
static void parse_code(pop3_reply *reply)
{
    static const struct {
        const char *name;
        pop3_response_code code;
    } known[] = {
        {"AUTH", POP3_CODE_AUTH},
        {"SYS/TEMP", POP3_CODE_SYS_TEMP},
        {"SYS/PERM", POP3_CODE_SYS_PERM},
        {"IN-USE", POP3_CODE_IN_USE},
        {"LOGIN-DELAY", POP3_CODE_LOGIN_DELAY},
        {"UTF8", POP3_CODE_UTF8},
    };
    pop3_str text = reply->text;
    if (text.len < 3 || text.data[0] != '[')
        return;
    const char *close = memchr(text.data, ']', text.len);
    if (close == NULL || close == text.data + 1)
        return;
    reply->code_text = p3_span(text.data + 1, (size_t)(close - text.data) - 1);
    reply->code = POP3_CODE_OTHER;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (p3_equals_nocase(reply->code_text, known[i].name))
            reply->code = known[i].code;
    }
    size_t used = reply->code_text.len + 2;
    reply->text = p3_trim_left(p3_skip(text, used));
}

/* hMailServer has sent "+ERR" instead of "-ERR". It never means success. */
static bool is_err(pop3_str word)
{
    return p3_equals_nocase(word, "-ERR") || p3_equals_nocase(word, "+ERR");
}

bool p3_parse_reply(pop3_str line, pop3_reply *reply)
{
    *reply = (pop3_reply){.line = line};
    if (line.len == 0 || (line.data[0] != '+' && line.data[0] != '-'))
        return false;
    pop3_str rest = line;
    reply->ok = !is_err(p3_parse_word(&rest)) && line.data[0] == '+';
    reply->text = p3_trim_right(rest);
    parse_code(reply);
    return true;
}

bool pop3_is_status_line(pop3_str line)
{
    pop3_str word = p3_parse_word(&line);
    return p3_equals_nocase(word, "+OK") || is_err(word);
}

bool p3_parse_challenge(pop3_str line, pop3_str *challenge)
{
    if (line.len == 0 || line.data[0] != '+')
        return false;
    pop3_str word = p3_parse_word(&line);
    if (word.len != 1)
        return false;
    *challenge = p3_trim_right(line);
    return true;
}

bool p3_parse_number(pop3_str *s, uint64_t *value)
{
    uint64_t v = 0;
    size_t n = 0;
    for (; n < s->len && p3_is_digit(s->data[n]); n++) {
        unsigned digit = (unsigned)(s->data[n] - '0');
        bool full = n >= 19; /* nineteen digits always fit */
        if (full && (v > UINT64_MAX / 10 || v * 10 > UINT64_MAX - digit))
            return false;
        v = v * 10 + digit;
    }
    if (n == 0)
        return false;
    *value = v;
    *s = p3_skip(*s, n);
    return true;
}

/* A number followed by blanks or the end. */
static bool take_field(pop3_str *s, uint64_t *value)
{
    if (!p3_parse_number(s, value) || (s->len > 0 && !p3_is_blank(s->data[0])))
        return false;
    *s = p3_trim_left(*s);
    return true;
}

static bool take_message_number(pop3_str *s, uint32_t *number)
{
    uint64_t v;
    if (!take_field(s, &v) || v == 0 || v > UINT32_MAX)
        return false;
    *number = (uint32_t)v;
    return true;
}

/* A size, if it is a number. */
static uint64_t take_octets(pop3_str *s)
{
    uint64_t v;
    return take_field(s, &v) ? v : POP3_OCTETS_UNKNOWN;
}

bool p3_parse_stat(pop3_str text, pop3_stat *stat)
{
    pop3_str s = p3_trim_left(text);
    *stat = (pop3_stat){0};
    if (!take_field(&s, &stat->count))
        return false;
    stat->octets = take_octets(&s);
    return true;
}

bool p3_parse_list_entry(pop3_str text, pop3_entry *entry)
{
    pop3_str s = p3_trim_left(text);
    *entry = (pop3_entry){0};
    if (!take_message_number(&s, &entry->number))
        return false;
    entry->octets = take_octets(&s);
    return true;
}

bool p3_parse_uidl_entry(pop3_str text, pop3_entry *entry)
{
    pop3_str s = p3_trim_left(text);
    *entry = (pop3_entry){0};
    if (!take_message_number(&s, &entry->number))
        return false;
    entry->uid = p3_trim_right(s);
    return true;
}

bool p3_parse_list_reply(pop3_str text, uint32_t number, pop3_entry *entry)
{
    if (p3_parse_list_entry(text, entry))
        return entry->number == number;
    *entry = (pop3_entry){.number = number, .octets = POP3_OCTETS_UNKNOWN};
    return true;
}

bool p3_parse_uidl_reply(pop3_str text, uint32_t number, pop3_entry *entry)
{
    if (p3_parse_uidl_entry(text, entry) && (entry->uid.len > 0 || entry->number == number))
        return entry->number == number;
    *entry = (pop3_entry){.number = number};
    pop3_str uid = p3_trim_right(p3_trim_left(text));
    pop3_str word = uid;
    p3_parse_word(&word);
    if (word.len == 0) /* a unique-id is one word: several words are a remark */
        entry->uid = uid;
    return true;
}

bool p3_parse_octets(pop3_str text, uint64_t *octets, bool *in_words)
{
    pop3_str s = p3_trim_left(text);
    *in_words = false;
    if (!take_field(&s, octets))
        return false;
    pop3_str word = p3_parse_word(&s);
    while (word.len > 0 && (word.data[word.len - 1] == '.' || word.data[word.len - 1] == ':'))
        word.len--;
    *in_words = p3_equals_nocase(word, "octets") || p3_equals_nocase(word, "bytes");
    return true;
}

bool p3_is_announcement(pop3_str text)
{
    uint64_t octets;
    bool in_words;
    if (!p3_parse_octets(text, &octets, &in_words) || !in_words)
        return false;
    pop3_str s = p3_trim_left(text);
    p3_parse_word(&s);
    p3_parse_word(&s);
    return s.len == 0 || p3_equals_nocase(p3_span(s.data, s.len < 6 ? s.len : 6), "follow");
}

pop3_str p3_find_timestamp(pop3_str greeting)
{
    const char *end = p3_skip(greeting, greeting.len).data;
    for (const char *close = end; close > greeting.data;) {
        if (*--close != '>')
            continue;
        bool at = false;
        for (const char *p = close; p > greeting.data;) {
            unsigned char c = (unsigned char)*--p;
            if (c == '<') {
                if (at)
                    return p3_span(p, (size_t)(close - p) + 1);
                break;
            }
            if (c <= ' ' || c >= 0x7F || c == '>')
                break;
            at = at || c == '@';
        }
    }
    return p3_span(NULL, 0);
}
