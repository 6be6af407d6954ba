/* Stores text in the desktop's Secret Service, by libsecret. */
#include "token/keyring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#ifdef P3_SECRET_SONAME

#include <libsecret/secret.h>

#include "optional/library.h"
#include "system/erase.h"

static struct {
    __typeof__(secret_password_store_sync) *store;
    __typeof__(secret_password_search_sync) *search;
    __typeof__(secret_password_clear_sync) *clear;
    __typeof__(secret_retrievable_retrieve_secret_sync) *retrieve;
    __typeof__(secret_value_get_text) *text_of;
    __typeof__(secret_value_unref) *value_free;
    __typeof__(g_object_unref) *object_free;
    __typeof__(g_list_free) *list_free;
    __typeof__(g_error_free) *error_free;
    __typeof__(secret_error_get_quark) *errors;
} lib;

/* GLib's functions are found through libsecret, which depends on it. */
static const p3_symbol symbols[] = {
    {"secret_password_store_sync", &lib.store},
    {"secret_password_search_sync", &lib.search},
    {"secret_password_clear_sync", &lib.clear},
    {"secret_retrievable_retrieve_secret_sync", &lib.retrieve},
    {"secret_value_get_text", &lib.text_of},
    {"secret_value_unref", &lib.value_free},
    {"g_object_unref", &lib.object_free},
    {"g_list_free", &lib.list_free},
    {"g_error_free", &lib.error_free},
    {"secret_error_get_quark", &lib.errors},
};
static p3_library library = P3_LIBRARY(P3_SECRET_SONAME, symbols);
P3_LIBRARY_NOTE(secret_note, "keyring", P3_SECRET_SONAME, "OAuth 2.0 tokens in the keyring");

static const SecretSchema schema = {
    .name = "org.libpop3.Token",
    .flags = SECRET_SCHEMA_NONE,
    .attributes = {{"account", SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

/* Where GDBus finds the bus. Otherwise it would start one that nobody else uses. */
bool p3_keyring_is_there(void)
{
    const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
    const char *folder = getenv("XDG_RUNTIME_DIR");
    char *path = NULL;
    if (address != NULL && address[0] != '\0')
        return true;
    bool there = folder != NULL && folder[0] == '/' && asprintf(&path, "%s/bus", folder) > 0 &&
                 access(path, W_OK) == 0;
    free(path);
    return there;
}

static bool is_ready(const char *doing, p3_problem *why)
{
    if (!p3_keyring_is_there())
        return p3_problem_set(why, EX_TEMPFAIL,
                              "%s: there is no desktop session (DBUS_SESSION_BUS_ADDRESS is not "
                              "set)",
                              doing);
    return p3_library_load(&library) ||
           p3_problem_set(why, EX_UNAVAILABLE, "%s: %s cannot be loaded; install libsecret", doing,
                          P3_SECRET_SONAME);
}

static bool set_problem(const char *doing, GError *error, p3_problem *why)
{
    p3_problem_set(why, EX_TEMPFAIL, "%s: %.300s", doing,
                   error != NULL ? error->message : "it does not say why");
    if (error != NULL)
        lib.error_free(error);
    return false;
}

bool p3_keyring_store(const char *name, const char *text, p3_problem *why)
{
    static const char doing[] = "keeping the token in the keyring";
    GError *error = NULL;
    char *label = NULL;
    if (!is_ready(doing, why))
        return false;
    if (asprintf(&label, "pop3: tokens of %s", name) < 0)
        return p3_problem_set(why, EX_OSERR, "%s: out of memory", doing);
    bool ok = lib.store(&schema, NULL, label, text, NULL, &error, "account", name, (char *)NULL);
    free(label);
    return ok || set_problem(doing, error, why);
}

/* The text of the first item; NULL when it is locked or there is none. */
static char *text_of_first(GList *items, GError **error)
{
    SecretValue *value =
        items != NULL ? lib.retrieve((SecretRetrievable *)items->data, NULL, error) : NULL;
    const char *text = value != NULL ? lib.text_of(value) : NULL;
    char *copy = text != NULL ? strdup(text) : NULL;
    if (value != NULL)
        lib.value_free(value);
    return copy;
}

bool p3_keyring_find(const char *name, bool may_ask, char **text, p3_problem *why)
{
    static const char doing[] = "finding the token in the keyring";
    GError *error = NULL;
    *text = NULL;
    if (!is_ready(doing, why))
        return false;
    GList *items =
        lib.search(&schema, SECRET_SEARCH_LOAD_SECRETS | (may_ask ? SECRET_SEARCH_UNLOCK : 0), NULL,
                   &error, "account", name, (char *)NULL);
    bool there = items != NULL;
    *text = text_of_first(items, error == NULL ? &error : NULL);
    for (GList *at = items; at != NULL; at = at->next)
        lib.object_free(at->data);
    lib.list_free(items);
    if (*text != NULL)
        return true;
    bool locked =
        there &&
        (error == NULL || (error->domain == lib.errors() && error->code == SECRET_ERROR_IS_LOCKED));
    if (error != NULL && !locked)
        return set_problem(doing, error, why);
    if (error != NULL)
        lib.error_free(error);
    if (locked)
        return p3_problem_set(why, EX_TEMPFAIL, "%s: it is locked; unlock it", doing);
    return p3_problem_set(why, EX_NOPERM, "%s: it no longer exists", doing);
}

bool p3_keyring_remove(const char *name, p3_problem *why)
{
    static const char doing[] = "removing the token from the keyring";
    GError *error = NULL;
    if (!is_ready(doing, why))
        return false;
    (void)lib.clear(&schema, NULL, &error, "account", name, (char *)NULL);
    return error == NULL || set_problem(doing, error, why);
}

#else

static bool set_problem(p3_problem *why)
{
    return p3_problem_set(why, EX_UNAVAILABLE, "asking the keyring: this build has no libsecret");
}

bool p3_keyring_is_there(void)
{
    return false;
}

bool p3_keyring_store(const char *name, const char *text, p3_problem *why)
{
    (void)name;
    (void)text;
    return set_problem(why);
}

bool p3_keyring_find(const char *name, bool may_ask, char **text, p3_problem *why)
{
    (void)name;
    (void)may_ask;
    *text = NULL;
    return set_problem(why);
}

bool p3_keyring_remove(const char *name, p3_problem *why)
{
    (void)name;
    return set_problem(why);
}

#endif
