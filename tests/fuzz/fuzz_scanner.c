/* Fuzzing the scanner: every version finds what the obvious loop finds, from every start, and reads
 * nothing outside of the input. */
#include "core/scan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    p3_find_version versions[8];
    size_t count = p3_find_versions(versions, sizeof versions / sizeof versions[0]);
    if (size == 0 || size > 4096)
        return 0;
    char *copy = malloc(size); /* of its very size, so that a read outside of it is caught */
    if (copy == NULL)
        abort();
    for (size_t i = 0; i < size; i++) /* half of the octets matter */
        copy[i] = data[i] % 4 == 0 ? '\n' : data[i] % 4 == 1 ? '.' : (char)data[i];
    for (size_t from = 0; from < size && from < 70; from++) {
        const char *expected = versions[0].find(copy + from, copy + size);
        for (size_t v = 1; v < count; v++) {
            if (versions[v].find(copy + from, copy + size) != expected)
                abort();
        }
        if (p3_find_lf_dot(copy + from, copy + size) != expected)
            abort();
    }
    free(copy);
    return 0;
}
