/* Shared libraries that few sessions need: loaded when they are first needed, so that they cost the
 * others neither time nor memory. The headers are needed to build, the libraries to run. Tools that
 * show a program's dependencies do not see them, so a note in the program names them (readelf -n;
 * uapi-group.org, "ELF dlopen metadata").
 *
 *     static struct {
 *         __typeof__(idn2_free) *free;
 *     } idn2;
 *     static const p3_symbol symbols[] = {{"idn2_free", &idn2.free}};
 *     static p3_library library = P3_LIBRARY(P3_IDN2_SONAME, symbols);
 *     P3_LIBRARY_NOTE(idn2_note, "idn", P3_IDN2_SONAME, "internationalized host names");
 *
 *     if (p3_library_load(&library))
 *         idn2.free(text); */
#ifndef P3_OPTIONAL_LIBRARY_H
#define P3_OPTIONAL_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A function to find. */
typedef struct p3_symbol {
    const char *name;
    void *slot; /* the address of a pointer to a function */
} p3_symbol;

typedef struct p3_library {
    const char *soname;
    const p3_symbol *symbols;
    size_t count;
    enum { P3_LIBRARY_UNTRIED, P3_LIBRARY_LOADED, P3_LIBRARY_MISSING } state;
} p3_library;

/* Releases of clang-format differ about these lines. */
/* clang-format off */
#define P3_LIBRARY(name, table)                                                                    \
    {.soname = (name), .symbols = (table), .count = sizeof(table) / sizeof *(table)}
/* clang-format on */

/* NOLINTBEGIN(bugprone-macro-parentheses): a name, and string literals that are joined. */
#define P3_LIBRARY_TEXT(feature, soname, what)                                                     \
    "[{\"feature\":\"" feature "\",\"description\":\"" what                                        \
    "\",\"priority\":\"recommended\",\"soname\":[\"" soname "\"]}]"

/* An ELF note of the type for libraries that are loaded by name. */
#define P3_LIBRARY_NOTE(variable, feature, soname, what)                                           \
    __attribute__((used, section(".note.dlopen"), aligned(4))) static const struct {               \
        uint32_t name_size, text_size, type;                                                       \
        char name[4];                                                                              \
        char text[sizeof(P3_LIBRARY_TEXT(feature, soname, what))];                                 \
    } variable = {4, sizeof(P3_LIBRARY_TEXT(feature, soname, what)), 0x407c0c0a, "FDO",            \
                  P3_LIBRARY_TEXT(feature, soname, what)}

/* NOLINTEND(bugprone-macro-parentheses) */

/* Loads a library and finds its functions, the first time; it stays loaded. Returns false when it
 * is not installed or lacks a function: the slots must not be used then. Thread-safe. */
bool p3_library_load(p3_library *library);

#endif
