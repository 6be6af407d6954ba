/* The parts of logging in that need no connection: base64, the mechanisms' messages, OAuth's error
 * message, SCRAM, and the choice of a method. */
#include "auth/preference.h"
#include "auth/oauth_error.h"
#include "auth/sasl.h"
#include "auth/scram.h"
#include "core/base64.h"
#include "core/text.h"

#include <openssl/evp.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static pop3_str span(const char *s)
{
    return p3_span(s, strlen(s));
}

/* ---- base64 ---- */

static void base64_has_the_examples_of_its_rfc(void **state)
{
    /* RFC 4648 §10 */
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfb", "//77"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        p3_octets out = {0};
        p3_octets back = {0};
        assert_true(p3_base64_encode(&out, pairs[i][0], strlen(pairs[i][0])));
        assert_string_equal(out.data != NULL ? out.data : "", pairs[i][1]);
        assert_int_equal(p3_base64_decode(&back, span(pairs[i][1])), POP3_OK);
        assert_string_equal(back.data != NULL ? back.data : "", pairs[i][0]);
        p3_octets_free(&out);
        p3_octets_free(&back);
    }
}

static void what_is_not_base64_is_refused(void **state)
{
    static const char *const wrong[] = {
        "Z",    "Zg",   "Zg=",      "Zg=== ",   "====",     "Z===", "=Zg=",
        "Zm9-", "Zm_v", "Zm9v\r\n", "Zm 9v===", "Zg==Zg==", "Z=g=",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        p3_octets out = {0};
        if (p3_base64_decode(&out, span(wrong[i])) != POP3_ERR_PROTOCOL)
            fail_msg("\"%s\" was taken", wrong[i]);
        p3_octets_free(&out);
    }
}

static void every_octet_survives_base64(void **state)
{
    char data[256];
    p3_octets out = {0};
    p3_octets back = {0};
    (void)state;
    for (int i = 0; i < 256; i++)
        data[i] = (char)i;
    assert_true(p3_base64_encode(&out, data, sizeof data));
    assert_int_equal(p3_base64_decode(&back, p3_span(out.data, out.len)), POP3_OK);
    assert_int_equal(back.len, sizeof data);
    assert_memory_equal(back.data, data, sizeof data);
    p3_octets_free(&out);
    p3_octets_free(&back);
}

/* ---- the mechanisms' messages ---- */

/* An exchange with an identity whose fields a test changes. */
static p3_sasl_identity identity(void)
{
    return (p3_sasl_identity){
        .user = "tim",
        .secret = "tanstaaf",
        .host = "mail.example",
        .port = 995,
    };
}

/* The initial response of a mechanism, decoded. */
static p3_octets first_message(p3_mechanism m, const p3_sasl_identity *id)
{
    p3_sasl *s;
    p3_octets base64 = {0};
    p3_octets decoded = {0};
    assert_int_equal(p3_sasl_new(&s, m, id), POP3_OK);
    assert_int_equal(p3_sasl_initial(s, &base64), POP3_OK);
    if (strcmp(base64.data, "=") != 0)
        assert_int_equal(p3_base64_decode(&decoded, p3_span(base64.data, base64.len)), POP3_OK);
    p3_octets_free(&base64);
    p3_sasl_free(s);
    return decoded;
}

#define FIRST_MESSAGE_IS(m, id, literal)                                                           \
    do {                                                                                           \
        p3_octets message = first_message((m), (id));                                              \
        assert_int_equal(message.len, sizeof(literal) - 1);                                        \
        assert_memory_equal(message.data, (literal), message.len);                                 \
        p3_octets_free(&message);                                                                  \
    } while (0)

static void plain_has_authorization_identity_name_and_password(void **state)
{
    p3_sasl_identity id = identity();
    (void)state;
    FIRST_MESSAGE_IS(P3_MECH_PLAIN, &id, "\0tim\0tanstaaf");
    id.authzid = "Ursel";
    FIRST_MESSAGE_IS(P3_MECH_PLAIN, &id, "Ursel\0tim\0tanstaaf");
}

static void external_has_whom_to_act_as(void **state)
{
    p3_sasl_identity id = identity();
    (void)state;
    FIRST_MESSAGE_IS(P3_MECH_EXTERNAL, &id, "tim");
    id.authzid = "fred";
    FIRST_MESSAGE_IS(P3_MECH_EXTERNAL, &id, "fred");
    id.user = id.authzid = NULL;
    p3_octets empty = first_message(P3_MECH_EXTERNAL, &id);
    assert_int_equal(empty.len, 0);
}

static void oauthbearer_is_as_in_its_rfc(void **state)
{
    /* RFC 7628 §4.1, with our host and port */
    p3_sasl_identity id = identity();
    (void)state;
    id.user = "user@example.com";
    id.secret = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
    id.host = "server.example.com";
    id.port = 143;
    FIRST_MESSAGE_IS(P3_MECH_OAUTHBEARER, &id,
                     "n,a=user@example.com,\x01host=server.example.com\x01port=143\x01"
                     "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01");
    id.user = "a,b=c";
    id.secret = "t";
    FIRST_MESSAGE_IS(P3_MECH_OAUTHBEARER, &id,
                     "n,a=a=2Cb=3Dc,\x01host=server.example.com\x01port=143\x01"
                     "auth=Bearer t\x01\x01");
}

