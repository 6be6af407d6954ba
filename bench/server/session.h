/* What the benchmark's server answers to commands. */
#ifndef BENCH_SESSION_H
#define BENCH_SESSION_H

#include "server/connection.h"

/* What is served, and how. */
typedef struct service {
    mailbox box;
    bool pipelining; /* PIPELINING is announced */
    bool stls;       /* STLS is announced */
} service;

/* Answers one command line, which is terminated and without its end. */
void session_command(service *s, connection *c, char *line);

#endif
