/* SPDX-License-Identifier: Apache-2.0 */

/* Concurrency Kit's stack alone: the cost of a pool that only keeps connections in a stack. */
#ifndef BARE_STACK_H
#define BARE_STACK_H

#include <stdint.h>

typedef struct bare_stack bare_stack;
typedef struct bare_stack_entry bare_stack_entry;

/* Creates a stack of that many entries. Returns NULL without memory. */
bare_stack *bare_stack_create(uint32_t entries);
void bare_stack_destroy(bare_stack *stack);

/* ck_stack_pop_mpmc and ck_stack_push_mpmc, each in a function of its own, as in a library. */
bare_stack_entry *bare_stack_pop(bare_stack *stack);
void bare_stack_push(bare_stack *stack, bare_stack_entry *entry);

/* Both operations, that many times, inlined in one loop. */
void bare_stack_loop(bare_stack *stack, uint64_t times);

#endif
