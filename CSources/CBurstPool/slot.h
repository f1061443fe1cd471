/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A slot: a place for one connection. Its memory is type-stable: it is not freed before the pool.
 *
 * The word of a slot has the slot's state and serial number. Only the present owner of the slot changes the word. The
 * owner is the thread that took the slot out of the idle or the vacant stack, or the thread to which it passed the
 * lease or permit, until the slot is in a stack again.
 *
 *   state before   state after   set by
 *   vacant         opening       bp_begin_open, bp_begin_open_unrequested
 *   opening        in use        bp_finish_open
 *   opening        vacant        bp_cancel_open
 *   idle           in use        bp_try_acquire, bp_take_idle, bp_sweep_next
 *   in use         idle          bp_release, bp_release_exclusive, bp_release_unless_awaited, bp_return_idle,
 *                                bp_sweep_keep
 *   in use         closing       bp_begin_close, bp_begin_close_excess, bp_begin_close_above_hard_limit
 *   in use         in use        bp_release_to_waiter, under a new serial number
 *   in use         vacant        bp_detach
 *   closing        vacant        bp_finish_close
 *
 * The serial number is raised each time a thread takes the slot out of a stack, and each time bp_release_to_waiter
 * passes the connection on. A lease has the serial number that its slot had when the lease began. So the pool can tell
 * a lease that has ended from the present lease.
 */
#ifndef BP_SLOT_H
#define BP_SLOT_H

#include "atomics.h"
#include "include/bp_pool.h"

#define BP_SLOT_STATE_BITS 3 /* The states are bp_slot_state, in the public header. */

struct bp_slot {
    bp_stack_entry entry; /* In an idle or in the vacant stack, never in both. First, so that entries are aligned. */
    bp_atomic64 word;     /* From bit 0: the state, the serial number. */
    bp_pool *pool;
    bp_atomic64 ticket; /* Not 0 while a driver opens or closes the connection: see driver.h. */
    /* The element follows, at bp_pool.element_offset. */
};

static inline uint64_t bp__slot_word(bp_slot_state state, uint64_t serial) {
    return (serial << BP_SLOT_STATE_BITS) | (uint64_t)state;
}

static inline bp_slot_state bp__slot_word_state(uint64_t word) {
    return (bp_slot_state)(word & ((1 << BP_SLOT_STATE_BITS) - 1));
}

static inline uint64_t bp__slot_word_serial(uint64_t word) {
    return word >> BP_SLOT_STATE_BITS;
}

/*
 * Makes the caller the owner of a slot that it has just taken out of a stack, under a new serial number.
 *
 * Relaxed: taking the slot out of the stack was an acquire operation, so the load finds the word that the owner before
 * has stored. No other thread may write the word now, and the compare-and-swap of a thread with an old lease fails
 * whether that thread finds the old word or the new one.
 */
static inline bp_lease bp__slot_take(bp_slot *slot, bp_slot_state state) {
    uint64_t serial = bp__slot_word_serial(bp__load_relaxed(&slot->word)) + 1;
    bp__store_relaxed(&slot->word, bp__slot_word(state, serial));
    return (bp_lease){slot, serial};
}

/*
 * Does the same for a slot in which a connection is going to be opened.
 *
 * Release: pairs with the acquire load in bp__look_at_slot, which finds the slot by its index instead of by a stack,
 * and must also see the slot's pool. The relaxed store of the ticket is for the thread itself and for threads to which
 * it passes the permit.
 */
static inline bp_lease bp__slot_take_to_open(bp_slot *slot) {
    uint64_t serial = bp__slot_word_serial(bp__load_relaxed(&slot->word)) + 1;
    bp__store_relaxed(&slot->ticket, 0);
    bp__store(&slot->word, bp__slot_word(BP_SLOT_OPENING, serial));
    return (bp_lease){slot, serial};
}

#endif
