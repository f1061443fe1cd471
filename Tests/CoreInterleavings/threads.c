/* SPDX-License-Identifier: Apache-2.0 */

/* The thread records of the core, for the explorer's threads, which are fibers of one thread of the system. */
#include "thread_record.h"

#include "scheduler.h"
#include "world.h"

#include <string.h>

static bp_thread_record records[MAX_THREADS + 1]; /* The last one is for set-up and checks. */

void forget_threads(void) {
    memset(records, 0, sizeof records);
    for (unsigned i = 0; i < MAX_THREADS; i++) {
        records[i].next = &records[i + 1];
    }
}

bp_thread_record *bp__thread_record(void) {
    return &records[this_thread() == NOBODY ? MAX_THREADS : this_thread()];
}

bp_thread_record *bp__thread_records(void) {
    return records;
}

/* The explorer does not fork. */
void bp__forget_other_threads(void) {}
