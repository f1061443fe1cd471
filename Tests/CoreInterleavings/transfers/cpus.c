/* SPDX-License-Identifier: Apache-2.0 */

#include "cpus.h"

#include "fiber.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct {
    fiber context;
    bool has_ended;
    bool (*is_over)(const void *what); /* NULL, or whether the task need not sleep any more. */
    const void *what;
    activity doing;
} task;

static const simulation *running;
static task tasks[MOST_TASKS];
static unsigned turn_of[MOST_CPUS]; /* The task that runs on each CPU, counted from 0 on each of them. */
static unsigned current;
static unsigned set_up_cpu;
static unsigned ended;
static fiber outside;
static uint64_t random_state;

uint64_t waits;

/* Marsaglia's xorshift64*: even enough, and the same on every machine. */
static unsigned draw(unsigned options) {
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * UINT64_C(0x2545f4914f6cdd1d) >> 32) * options >> 32);
}

unsigned this_cpu(void) {
    return running == NULL ? set_up_cpu : current / running->tasks_per_cpu;
}

unsigned this_task(void) {
    return current;
}

void begin_activity(activity what) {
    tasks[current].doing = what;
}

activity this_activity(void) {
    return tasks[current].doing;
}

bool tasks_run(void) {
    return running != NULL;
}

void set_up_on(unsigned cpu) {
    set_up_cpu = cpu;
}

static bool can_run(const task *it) {
    return !it->has_ended && (it->is_over == NULL || it->is_over(it->what));
}

/* Moves the turn on a CPU to a task that can run: the present one if possible. Returns false if there is none. */
static bool choose_task(unsigned cpu, unsigned *chosen) {
    for (unsigned step = 0; step < running->tasks_per_cpu; step++) {
        unsigned turn = (turn_of[cpu] + step) % running->tasks_per_cpu;
        if (can_run(&tasks[cpu * running->tasks_per_cpu + turn])) {
            turn_of[cpu] = turn;
            *chosen = cpu * running->tasks_per_cpu + turn;
            return true;
        }
    }
    return false;
}

/* Continues with a task of a CPU that is drawn at random. */
static void switch_cpu(fiber *from) {
    unsigned first = draw(running->cpus);
    for (unsigned step = 0; step < running->cpus; step++) {
        unsigned next;
        if (choose_task((first + step) % running->cpus, &next)) {
            tasks[next].is_over = NULL;
            current = next;
            if (from != &tasks[next].context) {
                fiber_switch(from, tasks[next].context);
            }
            return;
        }
    }
    if (ended < running->cpus * running->tasks_per_cpu) {
        fprintf(stderr, "all tasks wait\n");
        exit(1);
    }
    fiber_switch(from, outside);
}

void between_calls(void) {
    turn_of[this_cpu()]++;
    switch_cpu(&tasks[current].context);
}

void before_operation(void) {
    if (running != NULL && running->order == BY_STEPS) {
        switch_cpu(&tasks[current].context);
    }
}

void sleep_until(bool (*is_over)(const void *what), const void *what) {
    tasks[current].is_over = is_over;
    tasks[current].what = what;
    switch_cpu(&tasks[current].context);
}

static void enter(void) {
    running->body(current);
    tasks[current].has_ended = true;
    ended++;
    switch_cpu(&tasks[current].context);
    abort();
}

void simulate(const simulation *it) {
    random_state = it->seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    ended = 0;
    for (unsigned i = 0; i < it->cpus * it->tasks_per_cpu; i++) {
        tasks[i] = (task){.context = fiber_make(task_stack(i), TASK_STACK_SIZE, enter)};
    }
    for (unsigned cpu = 0; cpu < it->cpus; cpu++) {
        turn_of[cpu] = 0;
    }
    running = it;
    switch_cpu(&outside);
    running = NULL;
}
