/* What the system knows about this process. */
#ifndef PROCESS_MEASURES_H
#define PROCESS_MEASURES_H

#include <stdint.h>

/* Nanoseconds. */
uint64_t measure_wall_time(void);
uint64_t measure_process_cpu_time(void);

/*
 * For how long the threads of this process, taken together, were ready to run and had no CPU, in nanoseconds: what
 * other programs took from a measurement. 0 where the system does not tell.
 */
uint64_t measure_run_delay(void);

/* Moves the calling thread to this one of its CPUs, without tying it. Does nothing where the system does not let it. */
void measure_move_to_processor(uint32_t number);

/* Bytes of this process that are in memory, after the allocator has returned what it can; 0 where unknown. */
uint64_t measure_resident_memory(void);

#endif
