/* Fuzzing the capabilities: the input's lines are what a server announced. Every line and every
 * mechanism can be read and looked up again. */
#include "core/capabilities.h"
#include "core/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check(const pop3_capabilities *v, size_t lines)
{
    must(v->line_count == lines);
    for (size_t i = 0; i < v->line_count; i++) {
        size_t len = strlen(v->lines[i]);
        must(len == 0 || !p3_is_blank(v->lines[i][len - 1]));
        (void)pop3_capabilities_have(v, v->lines[i]);
    }
    for (size_t i = 0; i < v->sasl_count; i++) {
        must(v->sasl[i][0] != '\0');
        must(pop3_capabilities_have_sasl(v, v->sasl[i]));
    }
    must(v->sasl_count == 0 || (v->flags & POP3_CAP_SASL) != 0);
    must((v->flags & POP3_CAP_UTF8_USER) == 0 || (v->flags & POP3_CAP_UTF8) != 0);
    must(((v->flags & POP3_CAP_TOP) != 0) == pop3_capabilities_have(v, "top"));
    must(v->implementation == NULL || strlen(v->implementation) < 1 << 20);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    p3_caps caps = {0};
    size_t lines = 0;
    while (size > 0) {
        const uint8_t *lf = memchr(data, '\n', size);
        size_t len = lf == NULL ? size : (size_t)(lf - data);
        must(p3_caps_add(&caps, p3_span((const char *)data, len)));
        lines++;
        size_t used = lf == NULL ? len : len + 1;
        data += used;
        size -= used;
    }
    must(p3_caps_finish(&caps));
    check(&caps.value, lines);
    p3_caps_clear(&caps);
    return 0;
}