static void xoauth2_is_as_documented(void **state)
{
    p3_sasl_identity id = identity();
    (void)state;
    id.user = "someuser@example.com";
    id.secret = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";
    FIRST_MESSAGE_IS(P3_MECH_XOAUTH2, &id,
                     "user=someuser@example.com\x01"
                     "auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01");
}

static void tokens_that_would_break_the_message_are_refused(void **state)
{
    static const char *const wrong[] = {"", "a b", "a\001b", "a\tb", "t\xc3\xbc"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        p3_sasl *s;
        p3_octets base64 = {0};
        p3_sasl_identity id = identity();
        id.secret = wrong[i];
        assert_int_equal(p3_sasl_new(&s, P3_MECH_XOAUTH2, &id), POP3_OK);
        assert_int_equal(p3_sasl_initial(s, &base64), POP3_ERR_ARGUMENT);
        p3_octets_free(&base64);
        p3_sasl_free(s);
    }
}

static void cram_md5_without_a_challenge_is_a_broken_rule(void **state)
{
    p3_sasl *s;
    p3_octets base64 = {0};
    p3_sasl_identity id = identity();
    (void)state;
    assert_int_equal(p3_sasl_new(&s, P3_MECH_CRAM_MD5, &id), POP3_OK);
    assert_int_equal(p3_sasl_answer(s, span(""), &base64), POP3_ERR_AUTHENTICATION);
    p3_octets_free(&base64);
    p3_sasl_free(s);
}

/* ---- SCRAM ---- */

/* The exchanges of RFC 5802 §5 and RFC 7677 §3, message by message. */
typedef struct example {
    p3_digest digest;
    const char *nonce, *first, *challenge, *final, *proof;
} example;

static const example examples[] = {
    {
        .digest = P3_SHA_1,
        .nonce = "fyko+d2lbbFgONRv9qkxdawL",
        .first = "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        .challenge = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        .final = "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
                 "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        .proof = "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    },
    {
        .digest = P3_SHA_256,
        .nonce = "rOprNGfwEbeRWgbNEkqO",
        .first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        .challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                     "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        .final = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                 "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        .proof = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    },
};

static p3_scram exchange_of(const example *e)
{
    return (p3_scram){.digest = e->digest, .user = "user", .nonce = e->nonce};
}

/* The first message, and the answer to a challenge. Frees nothing of the exchange. */
static pop3_status answer(p3_scram *x, pop3_str challenge, p3_octets *message)
{
    assert_int_equal(p3_scram_first(x, message), POP3_OK);
    p3_octets_free(message);
    return p3_scram_final(x, challenge, "pencil", message);
}

static void scram_has_the_examples_of_its_rfcs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const example *e = &examples[i];
        p3_scram x = exchange_of(e);
        p3_octets message = {0};
        assert_int_equal(p3_scram_first(&x, &message), POP3_OK);
        assert_string_equal(message.data, e->first);
        p3_octets_free(&message);
        assert_int_equal(p3_scram_final(&x, span(e->challenge), "pencil", &message), POP3_OK);
        assert_string_equal(message.data, e->final);
        assert_int_equal(p3_scram_verify(&x, span(e->proof)), POP3_OK);
        p3_octets_free(&message);
        p3_scram_end(&x);
    }
}

/* A server says how often the password's digest is iterated: other connections go on meanwhile. */
static void iterations_go_in_slices(void **state)
{
    static const uint32_t counts[] = {
        1, 4096, P3_STRETCH_SLICE, P3_STRETCH_SLICE + 1, P3_STRETCH_SLICE + 2, 50000};
    char longer[100];
    (void)state;
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    const char *const passwords[] = {"pencil", "", longer};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        for (size_t k = 0; k < 3; k++) {
            const char *password = passwords[k];
            unsigned char expected[32], got[32];
            uint32_t slices = 1;
            PKCS5_PBKDF2_HMAC(password, (int)strlen(password), (const unsigned char *)"salt", 4,
                              (int)counts[i], EVP_sha256(), 32, expected);
            p3_stretch *s;
            assert_int_equal(p3_stretch_begin(&s, P3_SHA_256, password, span("salt"), counts[i]),
                             POP3_OK);
            while (p3_stretch_step(s, got) == POP3_PENDING)
                slices++;
            assert_memory_equal(got, expected, 32);
            uint32_t least = (counts[i] - 1 + P3_STRETCH_SLICE - 1) / P3_STRETCH_SLICE;
            assert_int_equal(slices, least == 0 ? 1 : least);
            p3_stretch_free(s);
        }
    }
    p3_scram x = {.digest = P3_SHA_256, .user = "user", .nonce = "N"};
    p3_octets message = {0};
    assert_int_equal(answer(&x, span("r=NM,s=QSXC,i=20000"), &message), POP3_PENDING);
    assert_int_equal(message.len, 0);
    assert_int_equal(p3_scram_go_on(&x, &message), POP3_PENDING);
    assert_int_equal(p3_scram_go_on(&x, &message), POP3_OK);
    assert_true(message.len > 0);
    p3_octets_free(&message);
    p3_scram_end(&x);
    x = (p3_scram){.digest = P3_SHA_256, .user = "user", .nonce = "N"}; /* one that is given up */
    assert_int_equal(answer(&x, span("r=NM,s=QSXC,i=2000000"), &message), POP3_PENDING);
    p3_scram_end(&x);
}

