/* Cuts a script into words: blanks part them, # begins a comment, and "strings" have the escapes
 * \r \n \t \0 \\ \" and \xHH. A string may be a part of a word: cert="my file.pem". */
#define _POSIX_C_SOURCE 200809L
#include "script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void script_complain(const char *name, unsigned line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    flockfile(stderr);
    (void)fprintf(stderr, "script %s:%u: ", name, line);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    funlockfile(stderr);
    va_end(args);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

/* Reads the escape after a backslash. */
static bool escape(struct words_reader *r, char *octet)
{
    static const char names[] = "rnt0\\\"";
    static const char octets[] = "\r\n\t\0\\\"";
    const char *name = r->p < r->end && *r->p != '\0' ? strchr(names, *r->p) : NULL;
    if (name != NULL) {
        *octet = octets[name - names];
        r->p++;
        return true;
    }
    if (r->end - r->p >= 3 && *r->p == 'x') {
        int high = hex_value(r->p[1]);
        int low = hex_value(r->p[2]);
        if (high >= 0 && low >= 0) {
            *octet = (char)(unsigned char)(high * 16 + low);
            r->p += 3;
            return true;
        }
    }
    script_complain(r->name, r->line, "a backslash is followed by one of r n t 0 \\ \" xHH");
    return false;
}

/* Adds the string that begins at p to the word. */
static bool quoted(struct words_reader *r, struct text *text)
{
    r->p++;
    while (r->p < r->end && *r->p != '"' && *r->p != '\n') {
        char octet = *r->p++;
        if (octet == '\\' && !escape(r, &octet)) {
            return false;
        }
        text->data[text->len++] = octet;
    }
    if (r->p == r->end || *r->p != '"') {
        script_complain(r->name, r->line, "a string has no end");
        return false;
    }
    r->p++;
    return true;
}

static bool ends_word(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum word_kind words_next(struct words_reader *r, struct text *text)
{
    text->data = NULL;
    text->len = 0;
    while (r->p < r->end && *r->p != '\n' && ends_word(*r->p)) {
        r->p++;
    }
    if (r->p < r->end && *r->p == '#') {
        const char *lf = memchr(r->p, '\n', (size_t)(r->end - r->p));
        r->p = lf != NULL ? lf : r->end;
    }
    if (r->p == r->end) {
        return WORD_OVER;
    }
    if (*r->p == '\n') {
        r->p++;
        r->line++;
        return WORD_BREAK;
    }
    if (r->end - r->p == 1 || ends_word(r->p[1])) {
        switch (*r->p) {
        case ';':
            r->p++;
            return WORD_BREAK;
        case '{':
            r->p++;
            return WORD_OPEN;
        case '}':
            r->p++;
            return WORD_CLOSE;
        default:
            break;
        }
    }
    const char *lf = memchr(r->p, '\n', (size_t)(r->end - r->p));
    text->data = malloc((size_t)((lf != NULL ? lf : r->end) - r->p) + 1);
    if (text->data == NULL) {
        script_complain(r->name, r->line, "out of memory");
        return WORD_BAD;
    }
    while (r->p < r->end && !ends_word(*r->p)) {
        if (*r->p == '"') {
            if (!quoted(r, text)) {
                free(text->data);
                text->data = NULL;
                return WORD_BAD;
            }
        } else {
            text->data[text->len++] = *r->p++;
        }
    }
    text->data[text->len] = '\0';
    return WORD_TEXT;
}
