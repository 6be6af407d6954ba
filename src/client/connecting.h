/* Connecting, and connecting again after a connection that ended too soon. */
#ifndef P3_CLIENT_CONNECTING_H
#define P3_CLIENT_CONNECTING_H

#include "client/client_state.h"

/* Creates an engine for a new connection, replacing the old one. */
pop3_status p3_connecting_new_engine(pop3_client *c);

/* Begins to connect; ends the connection if that fails. */
void p3_connecting_begin(pop3_client *c);

/* Does one step of connecting. Returns whether there was progress. */
bool p3_connecting_step(pop3_client *c, int64_t now);

/* The connection has ended at the client's own CAPA (before a login, or as its last command), at
 * the first command of a login after CAPA was refused, or at an APOP that USER may follow, and no
 * other command was sent: connects once more, without that command. Returns whether it did. If CAPA
 * was sent after a completed login, it only learns the trait, because it must not log in again by
 * itself. `reset`: the connection was reset. */
bool p3_connecting_retry(pop3_client *c, bool reset);

#endif