static void scrams_header_says_how_it_is_bound_and_whom_to_act_as(void **state)
{
    static const struct {
        p3_scram_flag flag;
        const char *authzid, *first, *c;
    } headers[] = {
        {P3_SCRAM_UNBOUND, NULL, "n,,n=a=2Cb=3Dc,r=N", "c=biws,"},
        {P3_SCRAM_UNOFFERED, NULL, "y,,n=a=2Cb=3Dc,r=N", "c=eSws,"},
        {P3_SCRAM_UNOFFERED, "x,y", "y,a=x=2Cy,n=a=2Cb=3Dc,r=N", "c=eSxhPXg9MkN5LA==,"},
        {P3_SCRAM_BOUND, NULL, "p=tls-exporter,,n=a=2Cb=3Dc,r=N", "c=cD10bHMtZXhwb3J0ZXIsLAD/,"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        p3_scram x = {.digest = P3_SHA_256, .user = "a,b=c", .nonce = "N"};
        p3_octets message = {0};
        x.flag = headers[i].flag;
        x.authzid = headers[i].authzid;
        x.binding_name = "tls-exporter";
        x.binding = p3_span("\x00\xff", 2);
        assert_int_equal(p3_scram_first(&x, &message), POP3_OK);
        assert_string_equal(message.data, headers[i].first);
        p3_octets_free(&message);
        assert_int_equal(p3_scram_final(&x, span("r=NM,s=QSXC,i=4096"), "pencil", &message),
                         POP3_OK);
        assert_memory_equal(message.data, headers[i].c, strlen(headers[i].c));
        p3_octets_free(&message);
        p3_scram_end(&x);
    }
}

static void challenges_of_scram_that_must_not_be_answered_are_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "r",
        "r=NM",
        "r=NM,s=QSXC",
        "r=NM,s=QSXC,",
        "s=QSXC,r=NM,i=4096",
        "r=NM,i=4096,s=QSXC",
        "R=NM,s=QSXC,i=4096",
        /* nonces: not ours, nothing added, not printable */
        "r=,s=QSXC,i=4096",
        "r=N,s=QSXC,i=4096",
        "r=M,s=QSXC,i=4096",
        "r=XNM,s=QSXC,i=4096",
        "r=NM ,s=QSXC,i=4096",
        "r=NM\x7f,s=QSXC,i=4096",
        /* salts */
        "r=NM,s=,i=4096",
        "r=NM,s=!!!!,i=4096",
        "r=NM,s=QSX,i=4096",
        /* counts */
        "r=NM,s=QSXC,i=",
        "r=NM,s=QSXC,i=0",
        "r=NM,s=QSXC,i=4095",
        "r=NM,s=QSXC,i=4096x",
        "r=NM,s=QSXC,i=-4096",
        "r=NM,s=QSXC,i=2000001",
        "r=NM,s=QSXC,i=4294971392", /* 4096 in 32 bits */
        "r=NM,s=QSXC,i=99999999999999999999999",
        /* the reserved extension, and what is no attribute */
        "m=x,r=NM,s=QSXC,i=4096",
        "r=NM,s=QSXC,i=4096,m=x",
        "r=NM,s=QSXC,i=4096,a=b,m=x",
        "r=NM,s=QSXC,i=4096,1=b",
        "r=NM,s=QSXC,i=4096,[=b",
        "r=NM,s=QSXC,i=4096,ab",
        "r=NM,s=QSXC,i=4096,a",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        p3_scram x = {.digest = P3_SHA_1, .user = "user", .nonce = "N"};
        p3_octets message = {0};
        if (answer(&x, span(wrong[i]), &message) != POP3_ERR_AUTHENTICATION || x.why[0] == '\0')
            fail_msg("\"%s\" was taken", wrong[i]);
        assert_int_equal(message.len, 0); /* no proof goes to who may not have it */
        p3_octets_free(&message);
        p3_scram_end(&x);
    }
}

static void extensions_of_scram_that_are_not_known_are_ignored(void **state)
{
    p3_scram x = {.digest = P3_SHA_1, .user = "user", .nonce = "N"};
    p3_octets message = {0};
    (void)state;
    assert_int_equal(answer(&x, span("r=NM,s=QSXC,i=4096,x=,Y=a=b,z=1"), &message), POP3_OK);
    p3_octets_free(&message);
    p3_scram_end(&x);
}

