/* TLS sessions that later connections of a context may resume. */
#include "io/tls_resume.h"

#include <stdlib.h>
#include <string.h>

bool p3_tls_sessions_init(p3_tls_sessions *s)
{
    s->usable = pthread_mutex_init(&s->lock, NULL) == 0;
    return s->usable;
}

/* Removes an entry from the list; its contents then belong to the caller. */
static p3_tls_saved remove_at(p3_tls_sessions *s, size_t i)
{
    p3_tls_saved saved = s->saved[i];
    s->count--;
    memmove(&s->saved[i], &s->saved[i + 1], (s->count - i) * sizeof s->saved[0]);
    return saved;
}

static void free_saved(p3_tls_saved saved)
{
    SSL_SESSION_free(saved.session);
    free(saved.name);
}

static bool is_forbidden(const p3_tls_sessions *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->saved[i].session == NULL && strcmp(s->saved[i].name, name) == 0)
            return true;
    }
    return false;
}

static bool append(p3_tls_sessions *s, const char *name, SSL_SESSION *session)
{
    p3_tls_saved saved = {.name = strdup(name), .session = session};
    if (saved.name == NULL)
        return false;
    if (s->count == P3_TLS_SESSIONS)
        free_saved(remove_at(s, 0));
    s->saved[s->count++] = saved;
    return true;
}

bool p3_tls_sessions_put(p3_tls_sessions *s, const char *name, SSL_SESSION *session)
{
    pthread_mutex_lock(&s->lock);
    bool kept = !is_forbidden(s, name) && append(s, name, session);
    pthread_mutex_unlock(&s->lock);
    return kept;
}

void p3_tls_sessions_forbid(p3_tls_sessions *s, const char *name)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = s->count; i-- > 0;) {
        if (strcmp(s->saved[i].name, name) == 0)
            free_saved(remove_at(s, i));
    }
    (void)append(s, name, NULL); /* out of memory: a session will be offered, and fail, once more */
    pthread_mutex_unlock(&s->lock);
}

SSL_SESSION *p3_tls_sessions_take(p3_tls_sessions *s, const char *name)
{
    SSL_SESSION *found = NULL;
    pthread_mutex_lock(&s->lock);
    for (size_t i = s->count; i-- > 0 && found == NULL;) {
        if (s->saved[i].session == NULL || strcmp(s->saved[i].name, name) != 0)
            continue;
        SSL_SESSION *session = s->saved[i].session;
        /* A ticket of TLS 1.3 is used once, so that connections cannot be linked (RFC 8446 appendix
         * C.4); a session of TLS 1.2 can be reused. */
        bool stays = SSL_SESSION_is_resumable(session) &&
                     SSL_SESSION_get_protocol_version(session) < TLS1_3_VERSION;
        if (SSL_SESSION_is_resumable(session) && SSL_SESSION_up_ref(session) == 1)
            found = session;
        if (!stays)
            free_saved(remove_at(s, i));
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

void p3_tls_sessions_free(p3_tls_sessions *s)
{
    while (s->count > 0)
        free_saved(remove_at(s, s->count - 1));
    if (s->usable)
        pthread_mutex_destroy(&s->lock);
    s->usable = false;
}
