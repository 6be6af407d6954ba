/* What logging in calls besides: OpenSSL's digests and GNU SASL, failing on demand. Random octets
 * are none here, so that a script knows the nonces. */
#include "faults/faults.h"

#include <gsasl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/md5.h>
#include <string.h>

int __wrap_RAND_bytes(unsigned char *out, int n);
int __real_EVP_Digest(const void *data, size_t len, unsigned char *out, unsigned *size,
                      const EVP_MD *type, ENGINE *engine);
int __wrap_EVP_Digest(const void *data, size_t len, unsigned char *out, unsigned *size,
                      const EVP_MD *type, ENGINE *engine);
unsigned char *__real_HMAC(const EVP_MD *type, const void *key, int key_len,
                           const unsigned char *data, size_t len, unsigned char *out, unsigned *n);
unsigned char *__wrap_HMAC(const EVP_MD *type, const void *key, int key_len,
                           const unsigned char *data, size_t len, unsigned char *out, unsigned *n);
int __real_PKCS5_PBKDF2_HMAC(const char *password, int len, const unsigned char *salt, int salt_len,
                             int count, const EVP_MD *type, int n, unsigned char *out);
int __wrap_PKCS5_PBKDF2_HMAC(const char *password, int len, const unsigned char *salt, int salt_len,
                             int count, const EVP_MD *type, int n, unsigned char *out);
int __real_MD5_Init(MD5_CTX *md);
int __wrap_MD5_Init(MD5_CTX *md);
void *__real_dlsym(void *handle, const char *name);
void *__wrap_dlsym(void *handle, const char *name);

/* GNU SASL's own functions, as the loader found them. */
static struct {
    __typeof__(gsasl_init) *init;
    __typeof__(gsasl_client_start) *client_start;
    __typeof__(gsasl_step) *step;
    __typeof__(gsasl_saslprep) *saslprep;
} real;

int __wrap_RAND_bytes(unsigned char *out, int n)
{
    memset(out, 0, (size_t)n);
    return faults_now(FAULT_DIGEST) ? 0 : 1;
}

int __wrap_EVP_Digest(const void *data, size_t len, unsigned char *out, unsigned *size,
                      const EVP_MD *type, ENGINE *engine)
{
    return faults_now(FAULT_DIGEST) ? 0 : __real_EVP_Digest(data, len, out, size, type, engine);
}

unsigned char *__wrap_HMAC(const EVP_MD *type, const void *key, int key_len,
                           const unsigned char *data, size_t len, unsigned char *out, unsigned *n)
{
    return faults_now(FAULT_DIGEST) ? NULL : __real_HMAC(type, key, key_len, data, len, out, n);
}

int __wrap_PKCS5_PBKDF2_HMAC(const char *password, int len, const unsigned char *salt, int salt_len,
                             int count, const EVP_MD *type, int n, unsigned char *out)
{
    return faults_now(FAULT_DIGEST)
               ? 0
               : __real_PKCS5_PBKDF2_HMAC(password, len, salt, salt_len, count, type, n, out);
}

int __wrap_MD5_Init(MD5_CTX *md)
{
    return faults_now(FAULT_DIGEST) ? 0 : __real_MD5_Init(md);
}

static int faulty_init(Gsasl **library)
{
    return faults_now(FAULT_GSASL) ? GSASL_MALLOC_ERROR : real.init(library);
}

static int faulty_client_start(Gsasl *library, const char *name, Gsasl_session **session)
{
    return faults_now(FAULT_GSASL) ? GSASL_MALLOC_ERROR : real.client_start(library, name, session);
}

static int faulty_step(Gsasl_session *session, const char *in, size_t in_len, char **out,
                       size_t *len)
{
    return faults_now(FAULT_GSASL) ? GSASL_MALLOC_ERROR : real.step(session, in, in_len, out, len);
}

static int faulty_saslprep(const char *in, Gsasl_saslprep_flags flags, char **out, int *rc)
{
    return faults_now(FAULT_GSASL) ? GSASL_MALLOC_ERROR : real.saslprep(in, flags, out, rc);
}

/* Functions are objects here, as dlsym() has it. */
static void *stand_in(void *slot, void *found, const void *faulty)
{
    void *out;
    memcpy(slot, &found, sizeof found);
    memcpy(&out, faulty, sizeof out);
    return out;
}

/* The library is loaded when it is first needed: its functions are replaced as they are found. */
void *__wrap_dlsym(void *handle, const char *name)
{
    void *found = __real_dlsym(handle, name);
    if (strcmp(name, "gsasl_init") == 0)
        return stand_in(&real.init, found, &(__typeof__(&faulty_init)){faulty_init});
    if (strcmp(name, "gsasl_client_start") == 0)
        return stand_in(&real.client_start, found,
                        &(__typeof__(&faulty_client_start)){faulty_client_start});
    if (strcmp(name, "gsasl_step") == 0)
        return stand_in(&real.step, found, &(__typeof__(&faulty_step)){faulty_step});
    if (strcmp(name, "gsasl_saslprep") == 0)
        return stand_in(&real.saslprep, found, &(__typeof__(&faulty_saslprep)){faulty_saslprep});
    return found;
}
