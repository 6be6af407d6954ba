/* Calls that fail on demand. The functions below stand in for those of the C library and for
 * OpenSSL's allocator in a program that is linked with the static library (see meson.build). */
#ifndef TESTS_FAULTS_FAULTS_H
#define TESTS_FAULTS_FAULTS_H

#include <stdbool.h>

/* What can fail. */
typedef enum fault_call {
    FAULT_ALLOCATION, /* malloc, calloc, realloc, strdup, strndup */
    FAULT_OPENSSL_ALLOCATION,
    FAULT_RECV,
    FAULT_SEND,
    FAULT_POLL,
    FAULT_CONNECT,
    FAULT_SOCKET,
    FAULT_BIND,
    FAULT_GETSOCKOPT,
    FAULT_PIPE,
    FAULT_GETADDRINFO,
    FAULT_THREAD,
    FAULT_DIGEST, /* OpenSSL's digests and random octets; only with faults_login.c */
    FAULT_GSASL,  /* GNU SASL's calls; only with faults_login.c */
    FAULT_CALLS
} fault_call;

/* How often. */
typedef enum fault_extent {
    FAULT_ONCE,       /* the n-th call */
    FAULT_FROM_THERE, /* the n-th call and all that follow */
    FAULT_EVERY_OTHER /* each second call */
} fault_extent;

/* What a call does in place of its work. */
typedef struct fault {
    fault_call call;
    fault_extent extent;
    int error;      /* errno, or what getaddrinfo() or pthread_create() returns */
    bool at_end;    /* recv: end of file */
    bool one_octet; /* recv, send: moves one octet */
} fault;

/* Must be called before OpenSSL is used. False when OpenSSL does not take the allocator. */
bool faults_install(void);

/* For stand-ins elsewhere: counts a call. True when it is to fail. */
bool faults_now(fault_call call);

/* From now on calls are counted, and the n-th (from 1) fails as said. n = 0: none does. */
void faults_arm(const fault *f, unsigned long n);

/* Everything works again. Returns whether anything failed since faults_arm(). */
bool faults_disarm(void);

/* Calls since faults_arm(). */
unsigned long faults_calls(fault_call call);

/* Allocations of the library and of the test that have not been freed. */
long faults_allocations(void);

/* Waits until every thread that was started has ended. False when that takes too long. */
bool faults_threads_ended(void);

#endif
