/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The stack on a double-width compare-and-swap that tears.
 *
 * On aarch64 before LSE2, the two words that a failed compare-and-swap returns may be of different moments: only a
 * successful store makes the load before it a single load. A pop that continues with such a pair can take a stale
 * successor for the top, and then two threads own one slot. Emulators do not tear on request, so this program does: it
 * replaces the compare-and-swap by one that reads its words one after the other, in either order, and lets other
 * threads pop and push before and between. Nested calls play these threads, so a seed decides everything.
 *
 *   torn_pair [rounds] [seed]
 */
#include <ck_pr.h>

static _Bool torn_cas_ptr_2_value(void *target, void *compare, void *set, void *value);
#define ck_pr_cas_ptr_2_value torn_cas_ptr_2_value
#include "atomics.h"
#undef ck_pr_cas_ptr_2_value

#include "random.h"
#include "require.h"

#include <stdlib.h>

#define ENTRIES 4

typedef struct {
    bp_stack_entry entry;
    bool is_held; /* Popped, and not pushed again. */
} item;

static bp_stack stack;
static item items[ENTRIES];
static uint64_t seed;
static bool others_run;
static long torn;

static item *pop(void) {
    item *it = (item *)bp__stack_pop(&stack);
    if (it != NULL) {
        REQUIRE(!it->is_held, "an entry was popped that is held");
        it->is_held = true;
    }
    return it;
}

static void push(item *it) {
    it->is_held = false;
    bp__stack_push(&stack, &it->entry);
}

/* Lets other threads run until the one that is stopped in its compare-and-swap continues. */
static void let_others_run(void) {
    if (!others_run) {
        return;
    }
    others_run = false;
    for (uint64_t steps = random_below(&seed, 4); steps > 0; steps--) {
        item *it = &items[random_below(&seed, ENTRIES)];
        if (it->is_held) {
            push(it);
        } else {
            pop();
        }
    }
    others_run = true;
}

/* As LDXP and STXP do it. */
static _Bool torn_cas_ptr_2_value(void *target, void *compare, void *set, void *value) {
    const uint64_t *expected = compare;
    uint64_t wanted[2] = {expected[0], expected[1]}, found[2];
    unsigned first = (unsigned)random_below(&seed, 2);
    for (;;) {
        let_others_run();
        found[first] = ck_pr_load_64((uint64_t *)target + first);
        uint64_t then = ck_pr_load_64((uint64_t *)target + !first);
        let_others_run();
        found[!first] = ck_pr_load_64((uint64_t *)target + !first);
        torn += found[!first] != then;
        if (found[0] != wanted[0] || found[1] != wanted[1]) {
            ((uint64_t *)value)[0] = found[0];
            ((uint64_t *)value)[1] = found[1];
            return false;
        }
        if ((ck_pr_cas_ptr_2_value)(target, wanted, set, value)) {
            return true;
        }
    }
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 200000;
    seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    for (unsigned i = 0; i < ENTRIES; i++) {
        push(&items[i]);
    }
    for (long round = 0; round < rounds; round++) {
        others_run = true;
        pop();
        others_run = false;
        unsigned held = 0, left = 0;
        for (unsigned i = 0; i < ENTRIES; i++) {
            held += items[i].is_held;
        }
        while (pop() != NULL) {
            left++;
        }
        REQUIRE(held + left == ENTRIES, "%u entries are held and %u in the stack, of %d", held, left, ENTRIES);
        /* All of them, in an order that differs from round to round. */
        for (unsigned first = (unsigned)random_below(&seed, ENTRIES), i = 0; i < ENTRIES; i++) {
            push(&items[(first + i) % ENTRIES]);
        }
    }
    REQUIRE(torn > 0, "no pair was torn");
    printf("%ld pops, %ld torn pairs\n", rounds, torn);
    return 0;
}
