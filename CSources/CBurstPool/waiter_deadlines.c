/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The deadlines of the wait queue.
 *
 * A call of bp__waiter_expire must not read every waiter. So the nodes are in groups of 64 by their index, and for each
 * group a word has the earliest deadline of the waiters in it, or an earlier time. The word is the deadline subtracted
 * from BP_NO_DEADLINE, so that zeroed memory means that there is no deadline.
 *
 * While a thread reads the nodes of a group, the word has a scan number instead of a deadline: a number that was not
 * used before. Every call that finds a scan number reads the nodes as well, so that no call relies on the first thread
 * to continue. A waiter that joins meanwhile replaces the scan number by a new one, so that the thread which scans does
 * not store a result that lacks the new waiter. If a deadline has the form of a scan number, a new scan number takes
 * its place.
 */
#include "waiter_node.h"

static uint64_t bp__complement(uint64_t deadline) {
    return BP_NO_DEADLINE - deadline;
}

/* Scan numbers are in a range of deadlines that clocks do not reach in practice: 2^63 nanoseconds are 292 years. */
#define BP_SCAN_HIGH UINT64_C(0x80000000)

static bool bp__is_scan(uint64_t deadline) {
    return deadline >> 32 == BP_SCAN_HIGH;
}

/* Returns a new scan number. The addition orders nothing: two scans only must not get the same number. */
static uint64_t bp__new_scan(bp_waiter_queue *queue) {
    return BP_SCAN_HIGH << 32 | (bp__add(&queue->scans, 1) & UINT32_MAX);
}

/* Lowers the earliest deadline of a group to this deadline. The order is explained in bp__waiter_add_deadline. */
static void bp__group_lower(bp_waiter_queue *queue, bp_atomic64 *group, uint64_t deadline) {
    uint64_t found = bp__load(group);
    for (;;) {
        uint64_t earliest = bp__complement(found);
        if (!bp__is_scan(earliest) && earliest <= deadline) {
            return;
        }
        bool scans = bp__is_scan(earliest) || bp__is_scan(deadline);
        if (bp__cas(group, &found, bp__complement(scans ? bp__new_scan(queue) : deadline))) {
            return;
        }
    }
}

/*
 * Returns whether the nodes of a group must be read. If so, the group's word has a scan number now: *found.
 *
 * Acquire, if the word had a scan number before: pairs with the compare-and-swap in bp__group_lower. A waiter that
 * joins after this load replaces that scan number, so that this scan does not store its result.
 */
static bool bp__group_begin_scan(bp_waiter_queue *queue, bp_atomic64 *group, uint64_t now, uint64_t *found) {
    *found = bp__load(group);
    for (;;) {
        uint64_t earliest = bp__complement(*found);
        if (bp__is_scan(earliest) || earliest > now) {
            return bp__is_scan(earliest);
        }
        uint64_t scan = bp__complement(bp__new_scan(queue));
        /* Full barrier: the states are read after it. Pairs with bp__group_lower after a waiter's state was set. */
        if (bp__cas(group, found, scan)) {
            *found = scan;
            return true;
        }
    }
}

/*
 * Stores the earliest deadline that a scan has found, unless a waiter has joined the group meanwhile: then the word has
 * another scan number, and the compare-and-swap fails.
 */
static void bp__group_end_scan(bp_atomic64 *group, uint64_t found, uint64_t earliest) {
    if (!bp__is_scan(earliest)) {
        bp__cas(group, &found, bp__complement(earliest));
    }
}

/* Lowers the earliest deadline of all. Returns true if this call lowered it. A compare-and-swap that succeeds pairs
 * with the exchange in bp__waiter_expire. */
static bool bp__lower_earliest_of_all(bp_waiter_queue *queue, uint64_t deadline) {
    uint64_t found = bp__load(&queue->earliest_of_all);
    while (found > deadline) {
        if (bp__cas(&queue->earliest_of_all, &found, deadline)) {
            return true;
        }
    }
    return false;
}

bool bp__waiter_add_deadline(bp_waiter_queue *queue, const bp_waiter *node, uint64_t deadline) {
    /*
     * The compare-and-swap on the waiter's state came before, as a full barrier. Pairs with bp__waiter_expire, which
     * changes these words before it reads states: either the expiry sees the waiter, or this lowers the words again.
     */
    bp__group_lower(queue, bp__table_at(&queue->earliest, node->index / BP_GROUP_SIZE), deadline);
    return bp__lower_earliest_of_all(queue, deadline);
}

uint64_t bp__waiter_next_deadline(const bp_waiter_queue *queue) {
    /* Acquire: pairs with the compare-and-swap in bp__lower_earliest_of_all. */
    return bp__load(&queue->earliest_of_all);
}

bp_waiter_expiry bp__waiter_expire(bp_waiter_queue *queue, uint64_t now, void **contexts, size_t capacity) {
    bp_waiter_expiry expiry = {.next = BP_NO_DEADLINE};
    /*
     * Full barrier, before any deadline is read: a deadline that is added meanwhile is either seen below, or lowers
     * this word again, and bp__waiter_add_deadline tells the thread that added it.
     */
    bp__exchange(&queue->earliest_of_all, BP_NO_DEADLINE);
    uint32_t used = bp__table_used(&queue->nodes);
    for (uint32_t first = 0; first < used; first += BP_GROUP_SIZE) {
        if (expiry.expired == capacity) {
            expiry.next = now; /* There is no room for more contexts: the caller must call again at once. */
            break;
        }
        bp_atomic64 *group = bp__table_find(&queue->earliest, first / BP_GROUP_SIZE);
        if (group == NULL) {
            continue; /* No node of this group was ever used. */
        }
        uint64_t found;
        bool scans = bp__group_begin_scan(queue, group, now, &found);
        uint64_t earliest = scans ? BP_NO_DEADLINE : bp__complement(found);
        if (scans) {
            /* Read again: a node that was created meanwhile may rely on this scan to find its deadline. */
            used = bp__table_used(&queue->nodes);
            uint32_t end = first + BP_GROUP_SIZE < used ? first + BP_GROUP_SIZE : used;
            for (uint32_t index = first == BP_HEAD ? 1 : first; index < end; index++) {
                bp_waiter *node = bp__waiter_at(queue, index);
                /* Acquire: pairs with the compare-and-swap in bp__waiter_join, after which the deadline is there. */
                uint64_t state = bp__load(&node->state);
                if ((BP_IN_QUEUE & (1u << bp__state_status(state))) == 0) {
                    continue;
                }
                /*
                 * Relaxed: the acquire load of the state came before. If the node was reused after that load,
                 * bp__waiter_end does nothing because of the generation, and the new waiter lowers the words again.
                 */
                uint64_t deadline = bp__load_relaxed(&node->deadline);
                if (deadline <= now && expiry.expired < capacity) {
                    bp_waiter_status before =
                        bp__waiter_end(queue, node, state >> BP_STATUS_BITS, &contexts[expiry.expired]);
                    expiry.expired += before != BP_WAITER_FREE;
                    expiry.expired_without_permit += before == BP_WAITER_WAITING;
                } else if (deadline < earliest) {
                    earliest = deadline;
                }
            }
            bp__group_end_scan(group, found, earliest);
        }
        expiry.next = earliest < expiry.next ? earliest : expiry.next;
    }
    expiry.is_earliest = bp__lower_earliest_of_all(queue, expiry.next);
    return expiry;
}
