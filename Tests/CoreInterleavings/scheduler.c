#include "scheduler.h"

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
    unsigned priority;
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

/* Decisions of the scheduler. */

typedef struct {
    uint16_t options;
    uint16_t taken;
    uint16_t spent; /* Departures before this one. */
    bool is_free;   /* The current thread could not continue, so the choice of another one is no departure. */
} decision;

static policy how;
static decision trail[MAX_DECISIONS];
static unsigned trail_length, fixed_length, spent, bound;
static uint64_t random_state;
static unsigned change_points[8], change_count, switch_chance, weak_chance;
static unsigned replayed[1024][2], replay_length, replay_next;

static uint64_t next_random(void) {
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool by_chance(unsigned percent) {
    return next_random() % 100 < percent;
}

void schedule_depth_first(unsigned departures) {
    how = BY_DEPTH_FIRST;
    bound = departures;
    fixed_length = 0;
}

bool schedule_next_depth_first(void) {
    for (unsigned i = trail_length; i-- > 0;) {
        unsigned cost = trail[i].is_free ? 0 : 1;
        if (trail[i].taken + 1 < trail[i].options && trail[i].spent + cost <= bound) {
            trail[i].taken++;
            fixed_length = i + 1;
            return true;
        }
    }
    return false;
}

void schedule_at_random(policy chosen, uint64_t seed, unsigned depth, unsigned expected_steps) {
    how = chosen;
    random_state = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    change_count = depth < 8 ? depth : 8;
    for (unsigned i = 0; i < change_count; i++) {
        change_points[i] = (unsigned)(next_random() % (expected_steps + 1));
    }
    for (unsigned i = 0; i < MAX_THREADS; i++) {
        threads[i].priority = 100 + (unsigned)(next_random() % 1000);
    }
    static const unsigned chances[] = {2, 5, 15, 40};
    switch_chance = chances[next_random() % 4];
    weak_chance = chances[next_random() % 4];
}

bool schedule_replay(const char *text) {
    how = BY_REPLAY;
    replay_length = 0;
    while (*text != '\0' && *text != '\n' && *text != '-') {
        char *end;
        unsigned long at = strtoul(text, &end, 10);
        if (*end != '.' || replay_length == 1024) {
            return false;
        }
        unsigned long option = strtoul(end + 1, &end, 10);
        replayed[replay_length][0] = (unsigned)at;
        replayed[replay_length++][1] = (unsigned)option;
        text = *end == ',' ? end + 1 : end;
    }
    return true;
}

void schedule_write(char *text, size_t size) {
    size_t length = 0;
    text[0] = '\0';
    for (unsigned i = 0; i < trail_length && length + 32 < size; i++) {
        if (trail[i].taken != 0) {
            length +=
                (size_t)snprintf(text + length, size - length, "%s%u.%u", length == 0 ? "" : ",", i, trail[i].taken);
        }
    }
    if (length == 0) {
        snprintf(text, size, "-");
    }
}

/* preferred: the choice of a random policy. */
static unsigned decide(unsigned options, bool is_free, unsigned preferred) {
    if (options <= 1) {
        return 0;
    }
    if (trail_length == MAX_DECISIONS) {
        fail("more decisions than the explorer remembers");
    }
    decision *it = &trail[trail_length];
    unsigned taken = 0;
    if (how == BY_DEPTH_FIRST) {
        taken = trail_length < fixed_length ? it->taken : 0;
        if (trail_length < fixed_length && it->options != options) {
            fail("the explorer is not deterministic");
        }
    } else if (how == BY_REPLAY) {
        while (replay_next < replay_length && replayed[replay_next][0] < trail_length) {
            replay_next++;
        }
        if (replay_next < replay_length && replayed[replay_next][0] == trail_length) {
            /* After a change of the core, an old schedule may no longer fit. Continue with option 0 then. */
            taken = replayed[replay_next][1] < options ? replayed[replay_next][1] : 0;
        }
    } else {
        taken = preferred;
    }
    *it = (decision){(uint16_t)options, (uint16_t)taken, (uint16_t)spent, is_free};
    trail_length++;
    spent += taken != 0 && !is_free;
    return taken;
}

/* Threads. */

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

static unsigned wanted_by_policy(const unsigned *options, unsigned count, bool current_can_run) {
    if (how == BY_CHANCE) {
        return current_can_run && !by_chance(switch_chance) ? 0 : (unsigned)(next_random() % count);
    }
    if (how != BY_PRIORITIES) {
        return 0;
    }
    for (unsigned i = 0; i < change_count; i++) {
        if (change_points[i] == run_steps && current < MAX_THREADS) {
            threads[current].priority = i;
        }
    }
    unsigned best = 0;
    for (unsigned i = 1; i < count; i++) {
        if (options[i] < MAX_THREADS && threads[options[i]].priority > threads[options[best]].priority) {
            best = i;
        }
    }
    return best;
}

/* Chooses the thread that continues, and makes buffered stores visible on the way. Returns NOBODY if no thread can. */
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
        unsigned wanted = 0;
        if (how == BY_PRIORITIES || how == BY_CHANCE) {
            wanted = count > runnable && by_chance(weak_chance)
                         ? runnable + (unsigned)(next_random() % (count - runnable))
                         : wanted_by_policy(options, runnable, from_is_ready);
        }
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
    unsigned wanted = 0;
    if (options > 1 && (how == BY_PRIORITIES || how == BY_CHANCE) && by_chance(weak_chance)) {
        wanted = (unsigned)(next_random() % options);
    }
    return decide(options, false, wanted);
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
    run_steps = trail_length = spent = replay_next = 0;
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
    /* With option 0 at each decision, because the part to explore is over. */
    policy before = how;
    memory_model model_before = model;
    unsigned length = trail_length;
    how = BY_REPLAY;
    replay_next = replay_length;
    model = MEMORY_SC;
    bool good = run_until_rest();
    how = before;
    model = model_before;
    trail_length = length;
    return good;
}
