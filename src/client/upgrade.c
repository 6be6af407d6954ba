/* STLS (RFC 2595 §4), as a script. */
#include "client/upgrade.h"

#include "client/options.h"

/* The upgrade failed; the connection is good. */
static p3_move give_up(const pop3_result *result, pop3_status status, const char *why)
{
    p3_move move = {.kind = P3_MOVE_END, .refused = POP3_REFUSED_PROTECTION, .why = why};
    if (result != NULL)
        move.result = *result;
    move.result.status = status;
    move.result.command = POP3_CMD_STLS;
    if (status != POP3_ERR_REFUSED && status != POP3_ERR_NOT_OFFERED)
        move.refused = POP3_REFUSED_NOTHING;
    return move;
}

static p3_move done(const p3_upgrade *u)
{
    return (p3_move){
        .kind = P3_MOVE_END,
        .result = {.command = POP3_CMD_STLS, .sent = true, .reply = u->reply.reply},
    };
}

static p3_move send_command(p3_upgrade *u, p3_upgrade_stage stage, pop3_command_kind kind)
{
    u->stage = stage;
    return p3_move_command(kind);
}

static p3_move send_stls(p3_upgrade *u, const p3_scene *scene)
{
    const pop3_capabilities *caps = pop3_engine_capabilities(scene->engine);
    bool announced = caps != NULL && (caps->flags & POP3_CAP_STLS) != 0;
    if (announced || p3_has_trait(scene->options, POP3_TRAIT_NO_CAPA))
        return send_command(u, P3_UPGRADE_STLS, POP3_CMD_STLS);
    return give_up(NULL, POP3_ERR_NOT_OFFERED,
                   "the server does not announce STLS, so the connection cannot be protected");
}

p3_move p3_upgrade_begin(p3_upgrade *u, p3_request *request, const p3_scene *scene)
{
    u->request = request;
    p3_reply_forget(&u->reply);
    if (pop3_engine_capabilities(scene->engine) != NULL ||
        p3_has_trait(scene->options, POP3_TRAIT_NO_CAPA))
        return send_stls(u, scene);
    return send_command(u, P3_UPGRADE_CAPA, POP3_CMD_CAPA);
}

p3_move p3_upgrade_next(p3_upgrade *u, const p3_scene *scene, const pop3_result *result)
{
    switch (u->stage) {
    case P3_UPGRADE_CAPA: /* refused: nothing is announced */
        return send_stls(u, scene);
    case P3_UPGRADE_STLS:
        if (result->status != POP3_OK)
            return give_up(result, result->status, NULL);
        p3_reply_keep(&u->reply, &result->reply);
        u->stage = P3_UPGRADE_HANDSHAKE;
        return (p3_move){.kind = P3_MOVE_SECURE};
    case P3_UPGRADE_HANDSHAKE:
        if (p3_has_trait(scene->options, POP3_TRAIT_NO_CAPA))
            return done(u);
        return send_command(u, P3_UPGRADE_CAPA_AGAIN, POP3_CMD_CAPA);
    default: /* refused: a server without CAPA, whose capabilities remain unknown */
        return done(u);
    }
}

p3_request *p3_upgrade_finish(p3_upgrade *u)
{
    p3_request *request = u->request;
    u->request = NULL;
    u->stage = P3_UPGRADE_NONE;
    return request;
}

void p3_upgrade_free(p3_upgrade *u)
{
    p3_reply_free(&u->reply);
}
