/* Parking for blocking.c under the explorer: a flag, and a wait with a timeout ends whenever the scheduler likes. */
#ifndef EXPLORER_PARKING_H
#define EXPLORER_PARKING_H

typedef struct {
    int posted;
    unsigned channel;
} bp_parking;

void bp_parking_create(bp_parking *parking);
void bp_parking_destroy(bp_parking *parking);
void bp_parking_post(bp_parking *parking);
bool bp_parking_wait(bp_parking *parking, uint64_t timeout);

#endif
