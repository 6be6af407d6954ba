/* Fuzzing the header of a message in a mailbox that many share: whatever is in it, its recipients
 * and folders are some that the table names, or the postmaster and the target's own, no one twice.
 */
#include "deliver/recipients.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char table[] = "a@x -> a@in, b@x -> b@in, @y -> c@in, a@x -> folder:A, @y -> folder:Y";
static const char *const all[] = {"a@in", "b@in", "c@in", "p@in"};

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static p3_recipients *r;
    p3_problem why;
    p3_recipient out[P3_RECIPIENTS_MOST];
    p3_recipient one;
    bool is_there[sizeof all / sizeof *all] = {false};
    char *copy = malloc(size > 0 ? size : 1); /* of its very size, without a terminator */
    if (r == NULL)
        r = p3_recipients_new("Delivered-To, X-Original-To", table, "table", "p@in", &why);
    must(copy != NULL && r != NULL);
    memcpy(copy, data, size);
    size_t count = p3_recipients_find(r, copy, size, out);
    must(count > 0 && count <= sizeof all / sizeof *all);
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < sizeof all / sizeof *all && strcmp(all[k], out[i].address) != 0)
            k++;
        must(k < sizeof all / sizeof *all && !is_there[k]);
        is_there[k] = true;
        must(p3_recipients_find_one(r, out[i].address, copy, size, &one));
        must(one.has_been == out[i].has_been);
    }
    size_t folders[P3_RECIPIENTS_MOST];
    bool is_named[3] = {false};
    count = p3_recipients_folders(r, copy, size, folders);
    must(count > 0 && count <= sizeof is_named / sizeof *is_named);
    for (size_t i = 0; i < count; i++) {
        must(folders[i] < sizeof is_named / sizeof *is_named && !is_named[folders[i]]);
        is_named[folders[i]] = true;
    }
    free(copy);
    return 0;
}
