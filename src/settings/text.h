/* String functions. */
#ifndef P3_SETTINGS_TEXT_H
#define P3_SETTINGS_TEXT_H

/* Joins strings, the last argument being NULL. Returns NULL when out of memory; free() it. */
char *p3_text_join(const char *first, ...) __attribute__((sentinel));

#endif
