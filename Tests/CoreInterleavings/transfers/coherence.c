/* SPDX-License-Identifier: Apache-2.0 */

#include "coherence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAP_SIZE ((size_t)4 << 20)
#define LINES ((HEAP_SIZE + (size_t)MOST_TASKS * TASK_STACK_SIZE) / LINE_SIZE)

/* A bit for each CPU that has a copy. Without any, nobody has accessed the line. */
typedef struct {
    uint64_t copies[MOST_CPUS / 64];
} line;

static _Alignas(64) struct {
    char heap[HEAP_SIZE];
    char stacks[MOST_TASKS][TASK_STACK_SIZE];
} memory;
static line lines[LINES];
static size_t heap_used;

coherence_counts counted;
memory_use (*use_of)(const void *address);

void coherence_reset(void) {
    memset(memory.heap, 0, heap_used);
    memset(lines, 0, sizeof lines);
    heap_used = 0;
    counted = (coherence_counts){0};
}

static bool has_copy(const line *it, unsigned cpu) {
    return (it->copies[cpu / 64] >> (cpu % 64) & 1) != 0;
}

/* Returns whether a CPU has a copy, not counting this one. */
static bool others_have_copies(const line *it, unsigned cpu) {
    uint64_t others = 0;
    for (unsigned word = 0; word < MOST_CPUS / 64; word++) {
        others |= it->copies[word] & ~(word == cpu / 64 ? UINT64_C(1) << (cpu % 64) : 0);
    }
    return others != 0;
}

static void access_line(unsigned cpu, activity what, size_t index, bool is_write) {
    line *it = &lines[index];
    bool is_shared = others_have_copies(it, cpu);
    if (is_shared && (is_write || !has_copy(it, cpu))) {
        const char *address = (const char *)&memory + index * LINE_SIZE;
        counted.transfers[what][address < memory.heap + HEAP_SIZE ? use_of(address) : USE_STACKS]++;
    }
    if (is_write) {
        memset(it, 0, sizeof *it);
    }
    it->copies[cpu / 64] |= UINT64_C(1) << (cpu % 64);
}

void coherence_access(unsigned cpu, activity what, const void *address, size_t size, bool is_write) {
    uintptr_t offset = (uintptr_t)address - (uintptr_t)&memory;
    if (offset >= sizeof memory) {
        return;
    }
    for (size_t index = offset / LINE_SIZE; index <= (offset + size - 1) / LINE_SIZE; index++) {
        access_line(cpu, what, index, is_write);
    }
}

void *shared_memory(size_t size) {
    size_t rounded = (size + LINE_SIZE - 1) / LINE_SIZE * LINE_SIZE;
    if (rounded > HEAP_SIZE - heap_used) {
        fprintf(stderr, "the simulated heap is too small\n");
        exit(2);
    }
    heap_used += rounded;
    return memory.heap + heap_used - rounded;
}

char *task_stack(unsigned task) {
    return memory.stacks[task];
}
