/* No filters of system calls on this system; the command says so. */
#include "confine/syscall_filter.h"

bool p3_filter_is_there(const char **why)
{
    *why = "not on this system";
    return false;
}

bool p3_filter_system_calls(const p3_filter_needs *needs, const char **why)
{
    (void)needs;
    return p3_filter_is_there(why);
}
