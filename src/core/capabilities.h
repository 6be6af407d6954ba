/* The capabilities that a server announced: collected line by line, then parsed into the public
 * struct. */
#ifndef P3_CORE_CAPABILITIES_H
#define P3_CORE_CAPABILITIES_H

#include <pop3/types.h>

/* The lines of one answer to CAPA, and what they mean. All zero is empty. */
typedef struct p3_caps {
    pop3_capabilities value; /* points into the memory below */
    char *text;              /* the lines, each terminated */
    size_t text_len, text_cap;
    size_t lines;         /* number of lines */
    char **pointers;      /* after p3_caps_finish(): the lines, then the SASL mechanisms */
    char *sasl_text;      /* the SASL mechanisms, each terminated */
    char *implementation; /* copy of the IMPLEMENTATION text */
} p3_caps;

/* Frees everything and leaves c empty. */
void p3_caps_clear(p3_caps *c);

/* Adds a line. False when out of memory. */
bool p3_caps_add(p3_caps *c, pop3_str line);

/* Parses the lines into c->value. False when out of memory. */
bool p3_caps_finish(p3_caps *c);

#endif
