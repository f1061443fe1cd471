/*
 * A slot: a place for one connection. Its memory is type-stable: it is never freed before the pool.
 *
 * Where a slot is, is in its state word, which only the slot's present owner changes:
 *
 *   vacant  -> opening   bp_begin_open           opening -> leased   bp_finish_open
 *   opening -> vacant    bp_cancel_open          idle    -> leased   bp_try_acquire, bp_take_idle, bp_take_unswept
 *   leased  -> idle      bp_release, bp_put_...  leased  -> opening  bp_reopen
 *   leased  -> closing   bp_begin_close(...)     closing -> vacant   bp_finish_close
 *   leased  -> vacant    bp_detach
 *
 * Owner is whoever took the slot out of an idle or vacant stack, until it puts the slot back. The word also has a
 * serial number, raised each time the slot changes hands, so that a lease that has ended is told from the present one.
 */
#ifndef BP_SLOT_H
#define BP_SLOT_H

#include "atomics.h"
#include "include/bp_pool.h"

#define BP_SLOT_STATE_BITS 3 /* bp_slot_state is in the public header. */

struct bp_slot {
    bp_stack_entry entry; /* In an idle or a vacant stack, never in both. First, so that entries are aligned. */
    bp_atomic64 word;     /* State and serial. */
    bp_pool *pool;
    /* The element follows, at bp_pool.element_offset. */
};

static inline uint64_t bp_slot_word(bp_slot_state state, uint64_t serial) {
    return (serial << BP_SLOT_STATE_BITS) | (uint64_t)state;
}

static inline bp_slot_state bp_slot_word_state(uint64_t word) {
    return (bp_slot_state)(word & ((1 << BP_SLOT_STATE_BITS) - 1));
}

static inline uint64_t bp_slot_word_serial(uint64_t word) {
    return word >> BP_SLOT_STATE_BITS;
}

/*
 * Makes a slot that the caller has just taken out of a stack the caller's own, under a new serial.
 *
 * A plain store is enough: nobody else may write the word now, and those who hold an old lease fail on their
 * compare-and-swap whichever of the two words they find.
 */
static inline bp_lease bp_slot_take(bp_slot *slot, bp_slot_state state) {
    uint64_t serial = bp_slot_word_serial(bp_load_relaxed(&slot->word)) + 1;
    bp_store_relaxed(&slot->word, bp_slot_word(state, serial));
    return (bp_lease){slot, serial};
}

/*
 * The same for a slot in which a connection is going to be opened. Release: bp_slot_at comes by the slot's index and
 * not by a stack, and must see which pool it is of.
 */
static inline bp_lease bp_slot_take_to_open(bp_slot *slot) {
    uint64_t serial = bp_slot_word_serial(bp_load_relaxed(&slot->word)) + 1;
    bp_store(&slot->word, bp_slot_word(BP_SLOT_OPENING, serial));
    return (bp_lease){slot, serial};
}

#endif
