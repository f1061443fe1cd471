/* SPDX-License-Identifier: Apache-2.0 */

/* Explores many scenarios, in several processes at the same time. See workers.h. */
#define _GNU_SOURCE

#include "workers.h"

#include "schedules.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* The processes share it. */
typedef struct {
    work list[MOST_WORK];
    unsigned next; /* The first one that nobody has begun. */
    bool stopped;
} shared_work;

static shared_work *shared;

static void crashed(int signal_number) {
    (void)signal_number;
    report_failure("it crashed");
    _exit(3);
}

void report_crashes(void) {
    /* Not on the stack of the thread that crashed: it may be full. */
    static char stack[1 << 16];
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_ONSTACK};
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGTRAP};
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        sigaction(fatal[i], &action, NULL);
    }
}

static void work_on(unsigned count, uint64_t seed, bool stop) {
    bool is_terminal = isatty(STDERR_FILENO);
    unsigned index;
    while (!(stop && shared->stopped) && (index = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED)) < count) {
        work *it = &shared->list[index];
        if (is_terminal) {
            fprintf(stderr, "\r%u of %u: %-40s", index + 1, count, it->name);
        }
        it->begun = true;
        it->results = explore_scenario(it->scenario, it->runs, seed, it->found);
        shared->stopped = shared->stopped || it->found[it->results - 1].failed;
    }
}

const work *explore_all(const work *chosen, unsigned count, uint64_t seed, unsigned jobs, bool stop) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    memcpy(shared->list, chosen, count * sizeof *chosen);
    fflush(stdout);
    for (unsigned i = 0; jobs > 1 && i < jobs; i++) {
        if (fork() == 0) {
            work_on(count, seed, stop);
            fflush(stdout);
            _exit(0);
        }
    }
    if (jobs <= 1) {
        work_on(count, seed, stop);
    }
    while (wait(NULL) > 0) {
    }
    return shared->list;
}