static void only_the_right_signature_is_a_proof(void **state)
{
    static const char *const wrong[] = {
        "",
        "v",
        "v=",
        "V=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        "v=!!!!",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKU=", /* the last bits differ */
        "v=smF9pqV8S7suAoZWja4dJRkFsKQ=", /* the first do */
        "v=rmF9pqV8S7suAoZWja4dJRkFsA==", /* cut */
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQA", /* with an octet more */
        "v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=,m=x",
        "m=x,v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        "r=x",
    };
    const example *e = &examples[0];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        p3_scram x = exchange_of(e);
        p3_octets message = {0};
        assert_int_equal(answer(&x, span(e->challenge), &message), POP3_OK);
        if (p3_scram_verify(&x, span(wrong[i])) != POP3_ERR_AUTHENTICATION)
            fail_msg("\"%s\" was taken", wrong[i]);
        p3_octets_free(&message);
        p3_scram_end(&x);
    }
}

static void errors_that_scram_reports_are_told_in_print(void **state)
{
    const example *e = &examples[0];
    p3_scram x = exchange_of(e);
    p3_octets message = {0};
    (void)state;
    /* in place of the first challenge, or of the proof */
    assert_int_equal(answer(&x, span("e=unknown-user"), &message), POP3_ERR_REFUSED);
    assert_string_equal(x.why, "unknown-user");
    assert_int_equal(message.len, 0);
    assert_int_equal(p3_scram_verify(&x, span("e=invalid\x1b[31m\r\n,x=y")), POP3_ERR_REFUSED);
    assert_string_equal(x.why, "invalid\\x1b[31m\\x0d\\x0a");
    p3_scram_end(&x);
}

/* A step of a mechanism with what the server says in the clear. */
static pop3_status told(p3_sasl *s, const char *challenge, p3_octets *response)
{
    p3_octets base64 = {0};
    p3_octets_free(response);
    assert_true(p3_base64_encode(&base64, challenge, strlen(challenge)));
    pop3_status status = p3_sasl_answer(s, p3_span(base64.data, base64.len), response);
    p3_octets_free(&base64);
    return status;
}

static void scrams_nonce_is_another_each_time(void **state)
{
    p3_sasl_identity id = identity();
    (void)state;
    p3_octets one = first_message(P3_MECH_SCRAM_SHA_256, &id);
    p3_octets two = first_message(P3_MECH_SCRAM_SHA_256, &id);
    assert_memory_equal(one.data, "n,,n=tim,r=", 11);
    assert_int_equal(one.len, 11 + 32);
    assert_string_not_equal(one.data, two.data);
    p3_octets_free(&one);
    p3_octets_free(&two);
}

static void scram_says_when_a_binding_was_not_offered(void **state)
{
    static const struct {
        p3_mechanism mechanism;
        bool have, offered;
        const char *header;
    } ways[] = {
        {P3_MECH_SCRAM_SHA_256, false, false, "n,,"},
        {P3_MECH_SCRAM_SHA_256, true, true, "n,,"},
        {P3_MECH_SCRAM_SHA_256, true, false, "y,,"},
        {P3_MECH_SCRAM_SHA_1, true, false, "y,,"},
        {P3_MECH_SCRAM_SHA_1_PLUS, true, true, "p=tls-server-end-point,,"},
        {P3_MECH_SCRAM_SHA_256_PLUS, true, true, "p=tls-server-end-point,,"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        p3_sasl_identity id = identity();
        if (ways[i].have)
            id.binding_name = "tls-server-end-point";
        id.binding_offered = ways[i].offered;
        p3_octets message = first_message(ways[i].mechanism, &id);
        assert_memory_equal(message.data, ways[i].header, strlen(ways[i].header));
        p3_octets_free(&message);
    }
}

static void scram_ends_where_it_ends(void **state)
{
    p3_sasl_identity id = identity();
    p3_octets response = {0};
    p3_sasl *s;
    (void)state;
    assert_int_equal(p3_sasl_new(&s, P3_MECH_SCRAM_SHA_1, &id), POP3_OK);
    assert_int_equal(told(s, "before anything was said", &response), POP3_ERR_AUTHENTICATION);
    p3_sasl_free(s);
    p3_octets_free(&response);
    assert_int_equal(p3_sasl_new(&s, P3_MECH_SCRAM_SHA_1, &id), POP3_OK);
    assert_int_equal(told(s, "", &response), POP3_OK);
    assert_int_equal(told(s, "m=x", &response), POP3_ERR_AUTHENTICATION);
    assert_non_null(strstr(s->complaint, "extension"));
    assert_int_equal(told(s, "v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", &response), POP3_ERR_AUTHENTICATION);
    assert_false(s->complete);
    assert_int_equal(told(s, "more", &response), POP3_ERR_AUTHENTICATION);
    p3_octets_free(&response);
    p3_sasl_free(s);
}

static void names_that_saslprep_forbids_or_empties_are_refused(void **state)
{
    static const char *const wrong[] = {"tim\xc3\xa9\x07", "\xc2\xad"}; /* a bell; a soft hyphen */
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        p3_sasl_identity id = identity();
        p3_octets base64 = {0};
        p3_sasl *s;
        id.user = wrong[i];
        assert_int_equal(p3_sasl_new(&s, P3_MECH_SCRAM_SHA_1, &id), POP3_OK);
        assert_int_equal(p3_sasl_initial(s, &base64), POP3_ERR_ARGUMENT);
        assert_non_null(strstr(s->complaint, "SASLprep"));
        p3_octets_free(&base64);
        p3_sasl_free(s);
    }
}

