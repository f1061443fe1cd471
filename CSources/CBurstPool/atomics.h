/*
 * The only file that knows which atomics the core runs on.
 *
 *   backend                 chosen by             used for
 *   atomics_ck.h            default               production: Concurrency Kit
 *   atomics_c11.h           -DBP_ATOMICS_C11      ThreadSanitizer, which does not see into inline assembly
 *   any other header        -DBP_ATOMICS_HEADER=  the interleaving explorer: every operation is a scheduling point
 *
 * A backend defines
 *
 *   bp_atomic64             a 64-bit cell, zero-initialised by zeroed memory
 *   bp_load                 acquire load
 *   bp_load_relaxed         load without order
 *   bp_store                release store
 *   bp_store_relaxed        store without order
 *   bp_cas                  compare-and-swap; on failure *expected takes what was found
 *   bp_exchange, bp_add     swap, add; both return the value before
 *   bp_stack, bp_stack_entry, bp_stack_push, bp_stack_pop, bp_stack_is_empty
 *                           a last-in first-out stack of type-stable entries, safe for any number of threads,
 *                           with generations against ABA; entries are aligned to 64 bytes
 *   BP_HOME_NUMBER()        optional: instead of bp_home_number in home_number.h
 *
 * Every read-modify-write (bp_cas, bp_exchange, bp_add, bp_stack_push, a bp_stack_pop that yields an entry) is a full
 * barrier: all that comes before it in program order is visible before all that comes after it. On x86-64 that is
 * what a locked instruction is anyway. A bp_cas that fails, or a bp_stack_pop that yields none, orders no more than an
 * acquire load. The comments in the core that say "pairs with" rest on this.
 */
#ifndef BP_ATOMICS_H
#define BP_ATOMICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(BP_ATOMICS_HEADER)
#include BP_ATOMICS_HEADER
#elif defined(BP_ATOMICS_C11)
#include "atomics_c11.h"
#else
#include "atomics_ck.h"
#endif

#endif
