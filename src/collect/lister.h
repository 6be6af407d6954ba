/* The listing: UIDL and LIST, and differences between them. A message that is only in LIST is
 * treated as on a server without UIDL: it is identified by its header, so that it is neither lost
 * nor deleted without being retrieved. */
#ifndef P3_COLLECT_LISTER_H
#define P3_COLLECT_LISTER_H

#include "collect/maildrop.h"
#include "collect/trust.h"

typedef struct p3_lister {
    p3_maildrop *drop;
    const p3_trust *trust;
    bool no_uidl;        /* UIDL is not sent, or was refused */
    bool uidl_refused;   /* UIDL was refused */
    bool list_with_uidl; /* LIST has been sent with UIDL */
    bool listed_again;   /* UIDL and LIST differed, and were sent once more */
    bool told;           /* their difference was reported, in this run */
    bool done;           /* the listing is complete */
} p3_lister;

/* Requests the listing. */
void p3_lister_begin(p3_lister *l);

/* Whether UIDL is being answered. */
bool p3_lister_is_at_uidl(const p3_lister *l);

/* Whether LIST is being answered after UIDL, and the visit can do without it. */
bool p3_lister_is_at_spare_list(const p3_lister *l);

#endif
