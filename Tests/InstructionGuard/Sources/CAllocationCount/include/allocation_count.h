/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Counts the allocations of the program that it is linked into, including those of the Swift runtime and of C
 * libraries.
 *
 * With glibc, functions that count and then call glibc's own replace malloc and related functions. Elsewhere nothing
 * is counted, and allocation_count_is_available says so.
 */
#ifndef ALLOCATION_COUNT_H
#define ALLOCATION_COUNT_H

#include <stdbool.h>
#include <stdint.h>

bool allocation_count_is_available(void);

/* Starts counting at 0, in all threads. */
void allocation_count_start(void);

/* Stops, and returns the number of allocations. */
uint64_t allocation_count_stop(void);

#endif
