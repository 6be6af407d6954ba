/* Values as people write them. Each function returns whether the text is such a value. */
#ifndef P3_SETTINGS_VALUES_H
#define P3_SETTINGS_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* yes, on, true or 1; no, off, false or 0. */
bool p3_value_yes_no(const char *text, bool *out);

/* Octets; the number may end in K, M or G (of 1024). */
bool p3_value_size(const char *text, uint64_t *out);

/* Milliseconds; the number may end in ms, s, m, h, d or w, and counts seconds without. */
bool p3_value_time_ms(const char *text, int64_t *out);

/* A number from `least` to `most`. */
bool p3_value_number(const char *text, uint64_t least, uint64_t most, uint64_t *out);

/* Which of the words, separated by blanks, it is: 0 for the first; -1 for none. */
int p3_value_choice(const char *text, const char *words);

/* How many letters must be changed, added or taken away to make one word of another (Levenshtein);
 * SIZE_MAX for long words. */
size_t p3_word_distance(const char *a, const char *b);

/* How far from a mistaken word another may be to be offered in its place: nearer than this. */
size_t p3_word_reach(const char *mistaken);

#endif
