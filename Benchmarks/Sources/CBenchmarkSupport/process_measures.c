/* SPDX-License-Identifier: Apache-2.0 */

#define _GNU_SOURCE
#include "process_measures.h"

#include <dirent.h>
#include <sched.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

static uint64_t read_clock(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

uint64_t measure_wall_time(void) {
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t measure_process_cpu_time(void) {
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t measure_run_delay(void) {
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL) {
        return 0;
    }
    uint64_t sum = 0;
    struct dirent *task;
    while ((task = readdir(tasks)) != NULL) {
        char path[64];
        if (task->d_name[0] == '.' || strlen(task->d_name) > 16) {
            continue;
        }
        snprintf(path, sizeof path, "/proc/self/task/%.16s/schedstat", task->d_name);
        FILE *file = fopen(path, "r");
        if (file != NULL) {
            uint64_t ran, waited;
            if (fscanf(file, "%" SCNu64 " %" SCNu64, &ran, &waited) == 2) {
                sum += waited;
            }
            fclose(file);
        }
    }
    closedir(tasks);
    return sum;
}

void measure_move_to_processor(uint32_t number) {
#ifdef __linux__
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all) != 0) {
        return;
    }
    CPU_ZERO(&one);
    for (int processor = 0; processor < CPU_SETSIZE; processor++) {
        if (CPU_ISSET(processor, &all) && number-- == 0) {
            CPU_SET(processor, &one);
            /* The first call moves the thread, and the second one unbinds it. */
            if (sched_setaffinity(0, sizeof one, &one) == 0) {
                sched_setaffinity(0, sizeof all, &all);
            }
            return;
        }
    }
#else
    (void)number;
#endif
}

uint64_t measure_resident_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    FILE *file = fopen("/proc/self/statm", "r");
    uint64_t size = 0, resident = 0;
    if (file != NULL) {
        if (fscanf(file, "%" SCNu64 " %" SCNu64, &size, &resident) != 2) {
            resident = 0;
        }
        fclose(file);
    }
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
