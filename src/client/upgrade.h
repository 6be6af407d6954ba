/* STLS (RFC 2595 §4), as a script: capabilities if they are not known, the command, the handshake,
 * capabilities again. It never falls back: it succeeds, or the connection fails. */
#ifndef P3_CLIENT_UPGRADE_H
#define P3_CLIENT_UPGRADE_H

#include "client/reply.h"
#include "client/requests.h"
#include "client/script.h"

typedef enum p3_upgrade_stage {
    P3_UPGRADE_NONE,
    P3_UPGRADE_CAPA,      /* CAPA has been sent */
    P3_UPGRADE_STLS,      /* STLS has been sent */
    P3_UPGRADE_HANDSHAKE, /* the handshake is in progress */
    P3_UPGRADE_CAPA_AGAIN /* CAPA has been sent under TLS */
} p3_upgrade_stage;

typedef struct p3_upgrade {
    p3_upgrade_stage stage;
    p3_request *request; /* the caller's STLS, or NULL if the options require it */
    p3_kept_reply reply; /* to STLS */
} p3_upgrade;

/* The first move. */
p3_move p3_upgrade_begin(p3_upgrade *u, p3_request *request, const p3_scene *scene);

/* The next move, with the result of the last command; NULL after the handshake. */
p3_move p3_upgrade_next(p3_upgrade *u, const p3_scene *scene, const pop3_result *result);

/* The upgrade or the connection has ended: returns the caller's request, or NULL. */
p3_request *p3_upgrade_finish(p3_upgrade *u);

void p3_upgrade_free(p3_upgrade *u);

#endif
