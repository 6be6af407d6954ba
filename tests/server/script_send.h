/* The statements of a script that only produce octets.
 * Nothing is built in memory: a statement may send gigabytes. */
#ifndef TESTSERVER_SCRIPT_SEND_H
#define TESTSERVER_SCRIPT_SEND_H

#include "conn.h"
#include "script.h"

/* IO_FAILED: a file could not be read; that was complained about. */
enum io script_send(const struct script *script, const struct statement *st, struct conn *conn);

#endif
