// How many processors this process may use; in C since sched_getaffinity(2) is an extension that Swift does not show.
#define _GNU_SOURCE
#include <sched.h>

#include "isa.h"

int ck_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}
