/* The parts of a visit, connected. */
#ifndef P3_COLLECT_PARTS_H
#define P3_COLLECT_PARTS_H

#include "collect/authorization.h"
#include "collect/comparer.h"
#include "collect/filter.h"
#include "collect/leftovers.h"
#include "collect/lister.h"
#include "collect/header_reader.h"
#include "collect/transfer.h"

typedef struct p3_parts {
    p3_report report;
    p3_maildrop drop;
    p3_recorder recorder;
    p3_leftovers leftovers;
    p3_authorization authorization;
    p3_lister lister;
    p3_header_reader header_reader;
    p3_comparer comparer;
    p3_filter filter;
    p3_choice choice;
    p3_transfer transfer;
    bool locked; /* we hold the account's lock */
} p3_parts;

/* Connects the parts, for a visit that uses `trust` and is informed by `listener`. */
void p3_parts_init(p3_parts *p, p3_run *run, const p3_account *account, const p3_trust *trust,
                   const p3_listener *listener);

/* Loads the account's rows, and settles intents that are left over. Returns false with the problem,
 * which may have been reported already. */
bool p3_parts_load(p3_parts *p, p3_state *state, p3_problem *why);

/* The evidence when the connection ends with `status` in a stage. `out_of_time`: a limit on the
 * whole session has passed. */
p3_evidence p3_parts_evidence(const p3_parts *p, p3_stage stage, pop3_status status,
                              bool out_of_time);

void p3_parts_free(p3_parts *p, p3_state *state);

#endif