/* ---- GNU SASL's mechanisms ---- */

/* A mechanism that is told something that it must not take, after it has begun. */
static void must_not_take(p3_mechanism m, const char *const *challenges, pop3_status status)
{
    p3_sasl_identity id = identity();
    p3_octets response = {0};
    p3_sasl *s;
    pop3_status last = POP3_OK;
    assert_int_equal(p3_sasl_new(&s, m, &id), POP3_OK);
    for (; *challenges != NULL; challenges++) {
        assert_int_equal(last, POP3_OK);
        last = told(s, *challenges, &response);
    }
    assert_int_equal(last, status);
    assert_false(s->complete);
    assert_string_not_equal(s->complaint, "");
    p3_octets_free(&response);
    p3_sasl_free(s);
}

#define DIGEST_CHALLENGE "realm=\"r\",nonce=\"n\",qop=\"auth\",algorithm=md5-sess,charset=utf-8"

static void digest_md5_takes_no_wrong_challenge_and_no_wrong_proof(void **state)
{
    static const char *const garbage[] = {"garbage", NULL};
    static const char *const no_nonce[] = {"algorithm=md5-sess", NULL};
    static const char *const wrong_proof[] = {DIGEST_CHALLENGE,
                                              "rspauth=ea40f60335c427b5527b84dbabcdfffd", NULL};
    static const char *const no_proof[] = {DIGEST_CHALLENGE, "proof=none", NULL};
    (void)state;
    must_not_take(P3_MECH_DIGEST_MD5, garbage, POP3_ERR_AUTHENTICATION);
    must_not_take(P3_MECH_DIGEST_MD5, no_nonce, POP3_ERR_AUTHENTICATION);
    must_not_take(P3_MECH_DIGEST_MD5, wrong_proof, POP3_ERR_AUTHENTICATION);
    must_not_take(P3_MECH_DIGEST_MD5, no_proof, POP3_ERR_AUTHENTICATION);
}

static void clients_that_speak_first_take_no_challenge_before(void **state)
{
    static const p3_mechanism first[] = {P3_MECH_GSSAPI, P3_MECH_NTLM, P3_MECH_SCRAM_SHA_256};
    static const char *const challenges[] = {"early", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        must_not_take(first[i], challenges, POP3_ERR_AUTHENTICATION);
}

/* Servers write "+ go ahead" and the like where RFC 5034 has nothing behind the plus. */
static void methods_without_challenges_take_any_text_for_a_prompt(void **state)
{
    static const p3_mechanism heedless[] = {P3_MECH_PLAIN,       P3_MECH_LOGIN,   P3_MECH_EXTERNAL,
                                            P3_MECH_OAUTHBEARER, P3_MECH_XOAUTH2, P3_MECH_NONE};
    (void)state;
    for (size_t i = 0; heedless[i] != P3_MECH_NONE; i++) {
        p3_sasl_identity id = identity();
        p3_octets first = {0}, prompted = {0};
        p3_sasl *s;
        assert_int_equal(p3_sasl_new(&s, heedless[i], &id), POP3_OK);
        assert_int_equal(p3_sasl_answer(s, p3_span("", 0), &first), POP3_OK);
        p3_sasl_free(s);
        assert_int_equal(p3_sasl_new(&s, heedless[i], &id), POP3_OK);
        assert_true(p3_sasl_is_prompt(s, p3_span("go ahead!", 9)));
        assert_int_equal(p3_sasl_answer(s, p3_span("go ahead!", 9), &prompted), POP3_OK);
        assert_int_equal(prompted.len, first.len);
        assert_memory_equal(prompted.data, first.data, first.len);
        p3_octets_free(&first);
        p3_octets_free(&prompted);
        p3_sasl_free(s);
    }
}

static void methods_take_no_challenge_that_they_do_not_have(void **state)
{
    static const char *const plain[] = {"", "", NULL};
    static const char *const cram[] = {"<1@h>", "<1@h>", NULL};
    static const char *const login[] = {"User", "Password", "more", NULL};
    p3_sasl_identity id = identity();
    p3_octets response = {0};
    p3_sasl *s;
    (void)state;
    const struct {
        p3_mechanism mechanism;
        const char *const *challenges;
    } exchanges[] = {{P3_MECH_PLAIN, plain},
                     {P3_MECH_EXTERNAL, plain},
                     {P3_MECH_CRAM_MD5, cram},
                     {P3_MECH_LOGIN, login}};
    for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++) {
        pop3_status last = POP3_OK;
        assert_int_equal(p3_sasl_new(&s, exchanges[i].mechanism, &id), POP3_OK);
        for (const char *const *c = exchanges[i].challenges; *c != NULL; c++) {
            assert_int_equal(last, POP3_OK);
            last = told(s, *c, &response);
        }
        assert_int_equal(last, POP3_ERR_AUTHENTICATION);
        p3_sasl_free(s);
    }
    assert_int_equal(p3_sasl_new(&s, P3_MECH_XOAUTH2, &id), POP3_OK);
    assert_int_equal(told(s, "", &response), POP3_OK);
    assert_int_equal(told(s, "{}", &response), POP3_ERR_REFUSED);
    assert_int_equal(told(s, "{}", &response), POP3_ERR_AUTHENTICATION);
    p3_octets_free(&response);
    p3_sasl_free(s);
}

