/* SPDX-License-Identifier: Apache-2.0 */

/* Sleeping under the explorer. See parking_scheduled.h. */
#include "parking_scheduled.h"

#include "memory.h"
#include "scheduler.h"

bool bp__parking_create(bp_parking *parking) {
    parking->posted = 0;
    parking->channel = MEMORY_CHANNELS - 1 - this_thread() % MAX_THREADS;
    return true;
}

void bp__parking_destroy(bp_parking *parking) {
    parking->posted = -1; /* A later post fails. */
}

void bp__parking_post(bp_parking *parking) {
    REQUIRE(parking->posted == 0, "a sleeper is woken twice, or after it has ended");
    memory_send(parking->channel);
    parking->posted = 1;
}

int a_thread_has_slept;
uint64_t nanoseconds_paused;
unsigned last_pause_ended;

bool bp__parking_wait(bp_parking *parking, uint64_t timeout) {
    a_thread_has_slept = 1;
    if (timeout > INT64_MAX) {
        block_until(&parking->posted);
    } else {
        block_for_a_while(&parking->posted);
    }
    if (parking->posted == 1) {
        memory_receive(parking->channel);
    }
    return parking->posted == 1;
}

void bp__pause(uint64_t nanoseconds) {
    static const int never = 0;
    nanoseconds_paused += nanoseconds;
    block_for_a_while(&never);
    explored_now += nanoseconds;
    last_pause_ended = run_steps;
}

uint64_t explored_now;

uint64_t bp__now(void) {
    return explored_now;
}
