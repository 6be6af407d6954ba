/* STLS (RFC 2595 §4), as a script: capabilities if they are not known, the command, the handshake,
 * capabilities again. Never falls back: what was to be protected is, or the upgrade fails. */
#ifndef P3_CLIENT_UPGRADE_H
#define P3_CLIENT_UPGRADE_H

#include "client/reply.h"
#include "client/requests.h"
#include "client/script.h"

typedef enum p3_upgrade_stage {
    P3_UPGRADE_NONE,
    P3_UPGRADE_CAPA,      /* CAPA is asked first */
    P3_UPGRADE_STLS,      /* STLS has been sent */
    P3_UPGRADE_HANDSHAKE, /* the handshake is under way */
    P3_UPGRADE_CAPA_AGAIN /* CAPA is asked under TLS */
} p3_upgrade_stage;

typedef struct p3_upgrade {
    p3_upgrade_stage stage;
    p3_request *request; /* the caller's STLS, or NULL when the options require it */
    p3_kept_reply reply; /* to STLS */
} p3_upgrade;

/* The first move. */
p3_move p3_upgrade_begin(p3_upgrade *u, p3_request *request, const p3_scene *scene);

/* The next, with the result of the command before; NULL when the handshake is over. */
p3_move p3_upgrade_next(p3_upgrade *u, const p3_scene *scene, const pop3_result *result);

/* It is over, or the connection is: returns the request that it was for, or NULL. */
p3_request *p3_upgrade_finish(p3_upgrade *u);

void p3_upgrade_free(p3_upgrade *u);

#endif
