/* Values in text form. Each function returns whether the text is valid. */
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

/* The index of the text among words separated by blanks; -1: it is none of them. */
int p3_value_choice(const char *text, const char *words);

/* The number of letters to change, add or remove between two words (Levenshtein); SIZE_MAX for long
 * words. */
size_t p3_word_distance(const char *a, const char *b);

/* The distance below which a word is suggested for a wrong one. */
size_t p3_word_reach(const char *mistaken);

#endif
