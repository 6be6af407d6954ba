/* Opens an address in the user's browser. */
#ifndef P3_CLI_BROWSER_H
#define P3_CLI_BROWSER_H

#include <stdbool.h>

/* Opens an address by xdg-open, without a shell. Returns whether that was started; it is not
 * without a desktop. Does not wait. */
bool p3_browser_open(const char *url);

#endif