static void what_is_no_sasl_has_no_exchange(void **state)
{
    p3_sasl_identity id = identity();
    p3_sasl *s;
    (void)state;
    assert_int_equal(p3_sasl_new(&s, P3_MECH_APOP, &id), POP3_ERR_NOT_OFFERED);
    assert_null(s);
    assert_false(p3_sasl_built(P3_MECH_APOP));
}

/* ---- OAuth's error message ---- */

static void the_members_of_an_object_are_found(void **state)
{
    static const char json[] = " { \"a\" : \"x\", \"n\":42,\"list\":[1,{\"status\":\"no\"},\"]\"], "
                               "\"obj\":{\"status\":\"no\"},"
                               "\"status\":\"yes\",\"t\":true,\"empty\":\"\" } ";
    char out[32];
    (void)state;
    assert_true(p3_json_member(span(json), "a", out, sizeof out));
    assert_string_equal(out, "x");
    assert_true(p3_json_member(span(json), "n", out, sizeof out));
    assert_string_equal(out, "42");
    assert_true(p3_json_member(span(json), "status", out, sizeof out)); /* the one outside */
    assert_string_equal(out, "yes");
    assert_true(p3_json_member(span(json), "t", out, sizeof out));
    assert_string_equal(out, "true");
    assert_true(p3_json_member(span(json), "empty", out, sizeof out));
    assert_string_equal(out, "");
    assert_false(p3_json_member(span(json), "obj", out, sizeof out));
    assert_false(p3_json_member(span(json), "list", out, sizeof out));
    assert_false(p3_json_member(span(json), "missing", out, sizeof out));
}

static void escapes_become_what_they_stand_for(void **state)
{
    static const char json[] =
        "{\"s\":\"\\\"\\\\\\/\\n\\u0041\\u00fc\\u20ac\\ud83d\\ude00\\ud83d!\"}";
    char out[64];
    (void)state;
    assert_true(p3_json_member(span(json), "s", out, sizeof out));
    assert_string_equal(out, "\"\\/\nA\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd!");
}

static void escapes_that_are_broken_or_unknown_say_little(void **state)
{
    static const struct {
        const char *json, *value;
    } escapes[] = {
        {"{\"s\":\"\\q\\u00FF\\uFFfd\"}", "q\xc3\xbf\xef\xbf\xbd"},
        {"{\"s\":\"\\ud83d\\u0041\"}", "\xef\xbf\xbd"}, /* half a pair, and what is none */
        {"{\"s\":\"\\ud83d\\ue000\"}", "\xef\xbf\xbd"},
        {"{\"s\":\"\\ud83d\\n\"}", "\xef\xbf\xbd\n"},
        {"{\"s\":\"\\ude00\\ue000\"}", "\xef\xbf\xbd\xee\x80\x80"},
        {"{\t\"a\"\r:\n[ \"\\\"]\" , {\t} ],\r\n\"s\" : \"v\"}", "v"},
    };
    static const char *const broken[] = {
        "{\"s\":\"\\u00g0\"}",        "{\"s\":\"\\u00/0\"}",    "{\"s\":\"\\ud83d\\u00\"}",
        "{\"s\":\"\\ud83d\\uzzzz\"}", "{\"a\":[\"x], \"s\":1}", "{\"s\":\"\\u12",
        "{\"s\":\"\\ud83d\\",         "{\"s\":\"\\ud83d",
    };
    char out[64];
    (void)state;
    for (size_t i = 0; i < sizeof escapes / sizeof escapes[0]; i++) {
        assert_true(p3_json_member(span(escapes[i].json), "s", out, sizeof out));
        assert_string_equal(out, escapes[i].value);
    }
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++)
        assert_false(p3_json_member(span(broken[i]), "s", out, sizeof out));
    assert_true(p3_json_member(p3_span("{\"s\":\"\\\0x\"}", 10), "s", out, sizeof out));
    p3_oauth_error(span("{\"status\":\"\",\"scope\":\"mail\"}"), out, sizeof out);
    assert_string_equal(out, "scope mail"); /* what is empty is left out */
}

