/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A backend of the core with pauses inside its calls. Before some atomic operations the thread yields or works for a
 * moment, so that other threads run between two steps that would otherwise be nanoseconds apart. In all other respects
 * it is the backend that the core would have had. The contract is in atomics.h.
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

#define bp__load bp__load_at_once
#define bp__load_relaxed bp__load_relaxed_at_once
#define bp__store bp__store_at_once
#define bp__store_relaxed bp__store_relaxed_at_once
#define bp__cas bp__cas_at_once
#define bp__exchange bp__exchange_at_once
#define bp__add bp__add_at_once
#define bp__stack_push bp__stack_push_at_once
#define bp__stack_pop bp__stack_pop_at_once
#ifdef BP_ATOMICS_C11
#include "atomics_c11.h"
#else
#include "atomics_ck.h"
#endif
#undef bp__load
#undef bp__load_relaxed
#undef bp__store
#undef bp__store_relaxed
#undef bp__cas
#undef bp__exchange
#undef bp__add
#undef bp__stack_push
#undef bp__stack_pop

static inline uint64_t bp__load(const bp_atomic64 *cell) {
    delay_now_and_then();
    return bp__load_at_once(cell);
}

static inline uint64_t bp__load_relaxed(const bp_atomic64 *cell) {
    delay_now_and_then();
    return bp__load_relaxed_at_once(cell);
}

static inline void bp__store(bp_atomic64 *cell, uint64_t value) {
    delay_now_and_then();
    bp__store_at_once(cell, value);
}

static inline void bp__store_relaxed(bp_atomic64 *cell, uint64_t value) {
    delay_now_and_then();
    bp__store_relaxed_at_once(cell, value);
}

static inline bool bp__cas(bp_atomic64 *cell, uint64_t *expected, uint64_t desired) {
    delay_now_and_then();
    return bp__cas_at_once(cell, expected, desired);
}

static inline uint64_t bp__exchange(bp_atomic64 *cell, uint64_t value) {
    delay_now_and_then();
    return bp__exchange_at_once(cell, value);
}

static inline uint64_t bp__add(bp_atomic64 *cell, uint64_t delta) {
    delay_now_and_then();
    return bp__add_at_once(cell, delta);
}

static inline void bp__stack_push(bp_stack *stack, bp_stack_entry *entry) {
    delay_now_and_then();
    bp__stack_push_at_once(stack, entry);
}

static inline bp_stack_entry *bp__stack_pop(bp_stack *stack) {
    delay_now_and_then();
    return bp__stack_pop_at_once(stack);
}

#endif
