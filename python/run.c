/* Runs that outlive a call: their reference counts. */
#include "run.h"

void cpoplib_run_hold(cpoplib_run *run)
{
    atomic_fetch_add(&run->holders, 1);
}

void cpoplib_run_release(cpoplib_run *run)
{
    if (atomic_fetch_sub(&run->holders, 1) == 1)
        run->free(run);
}
