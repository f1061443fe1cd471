/* What calls answer. */
#ifndef BP_STATUS_H
#define BP_STATUS_H

/* Name, number, message. Numbers are stable. Those below 10 are not failures. */
#define BP_STATUS_MAP(X)                                                                                               \
    X(BP_OK, 0, "success")                                                                                             \
    X(BP_SETTLE, 1, "success; now settle: somebody waits, or there are surplus connections")                           \
    X(BP_OPEN, 2, "success; the lease is a permit: open a connection in it, then bp_finish_open or bp_cancel_open")    \
    X(BP_EMPTY, 3, "nothing to be had: no connection is idle, or nobody waits")                                        \
    X(BP_LIMIT_REACHED, 4, "as many connections exist as the limit allows")                                            \
    X(BP_TIMED_OUT, 10, "the deadline passed before a connection or a permit was free")                                \
    X(BP_CANCELLED, 11, "the wait was cancelled")                                                                      \
    X(BP_SHUT_DOWN, 12, "the pool has been shut down")                                                                 \
    X(BP_INVALID_ARGUMENT, 20, "an argument is NULL or out of range")                                                  \
    X(BP_INVALID_CONFIGURATION, 21, "the configuration contradicts itself or is out of range")                         \
    X(BP_FOREIGN_SLOT, 22, "the lease belongs to another pool")                                                        \
    X(BP_STALE_LEASE, 23, "the lease has ended, or what it holds is not in the state that this call needs")            \
    X(BP_STALE_TICKET, 24, "no waiter has this ticket any more, or it has joined already")                             \
    X(BP_TOO_MANY_WAITERS, 30, "as many callers wait as the pool allows, or can number")                               \
    X(BP_OUT_OF_MEMORY, 31, "the system has no memory for another slot or waiter")                                     \
    X(BP_BUSY, 32, "the pool cannot be destroyed: connections are open or callers wait")

#define BP_STATUS_CASE(name, number, message) name = number,
typedef enum bp_status { BP_STATUS_MAP(BP_STATUS_CASE) } bp_status;
#undef BP_STATUS_CASE

#ifdef __cplusplus
extern "C" {
#endif

/* The message of a status, in English, without a full stop; for an unknown number it says so. Never NULL. */
const char *bp_status_message(bp_status status);

/* The name of a status, for example "BP_OK". Never NULL. */
const char *bp_status_name(bp_status status);

#ifdef __cplusplus
}
#endif

#endif
