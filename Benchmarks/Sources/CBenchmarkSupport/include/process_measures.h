/* SPDX-License-Identifier: Apache-2.0 */

/* Measurements of this process that the system provides. */
#ifndef PROCESS_MEASURES_H
#define PROCESS_MEASURES_H

#include <stdint.h>

/* Nanoseconds. */
uint64_t measure_wall_time(void);
uint64_t measure_process_cpu_time(void);

/*
 * Returns how long the threads of this process were ready to run without a CPU, in nanoseconds, summed over all
 * threads: what other programs took from a measurement. 0 if the system does not tell.
 */
uint64_t measure_run_delay(void);

/* Moves the calling thread to this CPU, without binding it. Does nothing if the system does not allow it. */
void measure_move_to_processor(uint32_t number);

/* Returns the resident memory of this process in bytes, after the allocator has returned what it can; 0 if unknown. */
uint64_t measure_resident_memory(void);

#endif
