/* Text and octets that grow. */
#include "support/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void make_room(text *t, size_t len)
{
    if (t->cap - t->len > len)
        return;
    size_t cap = t->len + len + 1;
    if (cap < t->cap * 2)
        cap = t->cap * 2;
    char *data = realloc(t->data, cap);
    if (data == NULL) {
        fprintf(stderr, "out of memory in a test\n");
        abort();
    }
    t->data = data;
    t->cap = cap;
}

void text_add(text *t, const char *data, size_t len)
{
    make_room(t, len);
    memcpy(t->data + t->len, data, len);
    t->len += len;
    t->data[t->len] = '\0';
}

void text_print(text *t, const char *format, ...)
{
    char piece[2000];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof piece) {
        fprintf(stderr, "a piece of text in a test is too long\n");
        abort();
    }
    text_add(t, piece, (size_t)n);
}

text text_of_file(const char *path)
{
    text all = {0};
    char piece[65536];
    size_t n;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return all;
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        text_add(&all, piece, n);
    text_add(&all, "", 0);
    fclose(file);
    return all;
}

bool text_to_file(const char *path, const char *data, size_t len)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return false;
    bool ok = fwrite(data, 1, len, file) == len;
    return fclose(file) == 0 && ok;
}

size_t text_count(const char *haystack, const char *needle)
{
    size_t count = 0;
    for (const char *at = haystack; (at = strstr(at, needle)) != NULL; at += strlen(needle))
        count++;
    return count;
}

uint64_t hash_octets(uint64_t hash, const char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
    return hash;
}
