/* Wiping of secrets. */
#ifndef P3_SYSTEM_ERASE_H
#define P3_SYSTEM_ERASE_H

#include <stddef.h>

/* Overwrites octets with zeros, also where the compiler sees that nobody reads them again. */
void p3_erase(void *p, size_t n);

#endif
