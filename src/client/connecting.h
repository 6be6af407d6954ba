/* The way to a connection, and to another in place of one that ended too soon. */
#ifndef P3_CLIENT_CONNECTING_H
#define P3_CLIENT_CONNECTING_H

#include "client/client_state.h"

/* Makes an engine for a new connection, in place of the one there was. */
pop3_status p3_connecting_new_engine(pop3_client *c);

/* Begins to connect; ends the connection if that fails. */
void p3_connecting_begin(pop3_client *c);

/* One step on the way to the server. Returns whether it got on. */
bool p3_connecting_step(pop3_client *c, int64_t now);

/* The connection has ended at the client's own CAPA, before a login or as its last command, at the
 * first command of a login after CAPA was refused, or at an APOP that USER may follow, and nothing
 * else has been said: connects once more, to do without that command. Returns whether that was so.
 * Learns it, too, where CAPA came after a login that is over, and the connection is not to be made
 * again behind the caller's back. `reset`: it did not end in order. */
bool p3_connecting_retry(pop3_client *c, bool reset);

#endif
