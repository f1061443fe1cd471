/*
 * A backend of the core with pauses inside its calls: before an atomic operation, now and then, the thread gives way or
 * dawdles, so that others come between two steps that would else be nanoseconds apart. Otherwise it is the backend that
 * the core would have had. The contract is in atomics.h.
 */
#ifndef ATOMICS_DELAYED_H
#define ATOMICS_DELAYED_H

#include "random.h"

#include <sched.h>

static inline void delay_now_and_then(void) {
    static _Thread_local uint64_t state;
    if (state == 0) {
        state = (uint64_t)(uintptr_t)&state;
    }
    uint64_t what = random_below(&state, 64);
    if (what == 0) {
        sched_yield();
    } else if (what < 4) {
        for (volatile uint64_t i = random_below(&state, 200); i > 0; i--) {
        }
    }
}

#define bp_load bp_load_at_once
#define bp_load_relaxed bp_load_relaxed_at_once
#define bp_store bp_store_at_once
#define bp_store_relaxed bp_store_relaxed_at_once
#define bp_cas bp_cas_at_once
#define bp_exchange bp_exchange_at_once
#define bp_add bp_add_at_once
#define bp_stack_push bp_stack_push_at_once
#define bp_stack_pop bp_stack_pop_at_once
#ifdef BP_ATOMICS_C11
#include "atomics_c11.h"
#else
#include "atomics_ck.h"
#endif
#undef bp_load
#undef bp_load_relaxed
#undef bp_store
#undef bp_store_relaxed
#undef bp_cas
#undef bp_exchange
#undef bp_add
#undef bp_stack_push
#undef bp_stack_pop

static inline uint64_t bp_load(const bp_atomic64 *cell) {
    delay_now_and_then();
    return bp_load_at_once(cell);
}

static inline uint64_t bp_load_relaxed(const bp_atomic64 *cell) {
    delay_now_and_then();
    return bp_load_relaxed_at_once(cell);
}

static inline void bp_store(bp_atomic64 *cell, uint64_t value) {
    delay_now_and_then();
    bp_store_at_once(cell, value);
}

static inline void bp_store_relaxed(bp_atomic64 *cell, uint64_t value) {
    delay_now_and_then();
    bp_store_relaxed_at_once(cell, value);
}

static inline bool bp_cas(bp_atomic64 *cell, uint64_t *expected, uint64_t desired) {
    delay_now_and_then();
    return bp_cas_at_once(cell, expected, desired);
}

static inline uint64_t bp_exchange(bp_atomic64 *cell, uint64_t value) {
    delay_now_and_then();
    return bp_exchange_at_once(cell, value);
}

static inline uint64_t bp_add(bp_atomic64 *cell, uint64_t delta) {
    delay_now_and_then();
    return bp_add_at_once(cell, delta);
}

static inline void bp_stack_push(bp_stack *stack, bp_stack_entry *entry) {
    delay_now_and_then();
    bp_stack_push_at_once(stack, entry);
}

static inline bp_stack_entry *bp_stack_pop(bp_stack *stack) {
    delay_now_and_then();
    return bp_stack_pop_at_once(stack);
}

#endif
