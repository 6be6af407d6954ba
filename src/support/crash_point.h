/* Points at which a test build can be told to die: POP3_TEST_CRASH_AT=NAME[:N] kills the process
 * with SIGKILL when it comes to the point NAME for the N-th time. Other builds have nothing of it.
 */
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
