/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Counts what is asked of the system's allocator, in a program that this is linked into.
 */
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

/* Whether this platform lets a program put itself before its allocator. If not, the counts stay 0. */
bool allocation_counter_works(void);

/* How many blocks all threads have asked for so far, by malloc, calloc, realloc and the aligned ones. */
uint64_t allocation_count_of_all_threads(void);

#endif
