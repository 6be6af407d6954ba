/* Octets that may be secret: they are wiped when freed, and never moved without wiping. */
#ifndef P3_CORE_OCTETS_H
#define P3_CORE_OCTETS_H

#include <pop3/types.h>

/* All zero is empty. A NUL that does not count always follows the octets. */
typedef struct p3_octets {
    char *data;
    size_t len;
    size_t size; /* octets allocated */
} p3_octets;

/* Makes an empty buffer with room for n octets. False when out of memory. */
bool p3_octets_init(p3_octets *o, size_t n);

/* Appends, growing where needed. False when out of memory. */
bool p3_octets_add(p3_octets *o, const char *data, size_t n);
bool p3_octets_add_text(p3_octets *o, const char *text);

/* Appends texts up to a NULL, one after the other. */
__attribute__((sentinel)) bool p3_octets_add_texts(p3_octets *o, ...);

/* Wipes and frees. */
void p3_octets_free(p3_octets *o);

#endif
