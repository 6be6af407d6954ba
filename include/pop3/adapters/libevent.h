/**
 * @file libevent.h
 * Clients in a libevent loop.
 */
#ifndef POP3_ADAPTERS_LIBEVENT_H
#define POP3_ADAPTERS_LIBEVENT_H

#include <pop3/client.h>

#include <event2/event.h>
#include <stddef.h>

/** @defgroup pop3_in_libevent Clients in libevent
 * Include `pop3/adapters/libevent.h` and link with libevent, which the library itself does not
 * know.
 *
 *     pop3_libevent loop;
 *     pop3_libevent_init(&loop, base, &options);             // before the client is made
 *     pop3_client_new(&client, &options);
 *     pop3_libevent_start(&loop, client, stepped, ctx);
 *     pop3_login_start(client, &login, NULL);                // and pop3_client_submit()
 *     pop3_libevent_wake(&loop);                             // after submitting outside callbacks
 *
 * `stepped` is called after each step with what pop3_client_step() returned: ::POP3_PENDING while
 * something is under way, ::POP3_OK when all is done, else what ended the connection. In it, or
 * later, pop3_libevent_stop() ends the use of the loop; then free the client.
 * @{ */

/** Is told what a step came to. It may stop the adapter and free the client. */
typedef void (*pop3_libevent_fn)(void *ctx, pop3_client *client, pop3_status status);

/** A descriptor that the loop waits on. */
typedef struct pop3_libevent_watch {
    int fd;              /**< The descriptor. */
    struct event *event; /**< Waits on it; NULL in a free place. */
} pop3_libevent_watch;

/** A client in a loop. It must live until pop3_libevent_stop(). */
typedef struct pop3_libevent {
    struct event_base *base;                         /**< The loop. */
    pop3_client *client;                             /**< The client, once started. */
    pop3_libevent_fn stepped;                        /**< Is told of each step. */
    void *ctx;                                       /**< First argument of @c stepped. */
    struct event *timer;                             /**< For the deadline; NULL when stopped. */
    pop3_libevent_watch sockets[POP3_MAX_WAITABLES]; /**< What is waited on. */
} pop3_libevent;

/** Has the loop step the client when its deadline comes. Call it after submitting outside of
 * callbacks. */
static inline void pop3_libevent_wake(pop3_libevent *a)
{
    int ms = pop3_client_deadline(a->client);
    struct timeval when = {ms / 1000, ms % 1000 * 1000};
    if (ms < 0)
        event_del(a->timer);
    else
        event_add(a->timer, &when);
}

/** @cond internal */

/* Steps the client and waits for the next thing to do. An event_callback_fn. */
static inline void pop3_libevent_step(evutil_socket_t fd, short events, void *ctx)
{
    pop3_libevent *a = (pop3_libevent *)ctx;
    (void)fd;
    (void)events;
    pop3_status status = pop3_client_step(a->client);
    pop3_libevent_wake(a);
    if (a->stepped != NULL)
        a->stepped(a->ctx, a->client, status);
}

/* A pop3_socket_fn. What cannot be waited on for want of memory is found by the deadline. */
static inline void pop3_libevent_socket(void *ctx, pop3_client *client, int fd, bool read,
                                        bool write)
{
    pop3_libevent *a = (pop3_libevent *)ctx;
    short events = (short)((read ? EV_READ : 0) | (write ? EV_WRITE : 0));
    size_t i = 0;
    (void)client;
    while (i < POP3_MAX_WAITABLES && (a->sockets[i].event == NULL || a->sockets[i].fd != fd))
        i++;
    if (i < POP3_MAX_WAITABLES) { /* what it is waited for changes, or it goes */
        event_free(a->sockets[i].event);
        a->sockets[i].event = NULL;
    }
    if (events == 0)
        return;
    for (i = 0; i < POP3_MAX_WAITABLES && a->sockets[i].event != NULL;)
        i++;
    if (i == POP3_MAX_WAITABLES)
        return;
    a->sockets[i].fd = fd;
    a->sockets[i].event =
        event_new(a->base, fd, (short)(events | EV_PERSIST), pop3_libevent_step, a);
    if (a->sockets[i].event != NULL)
        event_add(a->sockets[i].event, NULL);
}

/** @endcond */

/** Prepares options for a client that will live in a loop: to be called before pop3_client_new().
 */
static inline void pop3_libevent_init(pop3_libevent *a, struct event_base *base,
                                      pop3_client_options *options)
{
    a->base = base;
    a->client = NULL;
    a->timer = NULL;
    for (size_t i = 0; i < POP3_MAX_WAITABLES; i++)
        a->sockets[i].event = NULL;
    options->socket = pop3_libevent_socket;
    options->socket_ctx = a;
}

/** Begins to connect. @return as pop3_client_start(), or ::POP3_ERR_MEMORY. */
static inline pop3_status pop3_libevent_start(pop3_libevent *a, pop3_client *client,
                                              pop3_libevent_fn stepped, void *ctx)
{
    a->client = client;
    a->stepped = stepped;
    a->ctx = ctx;
    if (a->timer == NULL)
        a->timer = event_new(a->base, -1, 0, pop3_libevent_step, a);
    if (a->timer == NULL)
        return POP3_ERR_MEMORY;
    pop3_status status = pop3_client_start(client);
    pop3_libevent_wake(a);
    return status;
}

/** Closes the connection, if there is one, and no longer uses the loop. */
static inline void pop3_libevent_stop(pop3_libevent *a)
{
    if (a->client != NULL)
        pop3_client_close(a->client);
    if (a->timer != NULL)
        event_free(a->timer);
    a->timer = NULL;
    a->client = NULL;
}

/** @} */
#endif
