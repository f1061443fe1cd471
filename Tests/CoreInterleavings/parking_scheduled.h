/* Parking for blocking.c under the explorer: a flag, and a wait with a timeout ends whenever the scheduler likes. */
#ifndef EXPLORER_PARKING_H
#define EXPLORER_PARKING_H

typedef struct {
    int posted;
    unsigned channel;
} bp_parking;

void bp__parking_create(bp_parking *parking);
void bp__parking_destroy(bp_parking *parking);
void bp__parking_post(bp_parking *parking);
bool bp__parking_wait(bp_parking *parking, uint64_t timeout);

#endif
