/* Text and octets that grow. A test that runs out of memory is over. */
#ifndef TESTS_SUPPORT_TEXT_H
#define TESTS_SUPPORT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets, terminated by a NUL that does not count. Begin with {0}, end with free(data). */
typedef struct text {
    char *data;
    size_t len, cap;
} text;

void text_add(text *t, const char *data, size_t len);

/* As printf(). */
__attribute__((format(printf, 2, 3))) void text_print(text *t, const char *format, ...);

/* A whole file, or {0} when it cannot be read. */
text text_of_file(const char *path);

/* Writes a file. False when that fails. */
bool text_to_file(const char *path, const char *data, size_t len);

/* How often `needle` occurs. */
size_t text_count(const char *haystack, const char *needle);

/* A hash of octets that come in pieces (FNV-1a, 64 bits). Begin with HASH_BEGIN. */
#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)
uint64_t hash_octets(uint64_t hash, const char *data, size_t len);

#endif
