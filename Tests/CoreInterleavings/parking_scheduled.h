/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Sleeping under the explorer. Parking is a flag, and a wait with a timeout, or a pause, ends whenever the scheduler
 * decides.
 */
#ifndef EXPLORER_PARKING_H
#define EXPLORER_PARKING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int posted;
    unsigned channel;
} bp_parking;

bool bp__parking_create(bp_parking *parking);
void bp__parking_destroy(bp_parking *parking);
void bp__parking_post(bp_parking *parking);
bool bp__parking_wait(bp_parking *parking, uint64_t timeout);
void bp__pause(uint64_t nanoseconds);
/* The clock of deadlines: it goes on only when a scenario lets a timer fire. */
uint64_t bp__now(void);
extern uint64_t explored_now;

/* 1 after a thread has begun to sleep. Scenarios set it to 0 first. */
extern int a_thread_has_slept;
/* How many nanoseconds all pauses have lasted: for scenarios, which set it to 0 first. */
extern uint64_t nanoseconds_paused;
/* The value of run_steps when the last pause ended. */
extern unsigned last_pause_ended;

#endif
