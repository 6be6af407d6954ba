/**
 * @file libuv.h
 * Clients in a libuv loop.
 */
#ifndef POP3_ADAPTERS_LIBUV_H
#define POP3_ADAPTERS_LIBUV_H

#include <pop3/client.h>

#include <stdlib.h>
#include <uv.h>

/** @defgroup pop3_in_libuv Clients in libuv
 * Include `pop3/adapters/libuv.h` and link with libuv, which the library itself does not know.
 *
 *     pop3_libuv loop;
 *     pop3_libuv_init(&loop, uv_default_loop(), &options);   // before the client is made
 *     pop3_client_new(&client, &options);
 *     pop3_libuv_start(&loop, client, stepped, ctx);
 *     pop3_login_start(client, &login, NULL);                // and pop3_client_submit()
 *     pop3_libuv_wake(&loop);                                // after submitting outside callbacks
 *
 * `stepped` is called after each step with what pop3_client_step() returned: ::POP3_PENDING while
 * something is under way, ::POP3_OK when all is done, else what ended the connection. In it, or
 * later, pop3_libuv_stop() ends the use of the loop; then free the client.
 * @{ */

/** Is told what a step came to. It may stop the adapter and free the client. */
typedef void (*pop3_libuv_fn)(void *ctx, pop3_client *client, pop3_status status);

/** A descriptor that the loop waits on. */
typedef struct pop3_libuv_watch {
    int fd;          /**< The descriptor. */
    uv_poll_t *poll; /**< Waits on it; NULL in a free place. */
} pop3_libuv_watch;

/** A client in a loop. It must live until pop3_libuv_stop(). */
typedef struct pop3_libuv {
    uv_loop_t *loop;                              /**< The loop. */
    pop3_client *client;                          /**< The client, once started. */
    pop3_libuv_fn stepped;                        /**< Is told of each step. */
    void *ctx;                                    /**< First argument of @c stepped. */
    uv_timer_t *timer;                            /**< For the deadline; NULL when stopped. */
    pop3_libuv_watch sockets[POP3_MAX_WAITABLES]; /**< What is waited on. */
} pop3_libuv;

/** @cond internal */

/* Frees a handle that libuv has closed. */
static inline void pop3_libuv_freed(uv_handle_t *handle)
{
    free(handle);
}

static inline void pop3_libuv_step(pop3_libuv *a);

static inline void pop3_libuv_ready(uv_poll_t *poll, int status, int events)
{
    (void)status; /* the step finds out what is wrong with a socket */
    (void)events;
    pop3_libuv_step((pop3_libuv *)poll->data);
}

static inline void pop3_libuv_timeout(uv_timer_t *timer)
{
    pop3_libuv_step((pop3_libuv *)timer->data);
}

/** @endcond */

/** Has the loop step the client when its deadline comes. Call it after submitting outside of
 * callbacks. */
static inline void pop3_libuv_wake(pop3_libuv *a)
{
    int ms = pop3_client_deadline(a->client);
    if (ms < 0)
        uv_timer_stop(a->timer);
    else
        uv_timer_start(a->timer, pop3_libuv_timeout, (uint64_t)ms, 0);
}

/** @cond internal */

/* Steps the client and waits for the next thing to do. */
static inline void pop3_libuv_step(pop3_libuv *a)
{
    pop3_status status = pop3_client_step(a->client);
    pop3_libuv_wake(a);
    if (a->stepped != NULL)
        a->stepped(a->ctx, a->client, status);
}

/* A pop3_socket_fn. What cannot be waited on for want of memory is found by the deadline. */
static inline void pop3_libuv_socket(void *ctx, pop3_client *client, int fd, bool read, bool write)
{
    pop3_libuv *a = (pop3_libuv *)ctx;
    int events = (read ? UV_READABLE : 0) | (write ? UV_WRITABLE : 0);
    size_t free_place = POP3_MAX_WAITABLES;
    size_t i = 0;
    (void)client;
    for (; i < POP3_MAX_WAITABLES; i++) {
        if (a->sockets[i].poll != NULL && a->sockets[i].fd == fd)
            break;
        if (a->sockets[i].poll == NULL && free_place == POP3_MAX_WAITABLES)
            free_place = i;
    }
    if (i == POP3_MAX_WAITABLES) {
        if (events == 0 || free_place == POP3_MAX_WAITABLES)
            return;
        i = free_place;
        uv_poll_t *poll = (uv_poll_t *)malloc(sizeof *poll);
        if (poll == NULL)
            return;
        if (uv_poll_init(a->loop, poll, fd) != 0) {
            free(poll);
            return;
        }
        poll->data = a;
        a->sockets[i].fd = fd;
        a->sockets[i].poll = poll;
    }
    if (events != 0) {
        uv_poll_start(a->sockets[i].poll, events, pop3_libuv_ready);
        return;
    }
    uv_poll_stop(a->sockets[i].poll);
    uv_close((uv_handle_t *)a->sockets[i].poll, pop3_libuv_freed);
    a->sockets[i].poll = NULL;
}

/** @endcond */

/** Prepares options for a client that will live in a loop: to be called before pop3_client_new().
 */
static inline void pop3_libuv_init(pop3_libuv *a, uv_loop_t *loop, pop3_client_options *options)
{
    a->loop = loop;
    a->client = NULL;
    a->timer = NULL;
    for (size_t i = 0; i < POP3_MAX_WAITABLES; i++)
        a->sockets[i].poll = NULL;
    options->socket = pop3_libuv_socket;
    options->socket_ctx = a;
}

/** Begins to connect. @return as pop3_client_start(), or ::POP3_ERR_MEMORY. */
static inline pop3_status pop3_libuv_start(pop3_libuv *a, pop3_client *client,
                                           pop3_libuv_fn stepped, void *ctx)
{
    a->client = client;
    a->stepped = stepped;
    a->ctx = ctx;
    if (a->timer == NULL) {
        a->timer = (uv_timer_t *)malloc(sizeof *a->timer);
        if (a->timer == NULL)
            return POP3_ERR_MEMORY;
        uv_timer_init(a->loop, a->timer);
        a->timer->data = a;
    }
    pop3_status status = pop3_client_start(client);
    pop3_libuv_wake(a);
    return status;
}

/** Closes the connection, if there is one, and no longer uses the loop. */
static inline void pop3_libuv_stop(pop3_libuv *a)
{
    if (a->client != NULL)
        pop3_client_close(a->client);
    if (a->timer != NULL)
        uv_close((uv_handle_t *)a->timer, pop3_libuv_freed);
    a->timer = NULL;
    a->client = NULL;
}

/** @} */
#endif
