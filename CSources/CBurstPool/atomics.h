/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The atomic operations of the core. Only this file knows which backend they come from.
 *
 *   backend                 chosen by             used for
 *   atomics_ck.h            default               production: Concurrency Kit
 *   atomics_c11.h           -DBP_ATOMICS_C11      builds with sanitizers, because ThreadSanitizer does not understand
 *                                                 inline assembly; not for production: see tagged_stack.h
 *   any other header        -DBP_ATOMICS_HEADER=  the interleaving explorer: every operation is a scheduling point
 *
 * A backend defines
 *
 *   bp_atomic64             a 64-bit cell; zeroed memory is a cell with the value 0
 *   bp__load                 acquire load
 *   bp__load_relaxed         relaxed load
 *   bp__store                release store
 *   bp__store_relaxed        relaxed store
 *   bp__cas                  compare-and-swap; on failure *expected gets the value that was found
 *   bp__exchange, bp__add     exchange, addition; both return the value before
 *   bp_stack, bp_stack_entry, bp__stack_push, bp__stack_pop
 *                           a last-in first-out stack of type-stable entries, safe for any number of threads,
 *                           with generations against ABA; entries are aligned to 64 bytes
 *   bp__stack_is_empty       relaxed load of the top of a stack
 *   bp__entry_word,          relaxed load and store of the link of an entry that is in no stack. A bp__stack_pop of
 *   bp__entry_set_word      another thread, which found the entry in a stack before, may read the link meanwhile
 *   BP_HOME_NUMBER()        optional: instead of bp__home_number in home_number.h
 *   BP_THREADS_ARE_FIBERS   optional: the backend has thread records of its own, instead of thread_record.c
 *
 * Every read-modify-write (bp__cas, bp__exchange, bp__add, bp__stack_push, a bp__stack_pop that returns an entry) is a
 * full barrier: all that comes before it in program order is visible before all that comes after it. On x86-64, a
 * locked instruction is a full barrier by itself. A bp__cas that fails, and a bp__stack_pop that returns no entry, are
 * acquire loads. The comments in the core that say "pairs with" rely on this.
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
