/* SPDX-License-Identifier: Apache-2.0 */

/* One shared stack: the steps of ck_stack. */
#include "contender.h"

#include "atomics.h"
#include "coherence.h"
#include "cpus.h"

typedef struct {
    _Alignas(LINE_SIZE) bp_stack_entry entry;
    uint64_t element;
} item;

static bp_stack *stack;
static item *held[MOST_TASKS];

static memory_use use_in_stack(const void *address) {
    return address == (const void *)stack ? USE_STRIPES : USE_SLOTS;
}

static void create(unsigned connections, unsigned cpus, unsigned stripes) {
    (void)cpus;
    (void)stripes;
    stack = shared_memory(sizeof *stack);
    use_of = use_in_stack;
    for (unsigned i = 0; i < connections; i++) {
        item *it = shared_memory(sizeof *it);
        bp__stack_push(stack, &it->entry);
    }
}

static void acquire(void) {
    item *it = (item *)bp__stack_pop(stack);
    it->element++;
    held[this_task()] = it;
}

static void release(void) {
    bp__stack_push(stack, &held[this_task()]->entry);
}

const contender shared_stack = {"one shared `ck_stack`", create, acquire, release};
