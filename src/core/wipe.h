/* Wiping of secrets: stores of zeros that the compiler may not remove. */
#ifndef P3_CORE_WIPE_H
#define P3_CORE_WIPE_H

#include <stddef.h>

/* Overwrites n octets at p with zeros. p may be NULL when n is 0. */
void p3_wipe(void *p, size_t n);

/* Wipes n octets at p, then frees p. p may be NULL. */
void p3_wipe_free(void *p, size_t n);

#endif
