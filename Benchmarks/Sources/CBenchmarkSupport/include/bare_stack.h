/*
 * Concurrency Kit's stack and nothing else: what a pool would cost that did no more than keep connections in one.
 */
#ifndef BARE_STACK_H
#define BARE_STACK_H

#include <stdint.h>

typedef struct bare_stack bare_stack;
typedef struct bare_stack_entry bare_stack_entry;

/* A stack of that many entries. NULL when there is no memory. */
bare_stack *bare_stack_create(uint32_t entries);
void bare_stack_destroy(bare_stack *stack);

/* ck_stack_pop_mpmc and ck_stack_push_mpmc, each behind a call, as a library has them. */
bare_stack_entry *bare_stack_pop(bare_stack *stack);
void bare_stack_push(bare_stack *stack, bare_stack_entry *entry);

/* Both, that many times, in one loop and inlined. */
void bare_stack_loop(bare_stack *stack, uint64_t times);

#endif
