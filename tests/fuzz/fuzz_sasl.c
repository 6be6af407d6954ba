/* Fuzzing what a server says during AUTH: base64 decodes to what encodes to it again, the JSON of
 * OAuth's errors is shown printable, and no mechanism is led astray by challenges. */
#include "auth/oauth_error.h"
#include "auth/sasl.h"
#include "auth/scram.h"
#include "core/base64.h"
#include "core/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void try_base64(pop3_str s)
{
    p3_octets decoded = {0}, encoded = {0};
    if (p3_base64_decode(&decoded, s) == POP3_OK) {
        must(decoded.len <= s.len && p3_base64_encode(&encoded, decoded.data, decoded.len));
        must(encoded.len == s.len);
    }
    p3_octets_free(&decoded);
    p3_octets_free(&encoded);
    must(p3_base64_encode(&encoded, s.data, s.len));
    must(p3_base64_decode(&decoded, p3_span(encoded.data, encoded.len)) == POP3_OK);
    must(decoded.len == s.len && (s.len == 0 || memcmp(decoded.data, s.data, s.len) == 0));
    p3_octets_free(&decoded);
    p3_octets_free(&encoded);
}

static void try_json(pop3_str s)
{
    static const char *const names[] = {"status", "scope", "schemes", ""};
    char out[48];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        memset(out, 'x', sizeof out);
        if (p3_json_member(s, names[i], out, sizeof out))
            must(memchr(out, '\0', sizeof out) != NULL);
    }
    memset(out, 'x', sizeof out);
    p3_oauth_error(s, out, sizeof out);
    must(memchr(out, '\0', sizeof out) != NULL);
    for (const char *p = out; *p != '\0'; p++)
        must(*p >= ' ' && *p < 0x7F);
}

/* The input's lines as challenges of one exchange. */
static void try_mechanism(p3_mechanism m, const char *data, size_t size)
{
    const p3_sasl_identity id = {.user = "joe",
                                 .secret = "secret",
                                 .realm = "example.org",
                                 .host = "mail.example.org",
                                 .port = 110};
    p3_sasl *s = NULL;
    p3_octets response = {0};
    if (!p3_sasl_built(m) || p3_sasl_new(&s, m, &id) != POP3_OK)
        return;
    pop3_status status = POP3_OK;
    if (p3_mechanism_is(p3_mechanism_about(m), P3_IS_CLIENT_FIRST))
        status = p3_sasl_initial(s, &response);
    for (int steps = 0; status == POP3_OK && steps < 8 && size > 0; steps++) {
        const char *lf = memchr(data, '\n', size);
        size_t len = lf == NULL ? size : (size_t)(lf - data);
        p3_octets coded = {0};
        /* Most challenges are to be well-formed: those that are not base64 go no further. */
        must(p3_base64_encode(&coded, data, len));
        p3_octets_free(&response);
        status = p3_sasl_answer(s, p3_span(coded.data, coded.len), &response);
        while (status == POP3_PENDING)
            status = p3_sasl_go_on(s, &response);
        must(memchr(s->complaint, '\0', sizeof s->complaint) != NULL);
        p3_octets_free(&coded);
        size_t used = lf == NULL ? len : len + 1;
        data += used;
        size -= used;
    }
    p3_octets_free(&response);
    p3_sasl_free(s);
}

/* The input's first two lines as the server's messages of a SCRAM exchange whose nonce is known, so
 * that they get further. Counts of more than four digits would only take long. */
static void try_scram(const char *data, size_t size)
{
    p3_scram x = {.digest = P3_SHA_256, .user = "joe", .nonce = "N"};
    p3_octets message = {0};
    const char *lf = memchr(data, '\n', size);
    pop3_str first = p3_span(data, lf == NULL ? size : (size_t)(lf - data));
    pop3_str second = lf == NULL ? p3_span("", 0) : p3_skip(p3_span(data, size), first.len + 1);
    for (size_t i = 0, digits = 0; i < first.len; i++) {
        digits = p3_is_digit(first.data[i]) ? digits + 1 : 0;
        if (digits > 4)
            return;
    }
    must(p3_scram_first(&x, &message) == POP3_OK);
    p3_octets_free(&message);
    pop3_status status = p3_scram_final(&x, first, "secret", &message);
    while (status == POP3_PENDING)
        status = p3_scram_go_on(&x, &message);
    must((status == POP3_OK) == (message.len > 0));
    must(status == POP3_OK || status == POP3_ERR_AUTHENTICATION || status == POP3_ERR_REFUSED);
    must(p3_scram_verify(&x, second) != POP3_OK); /* nobody guesses the proof */
    must(memchr(x.why, '\0', sizeof x.why) != NULL);
    p3_octets_free(&message);
    p3_scram_end(&x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const p3_mechanism mechanisms[] = {
        P3_MECH_PLAIN,       P3_MECH_LOGIN,       P3_MECH_CRAM_MD5,
        P3_MECH_EXTERNAL,    P3_MECH_OAUTHBEARER, P3_MECH_XOAUTH2,
        P3_MECH_SCRAM_SHA_1, P3_MECH_DIGEST_MD5,  P3_MECH_NTLM,
    };
    if (size < 1 || size > 4096)
        return 0;
    size_t len = size - 1;
    char *copy = malloc(len > 0 ? len : 1);
    must(copy != NULL);
    memcpy(copy, data + 1, len);
    pop3_str s = p3_span(copy, len);
    try_base64(s);
    try_json(s);
    try_scram(copy, len);
    try_mechanism(mechanisms[data[0] % (sizeof mechanisms / sizeof mechanisms[0])], copy, len);
    free(copy);
    return 0;
}
