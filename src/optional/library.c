/* Loading shared libraries by name. */
#include "optional/library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

_Static_assert(sizeof(void *) == sizeof(void (*)(void)), "dlsym() gives functions as objects");

static bool find_symbols(const p3_library *library, void *handle)
{
    for (size_t i = 0; i < library->count; i++) {
        void *found = dlsym(handle, library->symbols[i].name);
        if (found == NULL)
            return false;
        memcpy(library->symbols[i].slot, &found, sizeof found);
    }
    return true;
}

bool p3_library_load(p3_library *library)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    if (library->state == P3_LIBRARY_UNTRIED) {
        void *handle = dlopen(library->soname, RTLD_NOW | RTLD_LOCAL);
        bool found = handle != NULL && find_symbols(library, handle);
        if (handle != NULL && !found)
            (void)dlclose(handle);
        library->state = found ? P3_LIBRARY_LOADED : P3_LIBRARY_MISSING;
    }
    bool loaded = library->state == P3_LIBRARY_LOADED;
    pthread_mutex_unlock(&mutex);
    return loaded;
}