static void long_values_are_cut(void **state)
{
    char out[4];
    (void)state;
    assert_true(p3_json_member(span("{\"s\":\"abcdef\"}"), "s", out, sizeof out));
    assert_string_equal(out, "abc");
}

static void what_is_not_json_says_nothing(void **state)
{
    static const char *const wrong[] = {
        "",
        "no",
        "{",
        "{\"status",
        "{\"status\"",
        "{\"status\":",
        "{\"status\":}",
        "{\"status\":\"x",
        "{\"status\":\"\\u00",
        "{\"status\":\"\\",
        "{\"a\":[[[[{{{{",
        "{\"a\":{\"b\":\"c\"",
        "[\"status\",\"x\"]",
        "{\"a\" \"b\",\"status\":\"x\"}",
    };
    char out[64];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        p3_oauth_error(span(wrong[i]), out, sizeof out);
        if (out[0] != '\0')
            fail_msg("%s said %s", wrong[i], out);
    }
}

static void the_report_is_one_line_of_printable_text(void **state)
{
    char out[200];
    (void)state;
    p3_oauth_error(span("{\"status\":\"invalid_token\",\"scope\":\"a\\r\\nb\\u001b[31m\","
                        "\"openid-configuration\":\"https://example.com/\"}"),
                   out, sizeof out);
    assert_string_equal(out, "status invalid_token, scope a\\x0d\\x0ab\\x1b[31m");
    p3_oauth_error(span("{\"status\":\"invalid_token\",\"scope\":\"mail\"}"), out, 20);
    assert_string_equal(out, "status invalid_toke");
}

/* ---- the choice ---- */

/* What is picked of everything, with a password and a token, under circumstances given as letters:
 * e encrypted, p private, b binding, w password, t token, u user, c clear allowed, n never reveal.
 */
static const char *pick(const char *letters, p3_mechanisms offered, bool *insecure)
{
    bool unused;
    p3_circumstances c = {
        .encrypted = strchr(letters, 'e') != NULL,
        .private_line = strchr(letters, 'p') != NULL || strchr(letters, 'e') != NULL,
        .binding = strchr(letters, 'b') != NULL,
        .password = strchr(letters, 'w') != NULL,
        .token = strchr(letters, 't') != NULL,
        .user = strchr(letters, 'u') != NULL,
        .allow_plaintext = strchr(letters, 'c') != NULL,
        .never_reveal = strchr(letters, 'n') != NULL,
    };
    return p3_mechanism_about(p3_mechanism_pick(offered, &c, insecure != NULL ? insecure : &unused))
        ->name;
}

static const p3_mechanisms everything = ((p3_mechanisms)1 << P3_MECH_COUNT) - 2;

static p3_mechanisms without(p3_mechanisms set, p3_mechanism m)
{
    return set & ~p3_mechanism_bit(m);
}

static void the_order_under_tls_is_the_documented_one(void **state)
{
    p3_mechanisms set = everything;
    static const p3_mechanism order[] = {
        P3_MECH_SCRAM_SHA_256_PLUS,
        P3_MECH_SCRAM_SHA_256,
        P3_MECH_SCRAM_SHA_1_PLUS,
        P3_MECH_SCRAM_SHA_1,
        P3_MECH_OAUTHBEARER,
        P3_MECH_XOAUTH2,
        P3_MECH_PLAIN,
        P3_MECH_LOGIN,
        P3_MECH_USER,
        P3_MECH_CRAM_MD5,
        P3_MECH_APOP,
    };
    (void)state;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        assert_string_equal(pick("ebwtu", set, NULL), p3_mechanism_about(order[i])->name);
        set = without(set, order[i]);
    }
    assert_string_equal(pick("ebwtu", set, NULL), "USER"); /* unannounced, as a last resort */
}

static void the_order_in_the_clear_is_the_documented_one(void **state)
{
    p3_mechanisms set = everything;
    bool insecure;
    static const p3_mechanism order[] = {
        P3_MECH_SCRAM_SHA_256,
        P3_MECH_SCRAM_SHA_1,
        P3_MECH_CRAM_MD5,
        P3_MECH_APOP,
    };
    (void)state;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        assert_string_equal(pick("wtu", set, NULL), p3_mechanism_about(order[i])->name);
        set = without(set, order[i]);
    }
    assert_string_equal(pick("wtu", set, &insecure), "");
    assert_true(insecure);
    assert_string_equal(pick("wtuc", set, NULL), "OAUTHBEARER");
    assert_string_equal(pick("wuc", set, NULL), "PLAIN");
    assert_string_equal(pick("wtu", 0, &insecure), ""); /* nothing unannounced in the clear */
    assert_false(insecure);
    assert_string_equal(pick("wtuc", 0, NULL), "USER"); /* but where that is allowed */
}

