/* The DNS as a test wants it, through the linker's --wrap. For `pop3 setup`, POP3_TEST_DNS has a
 * line for each SRV record, `NAME PRIORITY WEIGHT PORT HOST`; the host "broken" stands for a record
 * that is cut off. Names that are looked up are written to the file POP3_TEST_LOOKUPS (outside of
 * the sandbox; whether a name is an address is no question to a server), and localhost has the
 * address POP3_TEST_ADDRESS. */
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list);
int __wrap___res_query(const char *name, int class, int type, unsigned char *answer, int size);
int __wrap_res_query(const char *name, int class, int type, unsigned char *answer, int size);

/* Appends one record to an answer. Returns how many octets it took. */
static int add_record(const char *name, const unsigned values[3], const char *host,
                      unsigned char *at, unsigned char *end)
{
    unsigned char *p = at;
    int len = ns_name_compress(name, p, (size_t)(end - p), NULL, NULL);
    if (len < 0)
        return 0;
    p += len;
    ns_put16(ns_t_srv, p);
    ns_put16(ns_c_in, p + 2);
    ns_put32(60, p + 4);
    unsigned char *data = p + 10;
    for (int i = 0; i < 3; i++)
        ns_put16(values[i], data + 2 * i);
    len = strcmp(host, "broken") == 0
              ? 0
              : ns_name_compress(host, data + 6, (size_t)(end - data - 6), NULL, NULL);
    if (len < 0)
        return 0;
    ns_put16((unsigned)len + 6, p + 8);
    return (int)(data + 6 + len - at);
}

static int query(const char *name, unsigned char *answer, int size)
{
    const char *line = getenv("POP3_TEST_DNS");
    unsigned char *at = answer + HFIXEDSZ;
    unsigned count = 0;
    memset(answer, 0, HFIXEDSZ);
    while (line != NULL && *line != '\0') {
        char of[200], host[200];
        unsigned values[3];
        if (sscanf(line, "%199s %u %u %u %199s", of, &values[0], &values[1], &values[2], host) ==
                5 &&
            strcasecmp(of, name) == 0) {
            at += add_record(name, values, host, at, answer + size);
            count++;
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    answer[2] = 0x80; /* a reply */
    ns_put16(count, answer + 6);
    return count > 0 ? (int)(at - answer) : -1;
}

int __wrap___res_query(const char *name, int class, int type, unsigned char *answer, int size)
{
    (void)class;
    return type == ns_t_srv ? query(name, answer, size) : -1;
}

int __wrap_res_query(const char *name, int class, int type, unsigned char *answer, int size)
{
    return __wrap___res_query(name, class, type, answer, size);
}

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list)
{
    bool asks = hints == NULL || (hints->ai_flags & AI_NUMERICHOST) == 0;
    const char *path = asks ? getenv("POP3_TEST_LOOKUPS") : NULL;
    FILE *f = path != NULL ? fopen(path, "a") : NULL;
    if (f != NULL) {
        fprintf(f, "%s\n", host);
        fclose(f);
    }
    const char *address = getenv("POP3_TEST_ADDRESS");
    bool is_ours = address != NULL && strcmp(host, "localhost") == 0;
    return __real_getaddrinfo(is_ours ? address : host, port, hints, list);
}
