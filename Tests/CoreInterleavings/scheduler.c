/* SPDX-License-Identifier: Apache-2.0 */

#include "scheduler.h"

#include "decisions.h"
#include "fiber.h"
#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STACK_SIZE 65536
/* A run with more steps than this spins. */
#define STEP_LIMIT 20000

typedef enum { READY, BLOCKED, DOZING, ENDED } thread_state;

typedef struct {
    fiber context;
    thread_state state;
    const int *flag;
} thread;

static _Alignas(64) char stacks[MAX_THREADS][STACK_SIZE];
static thread threads[MAX_THREADS];
static fiber outside;
static const program *running;
static unsigned current = NOBODY;
static unsigned frozen = NOBODY;
static unsigned looking;
static bool failed;
static jmp_buf after_check;

char failure_text[512];
unsigned run_steps;
unsigned thread_steps[MAX_THREADS];

bool threads_run(void) {
    return current != NOBODY && looking == 0;
}

void look_begin(void) {
    looking++;
}

void look_end(void) {
    looking--;
}

unsigned this_thread(void) {
    return current;
}

static bool can_run(unsigned i) {
    return i != frozen && (threads[i].state == READY || threads[i].state == DOZING ||
                           (threads[i].state == BLOCKED && *threads[i].flag != 0));
}

/* Chooses who goes on; makes buffered stores visible on the way. NOBODY if nobody can. */
static unsigned choose_thread(unsigned from) {
    for (;;) {
        unsigned options[2 * MAX_THREADS], count = 0, first = from == NOBODY ? 0 : from;
        /* Yielding in a wait with a timeout costs no departure, as in a thread that cannot run. */
        bool from_is_ready = from != NOBODY && can_run(from) && threads[from].state != DOZING;
        bool doze = false;
        for (unsigned pass = 0; pass < 2; pass++, doze = true) {
            for (unsigned i = 0; i < running->threads; i++) {
                unsigned candidate = (first + i) % running->threads;
                if (can_run(candidate) && (threads[candidate].state == DOZING) == doze) {
                    options[count++] = candidate;
                }
            }
        }
        if (count == 0) {
            return NOBODY;
        }
        unsigned runnable = count;
        if (model == MEMORY_TSO && from_is_ready) {
            for (unsigned i = 0; i < running->threads; i++) {
                if (memory_has_pending(i)) {
                    options[count++] = MAX_THREADS + i;
                }
            }
        }
        unsigned wanted = preferred_thread(options, runnable, count, current, from_is_ready);
        unsigned taken = options[decide(count, !from_is_ready, wanted)];
        if (taken < MAX_THREADS) {
            return taken;
        }
        memory_flush_one(taken - MAX_THREADS);
    }
}

static void go_to(unsigned next) {
    unsigned before = current;
    current = next;
    fiber *from = before == NOBODY ? &outside : &threads[before].context;
    fiber_switch(from, next == NOBODY ? outside : threads[next].context);
}

/* Yields to the thread that must continue. Returns when that is the caller. */
static void give_way(void) {
    unsigned next = choose_thread(current);
    if (next != current) {
        go_to(next);
    }
    threads[current].state = READY;
}

void point(void) {
    if (!threads_run()) {
        return;
    }
    if (++run_steps > STEP_LIMIT) {
        fail("a thread spins: %u steps without an end", run_steps);
    }
    if (current == running->frozen_thread && thread_steps[current] == running->frozen_after) {
        frozen = current;
    }
    give_way();
    thread_steps[current]++;
}

unsigned choose(unsigned options) {
    return options > 1 ? decide(options, false, preferred_choice(options)) : 0;
}

unsigned choose_evenly(unsigned options) {
    return options > 1 ? decide(options, false, any_choice(options)) : 0;
}

static void block(const int *flag, thread_state state) {
    if (current == NOBODY || *flag != 0) {
        return;
    }
    memory_drain(current);
    threads[current].flag = flag;
    threads[current].state = state;
    give_way();
}

void block_until(const int *flag) {
    block(flag, BLOCKED);
}

void block_for_a_while(const int *flag) {
    block(flag, DOZING);
}

bool thread_is_blocked(unsigned thread) {
    return threads[thread].state == BLOCKED && *threads[thread].flag == 0;
}

static void thread_main(void) {
    running->body(current);
    memory_drain(current);
    threads[current].state = ENDED;
    unsigned next = choose_thread(current);
    go_to(next);
    abort(); /* A thread that has ended never continues. */
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure_text, sizeof failure_text, format, arguments);
    va_end(arguments);
    failed = true;
    if (current != NOBODY) {
        go_to(NOBODY); /* Never returns: the run is over. */
    }
    longjmp(after_check, 1);
}

bool passes(void (*check)(void)) {
    if (setjmp(after_check) == 0) {
        check();
        return true;
    }
    return false;
}

static void look_at_frozen(void) {
    running->when_frozen(frozen);
}

static bool run_until_rest(void) {
    for (;;) {
        unsigned next = choose_thread(NOBODY);
        if (next != NOBODY) {
            go_to(next);
        }
        if (failed) {
            return false;
        }
        if (frozen == NOBODY) {
            return true;
        }
        memory_drain_all();
        if (!passes(look_at_frozen)) {
            return false;
        }
        frozen = NOBODY;
    }
}

bool run(const program *it) {
    running = it;
    looking = 0;
    failed = false;
    failure_text[0] = '\0';
    run_steps = 0;
    decisions_begin();
    current = frozen = NOBODY;
    memset(thread_steps, 0, sizeof thread_steps);
    memory_reset();
    for (unsigned i = 0; i < it->threads; i++) {
        threads[i].context = fiber_make(stacks[i], STACK_SIZE, thread_main);
        threads[i].state = READY;
    }
    bool good = run_until_rest();
    memory_drain_all();
    return good;
}

bool run_on(void) {
    /* Plainly and without departures: what is under exploration is over. */
    memory_model model_before = model;
    decisions_set_aside();
    model = MEMORY_SC;
    bool good = run_until_rest();
    model = model_before;
    decisions_go_on();
    return good;
}
