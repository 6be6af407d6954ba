/* Where a connection stands, and what may come next. */
#ifndef P3_CLIENT_PHASE_H
#define P3_CLIENT_PHASE_H

typedef enum p3_phase {
    P3_PHASE_NONE,      /* no connection */
    P3_PHASE_RESOLVING, /* the host name is being resolved */
    P3_PHASE_DIALING,   /* connection attempts are under way */
    P3_PHASE_PROXY,     /* the proxy is asked to connect to the server */
    P3_PHASE_HANDSHAKE, /* TLS handshake: before the greeting, or after STLS */
    P3_PHASE_GREETING,  /* the greeting is awaited */
    P3_PHASE_UPGRADE,   /* STLS is under way (but for its handshake) */
    P3_PHASE_LOGIN,     /* a login is under way */
    P3_PHASE_READY      /* commands may be sent */
} p3_phase;

/* The connection gets on, or ends. Only this changes the phase. */
void p3_set_phase(p3_phase *phase, p3_phase next);

#endif
