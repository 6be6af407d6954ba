/**
 * @file pop3.h
 * All of libpop3: the client, logging in, TLS contexts, traits of servers and the sans-I/O engine.
 */
#ifndef POP3_POP3_H
#define POP3_POP3_H

#include <pop3/client.h>
#include <pop3/engine.h>
#include <pop3/login.h>
#include <pop3/tls.h>
#include <pop3/traits.h>
#include <pop3/types.h>

#endif
