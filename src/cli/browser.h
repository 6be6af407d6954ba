/* Opens an address in the person's browser. */
#ifndef P3_CLI_BROWSER_H
#define P3_CLI_BROWSER_H

#include <stdbool.h>

/* Has the desktop open an address, by xdg-open and without a shell. Returns whether that was begun:
 * not where there is no desktop. Nothing is waited for. */
bool p3_browser_open(const char *url);

#endif