static void a_unix_socket_is_private_but_has_nothing_to_bind_to(void **state)
{
    (void)state;
    assert_string_equal(pick("pwtu", everything, NULL), "SCRAM-SHA-256");
    assert_string_equal(pick("pwu", p3_mechanism_bit(P3_MECH_PLAIN), NULL), "PLAIN");
}

static void only_what_there_is_a_secret_for_is_picked(void **state)
{
    (void)state;
    assert_string_equal(pick("ebtu", everything, NULL), "OAUTHBEARER");
    assert_string_equal(pick("ebu", everything, NULL), "EXTERNAL");
    assert_string_equal(pick("eb", everything, NULL), "EXTERNAL");
    assert_string_equal(pick("u", everything, NULL), "");
    assert_string_equal(pick("ewu", p3_mechanism_bit(P3_MECH_EXTERNAL), NULL), "USER");
    assert_string_equal(pick("etu", p3_mechanism_bit(P3_MECH_EXTERNAL), NULL), "");
    assert_string_equal(pick("pu", p3_mechanism_bit(P3_MECH_EXTERNAL), NULL), "");
    assert_string_equal(pick("ebw", everything, NULL), ""); /* no user */
}

static void the_secret_is_never_revealed_when_it_must_not_be(void **state)
{
    bool insecure;
    (void)state;
    assert_string_equal(pick("ewtun", p3_mechanism_bit(P3_MECH_PLAIN), &insecure), "");
    assert_false(insecure);
    assert_string_equal(
        pick("ewtun", p3_mechanism_bit(P3_MECH_PLAIN) | p3_mechanism_bit(P3_MECH_CRAM_MD5), NULL),
        "CRAM-MD5");
}

static void names_are_found_whatever_their_case(void **state)
{
    (void)state;
    assert_int_equal(p3_mechanism_named(span("scram-Sha-256-plus")), P3_MECH_SCRAM_SHA_256_PLUS);
    assert_int_equal(p3_mechanism_named(span("user")), P3_MECH_USER);
    assert_int_equal(p3_mechanism_named(span("")), P3_MECH_NONE);
    assert_int_equal(p3_mechanism_named(span("PLAI")), P3_MECH_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_has_the_examples_of_its_rfc),
        cmocka_unit_test(what_is_not_base64_is_refused),
        cmocka_unit_test(every_octet_survives_base64),
        cmocka_unit_test(plain_has_authorization_identity_name_and_password),
        cmocka_unit_test(external_has_whom_to_act_as),
        cmocka_unit_test(oauthbearer_is_as_in_its_rfc),
        cmocka_unit_test(xoauth2_is_as_documented),
        cmocka_unit_test(tokens_that_would_break_the_message_are_refused),
        cmocka_unit_test(cram_md5_without_a_challenge_is_a_broken_rule),
        cmocka_unit_test(scram_has_the_examples_of_its_rfcs),
        cmocka_unit_test(iterations_go_in_slices),
        cmocka_unit_test(scrams_header_says_how_it_is_bound_and_whom_to_act_as),
        cmocka_unit_test(challenges_of_scram_that_must_not_be_answered_are_refused),
        cmocka_unit_test(extensions_of_scram_that_are_not_known_are_ignored),
        cmocka_unit_test(only_the_right_signature_is_a_proof),
        cmocka_unit_test(errors_that_scram_reports_are_told_in_print),
        cmocka_unit_test(scrams_nonce_is_another_each_time),
        cmocka_unit_test(scram_says_when_a_binding_was_not_offered),
        cmocka_unit_test(scram_ends_where_it_ends),
        cmocka_unit_test(names_that_saslprep_forbids_or_empties_are_refused),
        cmocka_unit_test(digest_md5_takes_no_wrong_challenge_and_no_wrong_proof),
        cmocka_unit_test(clients_that_speak_first_take_no_challenge_before),
        cmocka_unit_test(methods_without_challenges_take_any_text_for_a_prompt),
        cmocka_unit_test(methods_take_no_challenge_that_they_do_not_have),
        cmocka_unit_test(what_is_no_sasl_has_no_exchange),
        cmocka_unit_test(the_members_of_an_object_are_found),
        cmocka_unit_test(escapes_become_what_they_stand_for),
        cmocka_unit_test(escapes_that_are_broken_or_unknown_say_little),
        cmocka_unit_test(long_values_are_cut),
        cmocka_unit_test(what_is_not_json_says_nothing),
        cmocka_unit_test(the_report_is_one_line_of_printable_text),
        cmocka_unit_test(the_order_under_tls_is_the_documented_one),
        cmocka_unit_test(the_order_in_the_clear_is_the_documented_one),
        cmocka_unit_test(a_unix_socket_is_private_but_has_nothing_to_bind_to),
        cmocka_unit_test(only_what_there_is_a_secret_for_is_picked),
        cmocka_unit_test(the_secret_is_never_revealed_when_it_must_not_be),
        cmocka_unit_test(names_are_found_whatever_their_case),
    };
    return cmocka_run_group_tests_name("sasl", tests, NULL, NULL);
}
