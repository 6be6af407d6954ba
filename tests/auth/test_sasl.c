/* The parts of logging in that need no connection: base64, the mechanisms' messages, OAuth's error
 * message, SCRAM's key, and the choice of a method. */
#include "auth/mechanism.h"
#include "auth/oauth_error.h"
#include "auth/sasl.h"
#include "auth/scram_key.h"
#include "core/base64.h"
#include "core/text.h"

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
    static const char *const wrong[] = {"", "a b",
                                        "a\x01"
                                        "b",
                                        "a\tb", "t\xc3\xbc"};
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

/* ---- SCRAM's key ---- */

static void scrams_key_is_that_of_pbkdf2(void **state)
{
    /* The examples of RFC 5802 §5 and RFC 7677 §3; the keys are what their proofs come from. */
    char key[P3_SCRAM_KEY];
    (void)state;
    assert_int_equal(p3_scram_key(false, "pencil", "QSXCR+Q6sek8bf92", "4096", key), POP3_OK);
    assert_string_equal(key, "1d96ee3a529b5a5f9e47c01f229a2cb8a6e15f7d");
    assert_int_equal(p3_scram_key(true, "pencil", "W22ZaJ0SNY7soEsUEjb6gQ==", "4096", key),
                     POP3_OK);
    assert_string_equal(key, "c4a49510323ab4f952cac1fa99441939e78ea74d6be81ddf7096e87513dc615d");
}

static void salts_and_counts_that_make_no_sense_are_refused(void **state)
{
    static const char *const wrong[][2] = {
        {"QSXCR+Q6sek8bf92", "4095"},
        {"QSXCR+Q6sek8bf92", "0"},
        {"QSXCR+Q6sek8bf92", ""},
        {"QSXCR+Q6sek8bf92", "4096x"},
        {"QSXCR+Q6sek8bf92", "-4096"},
        {"QSXCR+Q6sek8bf92", "10000001"},
        {"QSXCR+Q6sek8bf92", "99999999999999999999999"},
        {"", "4096"},
        {"!!!!", "4096"},
    };
    char key[P3_SCRAM_KEY];
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(p3_scram_key(true, "pencil", wrong[i][0], wrong[i][1], key),
                         POP3_ERR_AUTHENTICATION);
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
    assert_string_equal(pick("wtuc", 0, &insecure), ""); /* nothing unannounced in the clear */
    assert_false(insecure);
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
        cmocka_unit_test(scrams_key_is_that_of_pbkdf2),
        cmocka_unit_test(salts_and_counts_that_make_no_sense_are_refused),
        cmocka_unit_test(the_members_of_an_object_are_found),
        cmocka_unit_test(escapes_become_what_they_stand_for),
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
