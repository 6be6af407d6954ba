/* The listing: UIDL and LIST, and what they do not agree on. A message that only LIST has is
 * retrieved like those of a server without UIDL: it is told by its header, and so neither lost nor
 * deleted unread. */
#ifndef P3_COLLECT_LISTER_H
#define P3_COLLECT_LISTER_H

#include "collect/maildrop.h"
#include "collect/trust.h"

typedef struct p3_lister {
    p3_maildrop *drop;
    const p3_trust *trust;
    bool no_uidl;      /* UIDL is not asked for, or was refused */
    bool uidl_refused; /* it was */
    bool sizes_beside; /* LIST has been sent beside UIDL */
    bool listed_again; /* UIDL and LIST did not agree, and are asked once more */
    bool told;         /* that they do not, in this run */
    bool done;         /* the mailbox is as it is listed */
} p3_lister;

/* Asks for the listing. */
void p3_lister_begin(p3_lister *l);

/* Whether UIDL is being answered. */
bool p3_lister_is_at_uidl(const p3_lister *l);

/* Whether LIST is being answered behind UIDL, and the visit can do without it. */
bool p3_lister_is_at_spare_list(const p3_lister *l);

#endif
