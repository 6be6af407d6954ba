/* SRV records (RFC 2782) of a domain's POP3 service. */
#include "cli/srv_record.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

#include "optional/library.h"

static struct {
    __typeof__(ns_get16) *get16;
    __typeof__(ns_initparse) *initparse;
    __typeof__(ns_parserr) *parserr;
} resolv;

static const p3_symbol symbols[] = {
    {"ns_get16", &resolv.get16},
    {"ns_initparse", &resolv.initparse},
    {"ns_parserr", &resolv.parserr},
};

static p3_library library = P3_LIBRARY(P3_RESOLV_SONAME, symbols);

/* Whether it consists of characters of host names (RFC 1123 §2.1), and underscores, which some
 * have. The DNS may contain any octets. */
static bool is_host_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    return name[0] != '-' && name[strspn(name, letters)] == '\0';
}

/* Takes a record of an answer, if it is better than the present one. */
static void take_record(const ns_msg *answer, const ns_rr *record, bool tls, p3_srv *best)
{
    const unsigned char *data = ns_rr_rdata(*record);
    p3_srv o = {.found = true, .tls = tls};
    if (ns_rr_type(*record) != ns_t_srv || ns_rr_rdlen(*record) < 7)
        return;
    o.priority = resolv.get16(data);
    o.weight = resolv.get16(data + 2);
    o.port = resolv.get16(data + 4);
    if (ns_name_uncompress(ns_msg_base(*answer), ns_msg_end(*answer), data + 6, o.host,
                           sizeof o.host) < 0)
        return;
    /* The root name means that there is no such service (RFC 6186 §3.4). */
    if (o.host[0] == '\0' || strcmp(o.host, ".") == 0 || o.port == 0 || !is_host_name(o.host))
        return;
    bool better = !best->found || o.priority < best->priority ||
                  (o.priority == best->priority &&
                   (o.tls > best->tls || (o.tls == best->tls && o.weight > best->weight)));
    if (better)
        *best = o;
}

static void query_srv(const char *service, const char *domain, bool tls, p3_srv *best)
{
    unsigned char octets[4096];
    char name[300];
    ns_msg answer;
    ns_rr record;
    if (snprintf(name, sizeof name, "%s.%s", service, domain) >= (int)sizeof name)
        return;
    int len = res_query(name, ns_c_in, ns_t_srv, octets, sizeof octets);
    if (len <= 0 || len > (int)sizeof octets || resolv.initparse(octets, len, &answer) != 0)
        return;
    for (int i = 0; i < ns_msg_count(answer, ns_s_an); i++) {
        if (resolv.parserr(&answer, ns_s_an, i, &record) == 0)
            take_record(&answer, &record, tls, best);
    }
}

void p3_srv_find(const char *domain, p3_srv *best)
{
    *best = (p3_srv){0};
    if (!p3_library_load(&library)) /* a part of the C library */
        return;
    query_srv("_pop3s._tcp", domain, true, best);
    query_srv("_pop3._tcp", domain, false, best);
}
