/* Wiping of secrets. */
#ifndef P3_SYSTEM_ERASE_H
#define P3_SYSTEM_ERASE_H

#include <stddef.h>

/* Overwrites octets with zeros, even if the compiler sees that they are not read again. */
void p3_erase(void *p, size_t n);

#endif
