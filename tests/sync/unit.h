/* What the unit tests of the command include first: cmocka wants these headers before its own. */
#ifndef TESTS_SYNC_UNIT_H
#define TESTS_SYNC_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
