/* The phase of a connection, and which may follow. */
#ifndef P3_CLIENT_PHASE_H
#define P3_CLIENT_PHASE_H

typedef enum p3_phase {
    P3_PHASE_NONE,      /* no connection */
    P3_PHASE_RESOLVING, /* the host name is being resolved */
    P3_PHASE_DIALING,   /* connecting */
    P3_PHASE_PROXY,     /* waiting for the proxy to connect */
    P3_PHASE_HANDSHAKE, /* TLS handshake: before the greeting, or after STLS */
    P3_PHASE_GREETING,  /* waiting for the greeting */
    P3_PHASE_UPGRADE,   /* STLS is in progress (except for its handshake) */
    P3_PHASE_LOGIN,     /* a login is in progress */
    P3_PHASE_READY      /* commands may be sent */
} p3_phase;

/* Sets the next phase. Nothing else changes the phase. */
void p3_set_phase(p3_phase *phase, p3_phase next);

#endif
