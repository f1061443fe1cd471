/* SPDX-License-Identifier: Apache-2.0 */

/* The statuses that calls return. */
#ifndef BP_STATUS_H
#define BP_STATUS_H

#include "bp_export.h"

/* Name, number, message. The numbers are stable. A status below 10 is not a failure. */
#define BP_STATUS_MAP(X)                                                                                               \
    X(BP_OK, 0, "The call succeeded")                                                                                  \
    X(BP_RECONCILE, 1, "The call succeeded; now reconcile, because a caller waits or excess connections exist")        \
    X(BP_OPEN, 2, "The call returned a permit: open a connection, then call bp_finish_open or bp_cancel_open")         \
    X(BP_EMPTY, 3, "No connection is idle, or no caller waits")                                                        \
    X(BP_LIMIT_REACHED, 4, "As many connections exist as the hard limit allows")                                       \
    X(BP_AWAITED, 5, "A caller waits for a connection, so the lease goes on: call bp_release_to_waiter")               \
    X(BP_TIMED_OUT, 10, "The timeout passed before a connection or a permit was free")                                 \
    X(BP_CANCELLED, 11, "The wait was cancelled")                                                                      \
    X(BP_SHUT_DOWN, 12, "The pool has been shut down")                                                                 \
    X(BP_CONNECT_FAILED, 13, "The connection did not open")                                                            \
    X(BP_FORKED, 14, "The pool was created before this process was forked, and cannot be used in it")                  \
    X(BP_INVALID_ARGUMENT, 20, "An argument is NULL or out of range")                                                  \
    X(BP_INVALID_CONFIGURATION, 21, "The configuration contradicts itself or is out of range")                         \
    X(BP_FOREIGN_SLOT, 22, "The lease belongs to another pool")                                                        \
    X(BP_STALE_LEASE, 23, "The lease has ended, or its slot is not in the state that this call needs")                 \
    X(BP_STALE_TICKET, 24, "The wait of this ticket has ended, or the ticket has joined already")                      \
    X(BP_TOO_MANY_WAITERS, 30, "The wait queue is full")                                                               \
    X(BP_OUT_OF_MEMORY, 31, "The memory that the call needs could not be allocated")                                   \
    X(BP_BUSY, 32, "The pool cannot be destroyed while connections are open, callers wait, or calls are running")

#define BP_STATUS_CASE(name, number, message) name = number,
typedef enum bp_status { BP_STATUS_MAP(BP_STATUS_CASE) } bp_status;
#undef BP_STATUS_CASE

BP_BEGIN_DECLARATIONS

/* Statuses. */

/* Returns the message of a status, in English, without a full stop. Never returns NULL, also for an unknown number. */
const char *bp_status_message(bp_status status);

/* Returns the name of a status, for example "BP_OK", or "unknown status". Never returns NULL. */
const char *bp_status_name(bp_status status);

BP_END_DECLARATIONS

#endif
