/* The lock of a connection's engine, and the engine's end. */
#include "engine_lock.h"

#include "run.h"

bool cpoplib_engine_try_lock(cpoplib_client *client)
{
    unsigned long me = PyThread_get_thread_ident(), nobody = 0;
    if (atomic_load(&client->thread) != me &&
        !atomic_compare_exchange_strong(&client->thread, &nobody, me))
        return false;
    client->depth++;
    return true;
}

bool cpoplib_engine_lock(cpoplib_client *client)
{
    bool ours = cpoplib_engine_try_lock(client);
    if (!ours)
        PyErr_SetString(PyExc_RuntimeError, "the connection is in use already");
    return ours;
}

void cpoplib_set_ahead(cpoplib_client *client, cpoplib_run *run)
{
    cpoplib_run *before = client->ahead;
    client->ahead = run;
    if (run != NULL)
        cpoplib_run_hold(run);
    if (before != NULL)
        cpoplib_run_release(before);
}

/* With the lock, while the engine is not running. */
static void drop_engine(cpoplib_client *client)
{
    atomic_store(&client->forget, false);
    pop3_engine_free(client->engine);
    client->engine = NULL;
    client->capabilities_asked = false;
    cpoplib_set_ahead(client, NULL);
}

void cpoplib_engine_unlock(cpoplib_client *client)
{
    while (--client->depth == 0) {
        atomic_store(&client->thread, 0);
        /* A request from before this is handled here; the author of a later one finds the lock
         * free. */
        if (!atomic_load(&client->forget) || !cpoplib_engine_try_lock(client))
            return;
        drop_engine(client);
    }
}

void cpoplib_forget_engine(cpoplib_client *client)
{
    atomic_store(&client->forget, true);
    if (!cpoplib_engine_try_lock(client))
        return;
    if (!client->busy)
        drop_engine(client);
    cpoplib_engine_unlock(client);
}
