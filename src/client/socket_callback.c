/* The descriptors that an event loop has been told to wait on. */
#include "client/socket_callback.h"

/* The entry for a descriptor, or NULL. */
static const p3_wait *find_waitable(const p3_wait_set *set, int fd)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->at[i].fd == fd)
            return &set->at[i];
    }
    return NULL;
}

void p3_socket_callback_update(p3_socket_callback *a, pop3_client *client,
                               const pop3_client_options *o, const p3_wait_set *now)
{
    if (o->socket == NULL)
        return;
    for (size_t i = 0; i < a->known.count; i++) {
        if (find_waitable(now, a->known.at[i].fd) == NULL)
            o->socket(o->socket_ctx, client, a->known.at[i].fd, false, false);
    }
    for (size_t i = 0; i < now->count; i++) {
        const p3_wait *w = &now->at[i];
        const p3_wait *before = find_waitable(&a->known, w->fd);
        if (before == NULL || before->read != w->read || before->write != w->write)
            o->socket(o->socket_ctx, client, w->fd, w->read, w->write);
    }
    a->known = *now;
}
