/* The text of --help. README.md is the manual. */
#ifndef TESTSERVER_USAGE_H
#define TESTSERVER_USAGE_H

extern const char usage_text[];

#endif
