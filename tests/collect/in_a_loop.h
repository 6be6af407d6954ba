/* Visits in an epoll(7) loop, in which every announcement must be right. */
#ifndef TESTS_COLLECT_IN_A_LOOP_H
#define TESTS_COLLECT_IN_A_LOOP_H

#include <pop3/collect.h>

typedef struct looped {
    pop3_open_visit *visit;
    pop3_visit_options options;
    pop3_client_options connection;
    pop3_visit_report report;
    pop3_collect_status status; /* of its end */
    int epoll;
    size_t waits; /* descriptors in the loop */
    bool ready;
} looped;

/* Begins a visit; of such as cannot be begun it has the status. */
void loop_begin(looped *l, const pop3_visit_options *options, int epoll);

/* Waits until something is ready, and steps what is; those that are over are ended. Returns how
 * many go on. */
size_t loop_once(looped *visits, size_t count, int epoll);

/* Ends one and checks that nothing is left in the loop. */
void loop_end(looped *l);

/* pop3_visit() in a loop of its own. */
pop3_collect_status visit_in_a_loop(const pop3_visit_options *options, pop3_visit_report *report);

#endif
