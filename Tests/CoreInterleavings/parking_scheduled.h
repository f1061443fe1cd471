/*
 * Sleeping under the explorer: parking is a flag, and a wait with a timeout, or a pause, ends whenever the scheduler
 * likes.
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

/* 1 when a thread has begun to sleep: for scenarios, which set it to 0 first. */
extern int a_thread_has_slept;

#endif
