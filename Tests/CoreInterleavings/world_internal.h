/* SPDX-License-Identifier: Apache-2.0 */

/* Declarations that world.c, fairness.c, waits.c, reconciling.c and calls.c share. */
#ifndef EXPLORER_WORLD_INTERNAL_H
#define EXPLORER_WORLD_INTERNAL_H

#include "world.h"

#include "atomics.h"
#include "inspect.h"

static const bp_lease none = {NULL, 0};

/* The element of each slot. */
typedef struct {
    unsigned owner; /* NO_OWNER, SET_UP_OWNER, or thread + 2. */
    bool is_open;
    uint64_t expected; /* What the content must be for the next owner. */
    bp_atomic64 content;
} connection;

connection *connection_of(bp_lease lease);
unsigned self(void);
uint64_t event(void);
void set_open(bp_lease lease, bool is_open);
void require_nobody_older(uint64_t time, const wait *other, const char *what);
void require_nobody_older_without_permit(uint64_t time, uint64_t asked, const wait *other, const char *what);
void require_not_overtaking(uint64_t began, const char *what);
void require_not_overtaking_for_permit(uint64_t began, const char *what);
void require_open_for_business(uint64_t began, const char *what);
void require_not_paused(uint64_t began, const char *what);
void require_known_shutdown(bp_status status);
void note_permit(bp_lease permit);
/* Frees the slot of a connection whose close has begun. */
void end_close(bp_lease lease);
/* Does the same, and reconciles. */
void end_close_and_reconcile(bp_lease lease);
/* Closes the connection if begin_close says so: bp_begin_close_excess or bp_begin_close_above_hard_limit. */
bool close_if(bp_status (*begin_close)(bp_pool *pool, bp_lease lease), bp_lease lease);
wait *find_wait(bp_ticket ticket);

#endif
