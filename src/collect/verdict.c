/* The verdict on a visit. */
#include "collect/verdict.h"

void p3_verdict_note(p3_verdict *v, const p3_problem *problem)
{
    if (v->problem.exit == 0)
        v->problem = *problem;
}

void p3_verdict_ask(p3_verdict *v, p3_again again)
{
    if (v->again < again)
        v->again = again;
}

p3_again p3_verdict_next(const p3_verdict *v, bool goes_on, int64_t retry_ms, unsigned retries,
                         p3_waits *waits, int64_t *wait_ms)
{
    bool announced = v->wait_ms > 0;
    bool too_long = announced && (waits->announced || v->wait_ms > P3_WAIT_MOST);
    *wait_ms = 0;
    if (goes_on && (v->more || v->again == P3_AGAIN_NOW))
        return P3_AGAIN_NOW;
    if (v->again != P3_AGAIN_LATER || waits->count >= retries || too_long)
        return P3_AGAIN_NO;
    *wait_ms = retry_ms << waits->count;
    if (*wait_ms < v->wait_ms)
        *wait_ms = v->wait_ms;
    waits->count++;
    waits->announced = waits->announced || announced;
    return P3_AGAIN_LATER;
}
