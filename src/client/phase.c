/* The phase of a connection: the only place that says which phase may follow which. */
#include "client/phase.h"

#include <assert.h>
#include <stdbool.h>

#define P3_BIT(phase) (1u << (phase))

/* Another connection, after one on which only the client's own commands were sent. */
#define P3_AGAIN (P3_BIT(P3_PHASE_RESOLVING) | P3_BIT(P3_PHASE_DIALING))

/* The phases that may follow each one; the connection may end in any. */
static const unsigned next_phases[] = {
    [P3_PHASE_NONE] = P3_AGAIN,
    [P3_PHASE_RESOLVING] = P3_BIT(P3_PHASE_DIALING),
    [P3_PHASE_DIALING] =
        P3_BIT(P3_PHASE_PROXY) | P3_BIT(P3_PHASE_HANDSHAKE) | P3_BIT(P3_PHASE_GREETING),
    [P3_PHASE_PROXY] = P3_BIT(P3_PHASE_HANDSHAKE) | P3_BIT(P3_PHASE_GREETING),
    [P3_PHASE_HANDSHAKE] = P3_BIT(P3_PHASE_GREETING) | P3_BIT(P3_PHASE_UPGRADE) | P3_AGAIN,
    [P3_PHASE_GREETING] =
        P3_BIT(P3_PHASE_UPGRADE) | P3_BIT(P3_PHASE_LOGIN) | P3_BIT(P3_PHASE_READY),
    [P3_PHASE_UPGRADE] =
        P3_BIT(P3_PHASE_HANDSHAKE) | P3_BIT(P3_PHASE_LOGIN) | P3_BIT(P3_PHASE_READY) | P3_AGAIN,
    [P3_PHASE_LOGIN] = P3_BIT(P3_PHASE_READY) | P3_AGAIN,
    [P3_PHASE_READY] = P3_BIT(P3_PHASE_UPGRADE) | P3_BIT(P3_PHASE_LOGIN),
};

void p3_set_phase(p3_phase *phase, p3_phase next)
{
    bool legal = next == P3_PHASE_NONE || (next_phases[*phase] & P3_BIT(next)) != 0;
    assert(legal);
    (void)legal; /* unused without assertions */
    *phase = next;
}
