/*
 * Counts the allocations of the program it is linked into, those of the Swift runtime and of C libraries included.
 *
 * On glibc malloc and its relatives are replaced by functions that count and go on to glibc's own. Elsewhere nothing is
 * counted, and allocation_count_is_available says so.
 */
#ifndef ALLOCATION_COUNT_H
#define ALLOCATION_COUNT_H

#include <stdbool.h>
#include <stdint.h>

bool allocation_count_is_available(void);

/* Starts counting at 0, in all threads. */
void allocation_count_start(void);

/* Stops, and returns how many there were. */
uint64_t allocation_count_stop(void);

#endif
