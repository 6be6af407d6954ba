/* Points at which a test build can be killed: with POP3_TEST_CRASH_AT=NAME[:N] the process kills
 * itself by SIGKILL when it reaches the point NAME for the Nth time. Other builds do not contain
 * them. */
#ifndef P3_SUPPORT_CRASH_POINT_H
#define P3_SUPPORT_CRASH_POINT_H

#ifdef P3_FAULT_HOOKS
void p3_crash_point(const char *name);
#else
static inline void p3_crash_point(const char *name)
{
    (void)name;
}
#endif

#endif
